"""What a caller is told where it is not known whether a charge was made."""

import pickle
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from nous_billing import errors
from nous_billing.errors import (
    BillingPurchaseUncertain,
)
from tests.unit.drive import PREVIEW, reply
from tests.unit.shop import (
    DROPPED,
    KEY,
    LOST,
    PENDING,
    SENDING,
    UNSENT,
    Shelf,
)


def test_what_is_not_known_says_how_to_find_out_and_never_that_it_failed(shop):
    shop.portal.posted = [DROPPED] * 4
    error = shop.buy("50.5").error
    assert (error.key, error.amount_usd, error.charge_id, error.error, error.outcome_unknown) == (
        KEY,
        Decimal("50.5"),
        None,
        "purchase_uncertain",
        True,
    )
    assert error.portal_url == f"{PREVIEW}/billing?topup=open"
    assert str(error) == (
        "It is not known whether $50.50 for Acme was charged. Could not reach the portal: reset by peer. To find out, "
        "continue this purchase with the same amount and the same key: that charges at most once. A new key could "
        "charge twice. "
        "(Key key-1, started 2025-06-15 15:06 UTC.)"
    )


@pytest.mark.parametrize(
    ("started_at", "shown"),
    [
        (datetime.fromisoformat("2025-06-15T23:36:00+09:00"), "2025-06-15 14:36 UTC"),
        (datetime.fromisoformat("2025-06-14T20:36:00-18:00"), "2025-06-15 14:36 UTC"),
        (datetime.fromisoformat("0001-01-01T00:00:00+14:00"), "0001-01-01 00:00+14:00"),
    ],
)
def test_it_is_said_when_it_was_started_wherever_the_store_was_then(shop, started_at, shown):
    shop.store = Shelf(replace(SENDING, started_at=started_at))
    (error,) = shop.resume().result
    assert f"(Key key-1, started {shown}.)" in str(error)


def test_a_charge_that_is_pending_at_the_cap_is_uncertain_and_names_the_charge(shop):
    shop.portal.polled = [PENDING] * 100
    error = shop.buy(cap=10).error
    assert (type(error), error.charge_id, type(error.last_error)) == (
        BillingPurchaseUncertain,
        "ch_1",
        errors.BillingChargeTimeout,
    )
    assert str(error).startswith("$50.00 for Acme was accepted as charge ch_1; how that ended is not known yet. The ")
    assert (shop.clock.passed, shop.kept.status) == (10, "pending")


def test_a_link_of_the_portal_precedes_that_of_the_purchase(shop):
    shop.portal.posted = [LOST, reply(403, {"error": "role_required", "portalUrl": "/team"})]
    error = shop.buy().error
    assert (error.portal_url, error.status) == (f"{PREVIEW}/team", 403)


@pytest.mark.parametrize("address", ["", "javascript:alert(1)", "file:///etc", "preview.example", "https://", "//x"])
def test_a_stored_address_that_is_no_web_address_gives_no_link(shop, address):
    shop.store = Shelf(replace(SENDING, portal_base_url=address))
    (error,) = shop.resume().result
    assert (type(error), error.portal_url) == (BillingPurchaseUncertain, None)


def test_what_was_not_bound_yet_names_no_organisation(shop):
    shop.store = Shelf(replace(SENDING, organisation_name=""))
    (error,) = shop.resume().result
    assert str(error).startswith("It is not known whether $50.00 was charged. To find out")


@pytest.mark.parametrize(
    "last",
    [DROPPED, UNSENT, reply(500), reply(429, {"error": "rate_limited"}), reply(403, {"error": "no_payment_method"})],
    ids=["reset", "unsent", "500", "429", "403"],
)
def test_what_the_last_request_says_of_the_money_is_not_said_of_the_purchase(shop, last):
    shop.portal.posted = [LOST, *[last] * 3]
    error = shop.buy().error
    for sentence in ("Nothing was charged", "Nothing was sent", "No payment failed", "may have been made"):
        assert sentence not in str(error)
    assert str(error).startswith("It is not known whether $50.00 for Acme was charged. ")


@pytest.mark.parametrize("first", [LOST, UNSENT], ids=["lost", "unsent"])
def test_what_is_outlived_does_not_say_that_nothing_was_charged(shop, first):
    shop.portal.posted = [first, UNSENT]
    assert shop.buy().result.status == "settled"
    outlived = [seen for seen in shop.seen if isinstance(seen, errors.BillingNetworkError)]
    assert len(outlived) == 2
    assert not any("Nothing was charged" in str(seen) for seen in outlived)
    assert (outlived[1].message, outlived[1].error) == (str(outlived[1]), "network_error")
    assert (pickle.loads(pickle.dumps(outlived[1])).message) == outlived[1].message
