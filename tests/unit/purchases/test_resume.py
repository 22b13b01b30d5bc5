"""Going on with all purchases of a store, as far as that cannot make a charge."""

import errno
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from nous_billing.errors import (
    BillingChargeTimeout,
    BillingInvalidRequest,
    BillingPurchaseStoreError,
    BillingPurchaseUncertain,
)
from nous_billing.protocol.exchange import Send, Sleep
from nous_billing.purchases.directory import PurchaseDirectory
from nous_billing.purchases.purchase import Purchase
from tests.unit.drive import NOW, PREVIEW, reply
from tests.unit.shop import DECLINED, PENDING, UNSCOPED, Shelf, Shop, posts


def purchase(number, **changes):
    return Purchase(
        **{
            "key": f"key-{number}",
            "amount_usd": Decimal(50),
            "started_at": datetime.fromtimestamp(NOW - 3600, UTC) + timedelta(minutes=number),
            "portal_base_url": PREVIEW,
            "organisation_id": "org_1",
            "organisation_name": "Acme",
            "revision": 1,
            **changes,
        }
    )


def pending(number, **changes):
    return purchase(number, **{"status": "pending", "charge_id": f"ch_{number}", **changes})


@pytest.fixture
def shop(clock):
    shop = Shop(clock)
    for number in range(5):
        shop.portal.charges["org_1", f"key-{number}"] = (f"ch_{number}", b"")
    return shop


def test_what_has_a_charge_is_polled_to_its_end_and_saved(shop):
    shop.store = Shelf(pending(1), pending(2))
    shop.portal.polled = [PENDING, DECLINED]
    played = shop.resume()
    assert [(outcome.key, outcome.status) for outcome in played.result] == [("key-1", "failed"), ("key-2", "settled")]
    assert shop.store.load() == []
    assert shop.store.history == played.result


def test_nothing_is_ever_posted(shop):
    shop.store = Shelf(purchase(0), pending(1), purchase(2), pending(3))
    played = shop.resume()
    assert posts(played) == []
    assert shop.portal.posts == []
    assert len(played.result) == 4


def test_what_may_have_been_sent_is_handed_back_with_what_a_person_needs_and_no_request(shop):
    shop.store = Shelf(purchase(0))
    played = shop.resume()
    (error,) = played.result
    assert type(error) is BillingPurchaseUncertain
    assert (error.key, error.amount_usd, error.charge_id, error.last_error) == ("key-0", Decimal(50), None, None)
    assert error.portal_url == f"{PREVIEW}/billing?topup=open"
    for needed in ("$50.00 for Acme", "2025-06-15 14:06 UTC", "the same amount and the same key", "Key key-0"):
        assert needed in str(error)
    assert (played.sent, shop.store.history) == ([], [])


def test_what_has_ended_is_not_gone_on_with(shop):
    shop.store = Shelf(pending(1, status="settled"), pending(2, status="failed"), purchase(3, status="not_made"))
    played = shop.resume()
    assert (played.result, len(played.steps)) == ([], 1)


def test_one_that_stays_open_does_not_keep_the_others_from_ending(shop):
    shop.store = Shelf(pending(1), pending(2))
    shop.portal.polled = [UNSCOPED]
    first, second = shop.resume().result
    assert (type(first), first.charge_id, first.status) == (BillingPurchaseUncertain, "ch_1", 403)
    assert second.status == "settled"


def polls(shop):
    """When each charge is asked for, as they are."""
    begun = []
    send = shop.portal.send

    def sent(step):
        if "/charge/" in step.operation.path:
            begun.append((step.operation.path[-1], shop.clock.passed))
        return send(step)

    shop.portal.send = sent
    return begun


def test_each_has_an_equal_share_of_the_time_that_is_left(shop):
    shop.portal.charges.clear()
    shop.store = Shelf(pending(1), pending(2), pending(3))
    begun = polls(shop)
    outcomes = shop.resume(cap=9).result
    assert [type(outcome.last_error) for outcome in outcomes] == [BillingChargeTimeout] * 3
    assert begun == [("1", 0), ("1", 2), ("1", 3), ("2", 3), ("2", 5), ("2", 6), ("3", 6), ("3", 8), ("3", 9)]


def test_one_that_has_ended_leaves_its_time_to_the_others(shop):
    del shop.portal.charges["org_1", "key-2"]
    shop.store = Shelf(pending(1), pending(2), pending(3))
    begun = polls(shop)
    assert shop.resume(cap=8).result[1].last_error.error == "charge_timeout"
    assert begun == [("1", 0), ("2", 0), ("2", 2), ("2", 4), ("3", 4)]


def test_what_can_only_be_handed_back_leaves_its_time_to_the_others(shop):
    shop.portal.charges.clear()
    shop.store = Shelf(purchase(0), pending(1))
    begun = polls(shop)
    shop.resume(cap=4)
    assert begun == [("1", 0), ("1", 2), ("1", 4)]


def test_a_laptop_that_slept_in_the_middle_polls_the_rest_once(shop):
    shop.portal.polled = [PENDING]
    shop.store = Shelf(pending(1), pending(2))

    def answer(step):
        return shop.clock.sleep(3600) if isinstance(step, Sleep) else original(step)

    original, shop.answer = shop.answer, answer
    assert [outcome.status for outcome in shop.resume().result] == ["settled", "settled"]


def test_once_the_time_is_over_the_rest_takes_none(shop):
    shop.portal.charges.clear()
    shop.store = Shelf(pending(1), pending(2), pending(3))
    shop.portal.polled = [PENDING] * 9

    def answer(step):
        if isinstance(step, Send) and step.operation.path.endswith("ch_1"):
            shop.clock.passed += 60
        return original(step)

    original, shop.answer = shop.answer, answer
    outcomes = shop.resume(cap=9).result
    assert [type(outcome.last_error) for outcome in outcomes] == [BillingChargeTimeout] * 3
    assert 60 <= shop.clock.passed < 61


@pytest.mark.parametrize("elsewhere", [{"organisation_id": "org_9"}, {"portal_base_url": "https://other.example"}])
def test_what_belongs_elsewhere_is_handed_back_with_the_reason(shop, elsewhere):
    shop.store = Shelf(pending(1, organisation_name="Other", **elsewhere), pending(2))
    first, second = shop.resume().result
    assert (type(first), first.charge_id) == (BillingPurchaseUncertain, "ch_1")
    assert first.last_error.last_error.error == "wrong_organisation"
    assert "started for Other" in str(first)
    assert second.status == "settled"
    assert [saved.key for saved in shop.store.history] == ["key-2"]


def test_a_cancellation_hands_back_all_that_is_open(shop):
    shop.store = Shelf(pending(1), pending(2))
    outcomes = shop.resume(cancelled=lambda: True).result
    assert [type(outcome) for outcome in outcomes] == [BillingPurchaseUncertain] * 2
    assert [outcome.last_error.error for outcome in outcomes] == ["charge_cancelled"] * 2


def test_the_caller_is_told_of_each_poll(shop):
    shop.store = Shelf(pending(1))
    shop.portal.polled = [PENDING, reply(500)]
    shop.resume()
    assert [getattr(seen, "status", None) for seen in shop.seen] == ["pending", 500, "settled"]


def test_what_was_loaded_before_the_store_failed_is_waited_for_and_its_error_is_the_last(shop):
    def load(key=None):
        yield from Shelf.load(shop.store, key)
        if key is None:
            raise OSError(errno.EIO, "Input/output error")

    shop.store = Shelf(purchase(0), pending(1))
    vars(shop.store)["load"] = load
    first, second, unread = shop.resume().result
    assert (type(first), second.status) == (BillingPurchaseUncertain, "settled")
    assert (type(unread), unread.error, unread.outcome_unknown) == (
        BillingPurchaseStoreError,
        "purchase_store_failed",
        True,
    )
    assert "could not be read: Input/output error" in str(unread)


def test_a_broken_file_is_named_after_the_others_have_ended(shop, tmp_path):
    shop.store = PurchaseDirectory(tmp_path)
    shop.store.save(pending(1, revision=1))
    broken = tmp_path / f"{'0' * 64}.json"
    broken.write_text("{")
    settled, unread = shop.resume().result
    assert settled.status == "settled"
    assert (type(unread), str(broken) in str(unread)) == (BillingPurchaseStoreError, True)


def test_a_store_that_cannot_be_read_at_all_is_handed_back_and_not_raised(clock):
    store = Shelf()
    vars(store)["load"] = lambda key=None: 1 / 0
    (unread,) = Shop(clock, store).resume().result
    assert (type(unread), unread.outcome_unknown) == (BillingPurchaseStoreError, True)
    assert str(unread) == "The purchase could not be read: ZeroDivisionError. Nothing was sent."


def test_a_directory_that_cannot_be_listed_is_handed_back_and_not_called_empty(clock, tmp_path):
    (tmp_path / "taken").write_text("mine")
    (unread,) = Shop(clock, tmp_path / "taken").resume().result
    assert (type(unread), "Not a directory" in str(unread)) == (BillingPurchaseStoreError, True)


def test_what_may_have_been_made_long_ago_is_handed_back_with_the_way_to_the_billing_page(shop):
    shop.store = Shelf(purchase(0, started_at=datetime(2025, 1, 1, tzinfo=UTC)))
    (error,) = shop.resume().result
    assert "Look at the billing page before you buy anything again" in str(error)
    assert "charges at most once" not in str(error)


@pytest.mark.parametrize("cap", [0, -1, None])
def test_what_is_no_length_of_time_is_refused(shop, cap):
    with pytest.raises(BillingInvalidRequest, match="cap"):
        shop.resume(cap=cap)


def test_an_end_that_cannot_be_saved_is_returned_all_the_same(shop):
    shop.store = Shelf(pending(1))
    vars(shop.store)["save"] = lambda purchase: 1 / 0
    (outcome,) = shop.resume().result
    assert outcome.status == "settled"
    assert type(shop.seen[-1]) is BillingPurchaseStoreError
