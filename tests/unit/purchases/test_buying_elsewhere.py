"""A purchase belongs to one organisation of one portal, which each token is seen to be for."""

from dataclasses import replace

import pytest

from nous_billing.credentials import Credentials
from nous_billing.errors import (
    BillingError,
    BillingInvalidRequest,
    BillingPurchaseUncertain,
    BillingResponseError,
)
from nous_billing.protocol.exchange import Resolve
from tests.unit.drive import PREVIEW, reply
from tests.unit.shop import (
    ACCEPTED,
    DROPPED,
    KEY,
    PENDING,
    REJECTED,
    SENDING,
    UNSCOPED,
    UNSENT,
    Shelf,
    posts,
)


def refused_elsewhere(shop, played):
    assert {organisation for organisation, _ in shop.portal.charges} <= {"org_1"}
    error = played.error
    while error.error != "wrong_organisation":
        error = error.last_error
    assert all(step.base_url == PREVIEW for step in posts(played))
    assert all(step.credentials.access_token != "elsewhere" for step in posts(played))
    return str(error)


def test_another_spelling_of_the_portal_is_the_same_portal(shop):
    shop.store = Shelf(replace(SENDING, portal_base_url=f"{PREVIEW.upper()}:443/"))
    shop.address = f"{PREVIEW.title()}:443/"
    assert shop.buy().result.status == "settled"
    assert shop.kept.portal_base_url == PREVIEW


@pytest.mark.parametrize(
    "found", [SENDING, ACCEPTED, replace(SENDING, status="not_made")], ids=lambda found: found.status
)
@pytest.mark.parametrize("moved", ["organisation", "portal"])
def test_a_purchase_that_was_begun_elsewhere_is_refused_with_the_first_token(shop, found, moved):
    shop.store = Shelf(found)
    if moved == "organisation":
        shop.token = "elsewhere"
    else:
        shop.address = "https://other.example"
    played = shop.buy()
    now = f"Acme (org_2) at {PREVIEW}" if moved == "organisation" else "Acme (org_1) at https://other.example"
    assert refused_elsewhere(shop, played) == (
        f"This purchase was started for Acme (org_1) at {PREVIEW}, but the login is now for {now}. To continue it, "
        "log in for the organisation and portal that it was started for."
    )
    assert posts(played) == []
    assert shop.kept == found
    assert (type(played.error) is BillingPurchaseUncertain) is (found.status != "not_made")


@pytest.mark.parametrize("found", [None, SENDING], ids=["new", "sending"])
@pytest.mark.parametrize("blank", ["", " "])
def test_a_token_of_an_organisation_without_an_id_charges_nothing(shop, found, blank):
    shop.store = Shelf() if found is None else Shelf(found)
    shop.portal.tokens["token-1"] = blank
    played = shop.buy()
    error = played.error if found is None else played.error.last_error
    assert (type(error), error.error, error.outcome_unknown) == (BillingResponseError, "invalid_response", False)
    assert str(error) == "The portal's reply does not match the API contract (org.id is blank)."
    assert (posts(played), shop.store.history) == ([], [])


def test_a_token_of_another_organisation_after_a_401_is_refused(shop):
    shop.portal.posted = [REJECTED]
    shop.next_token = "elsewhere"
    played = shop.buy()
    refused_elsewhere(shop, played)
    assert (len(posts(played)), type(played.error), shop.kept.status) == (1, BillingInvalidRequest, "not_made")


def test_a_token_of_the_same_organisation_after_a_401_goes_on_under_the_same_key(shop):
    shop.portal.posted = [REJECTED]
    played = shop.buy()
    assert [step.credentials.access_token for step in posts(played)] == ["token-1", "token-2"]
    assert (played.result.status, shop.store.statuses) == ("settled", ["sending", "pending", "settled"])


def test_a_token_that_the_portal_refuses_for_the_state_is_replaced_too(shop):
    shop.portal.tokens["token-1"] = None
    assert shop.buy().result.status == "settled"


def test_a_portal_that_changes_with_the_token_is_refused(shop):
    shop.portal.posted = [REJECTED]

    def answer(step):
        if isinstance(step, Resolve) and step.rejected is not None:
            return Credentials("token-2", "https://other.example")
        return original(step)

    original, shop.answer = shop.answer, answer
    refused_elsewhere(shop, shop.buy())


def test_a_portal_that_changes_between_two_posts_is_refused_though_the_token_is_the_same(shop):
    shop.portal.posted = [DROPPED]
    moved = "https://other.example"
    shop.on_progress = lambda seen: setattr(shop, "address", moved) if isinstance(seen, BillingError) else None
    played = shop.buy()
    refused_elsewhere(shop, played)
    assert (len(posts(played)), type(played.error)) == (1, BillingPurchaseUncertain)


def test_a_login_of_another_organisation_between_two_posts_is_refused(shop):
    shop.portal.posted = [DROPPED]
    shop.on_progress = lambda seen: setattr(shop, "token", "elsewhere") if isinstance(seen, BillingError) else None
    played = shop.buy()
    refused_elsewhere(shop, played)
    assert (len(posts(played)), type(played.error)) == (1, BillingPurchaseUncertain)


def test_a_login_of_another_organisation_while_polling_is_refused_and_the_charge_stays_open(shop):
    shop.portal.polled = [PENDING]
    shop.on_progress = lambda seen: setattr(shop, "token", "elsewhere") if len(shop.portal.charges) else None
    played = shop.buy()
    refused_elsewhere(shop, played)
    assert (type(played.error), played.error.charge_id, shop.kept.status) == (
        BillingPurchaseUncertain,
        "ch_1",
        "pending",
    )


def test_a_step_up_in_another_organisation_is_refused(shop):
    shop.portal.posted = [UNSCOPED]

    def step_up():
        shop.token = "elsewhere"
        return True

    played = shop.buy(step_up=step_up)
    refused_elsewhere(shop, played)
    assert (len(posts(played)), type(played.error)) == (1, BillingInvalidRequest)


@pytest.mark.parametrize(
    "unread",
    [reply(500), reply(502, b"<html>"), reply(200, b"<html>"), reply(200, {"org": None}), reply(404, b"<html>")],
    ids=["500", "502", "page", "contract", "404"],
)
def test_a_charge_is_polled_though_the_state_cannot_be_read(shop, unread):
    shop.store = Shelf(ACCEPTED)
    shop.portal.charges["org_1", KEY] = ("ch_1", b"")
    shop.portal.states = [unread] * 9
    played = shop.buy()
    assert (played.result.status, shop.portal.posts, shop.clock.passed) == ("settled", [], 0)


def test_a_state_that_could_not_be_read_is_asked_for_again_with_the_next_poll(shop):
    shop.store = Shelf(ACCEPTED)
    shop.token = "elsewhere"
    shop.portal.states, shop.portal.polled = [reply(500)], [PENDING]
    played = shop.buy()
    refused_elsewhere(shop, played)
    assert (type(played.error), shop.clock.passed, shop.kept) == (BillingPurchaseUncertain, 2, ACCEPTED)


@pytest.mark.parametrize("answer", [UNSENT, reply(429)], ids=["unsent", "429"])
def test_a_poll_whose_state_was_not_answered_is_made_again_later(shop, answer):
    shop.store = Shelf(ACCEPTED)
    shop.portal.charges["org_1", KEY] = ("ch_1", b"")
    shop.portal.states = [answer]
    assert shop.buy().result.status == "settled"
    assert shop.clock.passed > 0


def test_a_state_that_the_portal_denies_while_waiting_leaves_the_charge_open(shop):
    shop.store = Shelf(ACCEPTED)
    shop.portal.states = [reply(403, {"error": "org_access_denied"})]
    error = shop.buy().error
    assert (type(error), error.status, shop.kept) == (BillingPurchaseUncertain, 403, ACCEPTED)


def test_the_sentence_names_both_places(shop):
    shop.store = Shelf(replace(SENDING, organisation_name="Other", organisation_id="org_9"))
    text = str(shop.buy().error.last_error)
    assert f"started for Other (org_9) at {PREVIEW}" in text
    assert f"now for Acme (org_1) at {PREVIEW}" in text
