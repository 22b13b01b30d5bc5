"""A portal that breaks its promises: two charges for one key, another amount, settled and failed in turn."""

import pickle
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from nous_billing.errors import BillingDuplicateCharge, BillingError, BillingPurchaseInterrupted
from nous_billing.protocol.exchange import Send
from nous_billing.purchases.merging import merged
from nous_billing.purchases.purchase import Purchase
from tests.unit.drive import reply
from tests.unit.shop import ACCEPTED, DECLINED, KEY, PENDING, SENDING, SETTLED_AT, Shelf

PAID = replace(
    ACCEPTED, status="settled", settled_at=datetime(2026, 6, 13, 10, tzinfo=UTC), added_usd=Decimal(50), revision=3
)
FAILED = replace(ACCEPTED, status="failed", reason="card_declined", revision=3)
OTHER = "charge of $50.00 for Acme for one purchase: ch_other, ch_1"


def meanwhile(shop, found):
    """Have another call save this just as a post arrives, for which the portal makes a charge of its own."""

    def answer(step):
        if isinstance(step, Send) and step.operation.method == "POST":
            shop.store.save(replace(found, revision=shop.kept.revision + 1))
        return original(step)

    original, shop.answer = shop.answer, answer


@pytest.mark.parametrize("status", ["pending", "settled", "failed"])
def test_two_charges_for_one_key_are_both_kept_and_said_each_time(shop, status):
    found = replace({"pending": ACCEPTED, "settled": PAID, "failed": FAILED}[status], charge_id="ch_other")
    shop.portal.charges["org_1", "another"] = ("ch_other", b"")
    shop.portal.charges["org_1", KEY] = ("ch_1", b'{"amountUsd":50}')
    meanwhile(shop, found)
    error = shop.buy().error
    assert (type(error), error.error, error.outcome_unknown) == (BillingDuplicateCharge, "duplicate_charge", True)
    assert (error.charge_id, error.charge_ids, error.key) == ("ch_other", ("ch_other", "ch_1"), KEY)
    assert (shop.kept.charge_id, shop.kept.other_charge_ids) == ("ch_other", ("ch_1",))
    ended = "settled" if status == "pending" else status
    assert shop.kept.status == ended
    assert str(error) == (
        f"The portal made more than one {OTHER}. The first has {ended}; it may have been paid more than once. Look at "
        "the billing page, and ask the portal's support for a refund if you paid twice. Do not buy again. (Key key-1, "
        "started 2025-06-15 14:06 UTC.)"
    )
    told = [seen for seen in shop.seen if isinstance(seen, BillingDuplicateCharge)]
    assert [each.charge_ids for each in told] == [error.charge_ids]
    again = shop.buy().error
    assert (type(again), again.charge_ids, len(shop.portal.posts)) == (BillingDuplicateCharge, error.charge_ids, 1)
    assert pickle.loads(pickle.dumps(error)).charge_ids == error.charge_ids


def test_a_second_charge_that_another_call_was_given_is_said_by_the_first_too(shop):
    shop.portal.polled = [PENDING]

    def second_charge(seen):
        if isinstance(seen, Purchase) and seen.status == "pending" and not shop.kept.other_charge_ids:
            shop.store.save(replace(shop.kept, other_charge_ids=("ch_2",), revision=shop.kept.revision + 1))

    shop.on_progress = second_charge
    error = shop.buy().error
    assert (error.charge_ids, shop.kept.status, shop.kept.other_charge_ids) == (("ch_1", "ch_2"), "settled", ("ch_2",))


def test_a_second_charge_of_a_purchase_that_stays_open_is_said_with_what_it_ran_into(shop):
    shop.store = Shelf(replace(ACCEPTED, other_charge_ids=("ch_2",)))
    shop.portal.polled = [PENDING] * 99
    (error,) = shop.resume(cap=4).result
    assert (type(error), error.charge_ids, error.last_error.error) == (
        BillingDuplicateCharge,
        ("ch_1", "ch_2"),
        "charge_timeout",
    )
    assert "How they ended is not known; it may have been paid more than once." in str(error)


@pytest.mark.parametrize("status", ["pending", "settled"])
def test_ctrl_c_names_a_second_charge_too(shop, status):
    shop.store = Shelf(replace(ACCEPTED, status=status, other_charge_ids=("ch_2",)))
    buying = shop.buying()
    flow = buying.buy()
    flow.send(shop.answer(next(flow)))
    interrupted = buying.interrupted()
    assert type(interrupted) is BillingPurchaseInterrupted
    assert type(interrupted.uncertain) is BillingDuplicateCharge


@pytest.mark.parametrize("amount", ["49.99", "500"])
def test_another_amount_than_was_asked_for_is_said_and_kept(shop, amount):
    shop.portal.polled = [reply(200, {"status": "settled", "amountUsd": amount, "settledAt": SETTLED_AT})]
    purchase = shop.buy().result
    assert (purchase.status, purchase.added_usd, purchase.discrepancies) == (
        "settled",
        Decimal(amount),
        ("other_amount",),
    )
    assert shop.kept == purchase == shop.buy().result


@pytest.mark.parametrize("amount", ["50", "50.00"])
def test_the_amount_that_was_asked_for_is_no_discrepancy_however_it_is_written(shop, amount):
    shop.portal.polled = [reply(200, {"status": "settled", "amountUsd": amount, "settledAt": SETTLED_AT})]
    assert shop.buy().result.discrepancies == ()


@pytest.mark.parametrize(("first", "then"), [(PAID, DECLINED), (FAILED, None)], ids=["failed late", "settled late"])
def test_a_charge_that_settled_and_failed_in_turn_is_kept_as_settled_and_said(shop, first, then):
    # To call it failed would have a person buy it again.
    shop.portal.charges["org_1", KEY] = ("ch_1", b"")
    shop.store = Shelf(ACCEPTED)

    def answer(step):
        if isinstance(step, Send) and step.operation.path.endswith("ch_1"):
            shop.store.save(first)
            return then or original(step)
        return original(step)

    original, shop.answer = shop.answer, answer
    purchase = shop.buy().result
    assert (purchase.status, purchase.discrepancies) == ("settled", ("settled_and_failed",))
    assert shop.kept == purchase


@pytest.mark.parametrize(
    ("stored", "ours"),
    [
        (SENDING, replace(SENDING, status="not_made")),
        (ACCEPTED, replace(SENDING, status="not_made")),
        (PAID, ACCEPTED),
        (PAID, replace(PAID, revision=1)),
        (FAILED, FAILED),
    ],
)
def test_what_adds_nothing_to_what_is_stored_leaves_it_as_it_is(stored, ours):
    assert merged(stored, ours) == stored


def test_an_error_that_is_told_is_no_purchase_that_is_told(shop):
    meanwhile(shop, replace(ACCEPTED, charge_id="ch_other"))
    shop.buy(cap=1)
    kinds = [type(seen) for seen in shop.seen if isinstance(seen, BillingError)]
    assert kinds == [BillingDuplicateCharge]
