"""What the person confirmed is what is charged, and who is told of a purchase that has ended."""

from dataclasses import replace

import pytest

from nous_billing.errors import BillingInvalidRequest, BillingPurchaseUncertain
from tests.unit.drive import reply
from tests.unit.shop import ACCEPTED, DROPPED, KEY, REJECTED, SENDING, UNSENT, Shelf

CONFIRMED = (
    "This purchase was confirmed for the organisation org_1, but the login is now for Acme (org_2). Log in for the "
    "confirmed organisation. Nothing was sent."
)
SHOWN = (
    "This client last read the billing state of Acme (org_1), but the login is now for Acme (org_2). Read the billing "
    "state again and let the person confirm, or pass the confirmed organisation as organisation_id. Nothing was sent."
)


def shown(shop):
    """A client that has shown the state of the first organisation."""
    client = shop.client
    assert shop.run(client._show_state(None)).result.org.id == "org_1"
    return client


def assert_nothing_sent(shop, played, sentence):
    assert (type(played.error), played.error.error) == (BillingInvalidRequest, "wrong_organisation")
    assert str(played.error) == sentence
    assert (shop.portal.posts, shop.store.history) == ([], [])


def test_a_login_of_another_organisation_than_was_confirmed_is_refused_before_anything_is_sent(shop):
    shop.token = "elsewhere"
    assert_nothing_sent(shop, shop.buy(organisation_id="org_1"), CONFIRMED)
    assert shop.buy(organisation_id="org_2").result.organisation_id == "org_2"


def test_without_a_word_the_organisation_that_was_shown_last_is_the_one_that_was_confirmed(shop):
    client = shown(shop)
    shop.token = "elsewhere"
    assert_nothing_sent(shop, shop.buy(client=client), SHOWN)
    shop.run(client._show_state(None))
    assert shop.buy(client=client).result.organisation_id == "org_2"


def test_what_is_said_precedes_what_was_shown(shop):
    client = shown(shop)
    shop.token = "elsewhere"
    assert shop.buy(client=client, organisation_id="org_2").result.organisation_id == "org_2"


def test_a_client_that_has_shown_nothing_buys_for_its_login(shop):
    shop.token = "elsewhere"
    assert shop.buy().result.organisation_id == "org_2"


def test_a_token_of_another_organisation_after_a_401_is_refused_by_what_was_confirmed(shop):
    shop.portal.tokens["token-1"], shop.next_token = None, "elsewhere"
    assert_nothing_sent(shop, shop.buy(organisation_id="org_1"), CONFIRMED)


@pytest.mark.parametrize("found", [SENDING, replace(SENDING, status="not_made")], ids=lambda found: found.status)
def test_a_purchase_that_was_begun_goes_on_in_its_organisation_whatever_was_shown_since(shop, found):
    client = shop.client
    shop.token = "elsewhere"
    shop.run(client._show_state(None))
    shop.token, shop.store = "token-1", Shelf(found)
    assert shop.buy(client=client).result.organisation_id == "org_1"


def test_a_purchase_that_was_begun_for_another_than_was_confirmed_is_refused(shop):
    shop.store = Shelf(SENDING)
    error = shop.buy(organisation_id="org_2").error
    assert (type(error), error.last_error.error, shop.portal.posts) == (
        BillingPurchaseUncertain,
        "wrong_organisation",
        [],
    )
    assert "Nothing was sent" not in str(error)


@pytest.mark.parametrize("organisation_id", ["", " ", 5, b"org_1"], ids=repr)
def test_what_is_no_id_of_an_organisation_is_refused(shop, organisation_id):
    for call in (shop.buying, shop.resume):
        with pytest.raises(BillingInvalidRequest) as caught:
            call(organisation_id=organisation_id)
        assert caught.value.error == "invalid_organisation_id"


def test_resuming_for_one_organisation_leaves_out_the_others_and_never_polls_with_another_login(shop):
    others = replace(ACCEPTED, key="others", organisation_id="org_2", charge_id="ch_2")
    shop.portal.charges["org_1", KEY] = ("ch_1", b"")
    shop.store = Shelf(ACCEPTED, others, replace(SENDING, key="unbound", organisation_id=""))
    mine, unbound = shop.resume(organisation_id="org_1").result
    assert (mine.key, mine.status, unbound.key) == (KEY, "settled", "unbound")
    (theirs,) = shop.resume(organisation_id="org_2").result[:1]
    assert (theirs.key, theirs.last_error.last_error.error) == ("others", "wrong_organisation")


# Who is told of a purchase that has ended

ENDED = pytest.mark.parametrize(
    "found", [replace(ACCEPTED, status=status, revision=3) for status in ("settled", "failed")], ids=lambda p: p.status
)


@ENDED
@pytest.mark.parametrize("moved", ["organisation", "portal"])
def test_a_purchase_that_has_ended_is_not_told_to_another_organisation_or_portal(shop, found, moved):
    shop.store = Shelf(found)
    if moved == "organisation":
        shop.token = "elsewhere"
    else:
        shop.address = "https://other.example"
    error = shop.buy().error
    assert (type(error), error.error, shop.seen, shop.kept) == (BillingInvalidRequest, "wrong_organisation", [], found)


@ENDED
def test_a_purchase_that_has_ended_is_told_to_a_token_that_was_renewed(shop, found):
    shop.store, shop.portal.tokens["token-1"] = Shelf(found), None
    assert shop.buy().result == found


@ENDED
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (UNSENT, "Could not reach the portal: connection refused."),
        (DROPPED, "Could not reach the portal: reset by peer."),
        (reply(500), "The portal is failing (HTTP 500). Try again shortly."),
        (reply(403, {"error": "insufficient_scope", "message": "No."}), "No."),
    ],
    ids=["unsent", "dropped", "500", "403"],
)
def test_a_purchase_that_has_ended_is_told_to_nobody_who_cannot_be_looked_at(shop, found, answer, reason):
    shop.store, shop.portal.states = Shelf(found), [answer]
    error = shop.buy().error
    assert (type(error), error.outcome_unknown, error.key) == (BillingPurchaseUncertain, True, KEY)
    assert str(error) == (
        "The purchase of $50.00 for Acme has ended. Only a login of its organisation may see the result, and the "
        f"organisation of this login could not be read. {reason} To see it, continue this purchase with the same "
        "amount and the same key: that charges nothing. A new key could charge twice. (Key key-1, started 2025-06-15 "
        "14:06 UTC.)"
    )
    assert (shop.kept, shop.portal.posts, shop.buy().result) == (found, [], found)


def test_a_login_that_moves_as_another_call_ends_the_purchase_is_not_told_of_it(shop):
    shop.portal.posted, shop.next_token = [REJECTED], "elsewhere"
    save = shop.store.save

    def save_and_end(purchase):
        saved = save(purchase)
        if purchase.status == "sending":
            save(replace(ACCEPTED, status="settled", revision=2))
        return saved

    shop.store.save = save_and_end
    error = shop.buy().error
    assert (type(error), error.error, shop.kept.status) == (BillingInvalidRequest, "wrong_organisation", "settled")
