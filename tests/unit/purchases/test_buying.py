"""The way of a purchase that nothing goes wrong with, and what cannot be bought at all."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from nous_billing import errors
from nous_billing.errors import (
    BillingError,
    BillingInvalidRequest,
    BillingNetworkError,
)
from nous_billing.protocol.exchange import Send
from nous_billing.purchases.purchase import Purchase
from tests.unit.drive import NOW, PREVIEW, reply
from tests.unit.shop import (
    DECLINED,
    DROPPED,
    KEY,
    LOST,
    PENDING,
    SENDING,
    UNSENT,
    kinds,
)


def test_a_purchase_is_found_vouched_saved_posted_saved_polled_and_saved_in_this_order(shop):
    played = shop.buy()
    assert kinds(played) == [
        "RunBlocking",
        "Resolve",
        "GET /api/billing/state",
        "RunBlocking",
        "POST /api/billing/charge",
        "RunBlocking",
        "Resolve",
        "GET /api/billing/charge/ch_1",
        "RunBlocking",
    ]
    assert shop.store.statuses == ["sending", "pending", "settled"]
    assert [purchase.revision for purchase in shop.store.history] == [1, 2, 3]


def test_a_purchase_that_is_paid_says_all_that_is_known_of_it(shop):
    purchase = shop.buy("50.00").result
    assert purchase == shop.kept == shop.store.history[-1]
    assert purchase == Purchase(
        key=KEY,
        amount_usd=Decimal(50),
        started_at=datetime.fromtimestamp(NOW, UTC),
        portal_base_url=PREVIEW,
        organisation_id="org_1",
        organisation_name="Acme",
        status="settled",
        charge_id="ch_1",
        settled_at=datetime(2026, 6, 13, 10, tzinfo=UTC),
        added_usd=Decimal(50),
        revision=3,
    )


def test_a_charge_that_fails_is_returned_with_its_reason_and_not_raised(shop):
    shop.portal.polled = [PENDING, DECLINED]
    purchase = shop.buy().result
    assert (purchase.status, purchase.reason, purchase.settled_at, purchase.added_usd) == (
        "failed",
        "card_declined",
        None,
        None,
    )
    assert purchase == shop.kept


def test_the_store_has_the_purchase_bound_to_its_organisation_before_the_post_leaves(shop):
    flow = shop.buying().buy()
    step = next(flow)
    while not (isinstance(step, Send) and step.operation.moves_money):
        step = flow.send(shop.answer(step))
    kept = shop.kept
    assert (kept.status, kept.portal_base_url, kept.organisation_id, kept.organisation_name, kept.revision) == (
        "sending",
        PREVIEW,
        "org_1",
        "Acme",
        1,
    )


@pytest.mark.parametrize("amount", [50, "50", "50.00", " 50.0 ", Decimal("50.0"), Decimal("5E+1"), 50.0])
def test_the_same_amount_goes_out_as_the_same_bytes_however_it_is_written(shop, amount):
    shop.buy(amount)
    assert shop.portal.posts == [(KEY, b'{"amountUsd":50}')]


@pytest.mark.parametrize(("amount", "body"), [("50.50", b"50.5"), ("100", b"100"), ("10.01", b"10.01")])
def test_an_amount_keeps_its_digits(shop, amount, body):
    shop.buy(amount)
    assert shop.portal.posts == [(KEY, b'{"amountUsd":%b}' % body)]


@pytest.mark.parametrize(
    ("amount", "key", "error"),
    [
        ("0", KEY, "invalid_amount"),
        ("50.001", KEY, "invalid_amount"),
        (float("nan"), KEY, "invalid_amount"),
        (True, KEY, "invalid_amount"),
        ("50", "", "idempotency_key_required"),
        ("50", None, "idempotency_key_required"),
        ("50", "a b", "invalid_idempotency_key"),
        ("50", "x" * 256, "invalid_idempotency_key"),
    ],
)
def test_what_cannot_be_bought_is_refused_before_anything_is_done(shop, amount, key, error):
    with pytest.raises(BillingInvalidRequest) as caught:
        shop.buying(amount, key)
    assert caught.value.error == error


@pytest.mark.parametrize("name", ["interval", "cap"])
def test_what_is_no_length_of_time_is_refused_before_anything_is_done(shop, name):
    with pytest.raises(BillingInvalidRequest, match=name):
        shop.buying(**{name: 0})


def test_a_key_is_stripped_as_it_is_in_post_charge(shop):
    assert shop.buy("50", f" {KEY} ").result.key == KEY
    assert shop.portal.posts[0][0] == KEY


def test_the_caller_is_told_of_each_step_each_poll_and_each_error_that_is_outlived(shop):
    shop.portal.posted = [UNSENT]
    shop.portal.polled = [PENDING, reply(500)]
    shop.buy()
    assert [seen.status if isinstance(seen, Purchase) else type(seen) for seen in shop.seen] == [
        "sending",
        errors.BillingNetworkError,
        "pending",
        "pending",
        errors.BillingServerError,
        "settled",
    ]


def test_a_charge_is_not_called_settled_before_that_is_saved(shop):
    def on_progress(seen):
        if isinstance(seen, Purchase):
            assert shop.kept == seen

    shop.on_progress = on_progress
    assert shop.buy().result.status == "settled"


def test_nobody_has_to_listen(shop):
    shop.on_progress = None
    shop.portal.posted = [UNSENT]
    shop.portal.polled = [reply(500)]
    assert shop.buy().result.status == "settled"


@pytest.mark.parametrize("at", range(5))
def test_what_a_listener_raises_ends_the_call_and_the_next_one_charges_no_second_time(shop, at):
    shop.portal.posted = [LOST]
    shop.portal.polled = [PENDING]
    told = []

    def on_progress(seen):
        told.append(seen)
        if len(told) > at:
            raise ZeroDivisionError

    shop.on_progress = on_progress
    with pytest.raises(ZeroDivisionError):
        shop.buy()
    assert len(told) == at + 1
    shop.on_progress = None
    assert (shop.buy().result.status, len(shop.portal.charges)) == ("settled", 1)


@pytest.mark.parametrize("at", range(5))
def test_a_billing_error_of_a_listener_is_none_of_the_purchase_and_ends_the_call_too(shop, at):
    mine = BillingNetworkError("The listener reads the balance, and cannot.", error="network_error")
    shop.portal.posted = [LOST]
    shop.portal.polled = [PENDING]
    told = []

    def on_progress(seen):
        told.append(seen)
        if len(told) > at:
            raise mine

    shop.on_progress = on_progress
    assert shop.buy().error is mine
    assert len(told) == at + 1
    shop.on_progress = None
    assert (shop.buy().result.status, len(shop.portal.charges)) == ("settled", 1)


def test_what_is_no_amount_is_refused_by_its_name(shop):
    with pytest.raises(BillingInvalidRequest, match=r"^amount_usd must be dollars "):
        shop.buying("x")


# Bounds


@pytest.mark.parametrize("amount", ["9.99", "10000.01"])
def test_an_amount_out_of_bounds_is_refused_before_anything_is_saved_or_posted(shop, amount):
    error = shop.buy(amount).error
    assert (type(error), error.error) == (BillingInvalidRequest, "amount_out_of_bounds")
    assert str(error) == (
        f"amount_usd must be between $10.00 and $10,000.00 here, not ${Decimal(amount):,}. Nothing was sent."
    )
    assert (shop.portal.posts, shop.store.history) == ([], [])


@pytest.mark.parametrize("amount", ["10", "10000"])
def test_the_bounds_themselves_may_be_bought(shop, amount):
    assert shop.buy(amount).result.status == "settled"


def test_bounds_that_contradict_each_other_leave_it_to_the_portal(shop):
    shop.portal.bounds = {"minUsd": "100", "maxUsd": "5"}
    assert shop.buy().result.status == "settled"


def test_the_bounds_are_not_looked_at_where_a_charge_may_have_been_made_already(shop):
    shop.store.save(SENDING)
    shop.portal.bounds = {"minUsd": "60", "maxUsd": "10000"}
    assert shop.buy().result.status == "settled"


def test_the_bounds_are_not_looked_at_again_after_a_lost_reply_and_a_new_token(shop):
    shop.portal.posted = [DROPPED]

    def on_progress(seen):
        if isinstance(seen, BillingError):
            shop.token, shop.portal.bounds = "token-2", {"minUsd": "60", "maxUsd": "10000"}

    shop.on_progress = on_progress
    assert shop.buy().result.status == "settled"


def test_the_bounds_are_those_of_the_very_token(shop):
    shop.portal.posted = [UNSENT]

    def on_progress(seen):
        if isinstance(seen, BillingError):
            shop.token, shop.portal.bounds = "token-2", {"minUsd": "60", "maxUsd": "10000"}

    shop.on_progress = on_progress
    assert shop.buy().error.error == "amount_out_of_bounds"
    assert (len(shop.portal.posts), shop.kept.status) == (1, "not_made")


def test_a_state_is_read_once_for_each_token(shop):
    shop.portal.posted = [DROPPED, DROPPED]
    shop.portal.polled = [PENDING] * 3
    assert kinds(shop.buy()).count("GET /api/billing/state") == 1
