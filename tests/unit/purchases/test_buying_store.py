"""What cannot be read or saved: a charge is not sent, or not lost."""

import errno
from dataclasses import replace
from typing import Any

import pytest

from nous_billing import errors
from nous_billing._arguments import kind_of
from nous_billing.errors import (
    BillingError,
    BillingInvalidRequest,
    BillingPurchaseStoreError,
    BillingPurchaseUncertain,
)
from nous_billing.protocol.exchange import RunBlocking
from nous_billing.purchases.purchase import Purchase
from tests.unit.drive import reply
from tests.unit.shop import (
    ACCEPTED,
    KEY,
    SENDING,
    Shelf,
    Shop,
    kinds,
    posts,
)


class Failing(Shelf):
    """Fails at the calls with these numbers, counted from 0; ``late``: after it was done."""

    def __init__(self, at, error, late=False):
        super().__init__()
        self.at, self.error, self.late, self.calls = at, error, late, 0

    def _fails(self):
        self.calls += 1
        return self.calls - 1 in self.at

    def load(self, key=None):
        if self._fails():
            raise self.error
        return super().load(key)

    def save(self, purchase):
        fails = self._fails()
        if fails and not self.late:
            raise self.error
        saved = super().save(purchase)
        if fails:
            raise self.error
        return saved


# What a store raises, and as much of it as a person is told.
RAISED = [
    (OSError(errno.ENOSPC, "No space left on device", "/home/jo"), "No space left on device"),
    (OSError("of its own"), "OSError"),
    (ValueError(), "ValueError"),
    (RuntimeError("postgres://jo:password@db"), "RuntimeError"),
    (KeyError("password"), "KeyError"),
    (StopIteration("password"), "StopIteration"),
    (errors.BillingNetworkError("Another program holds it.", error="network_error"), "Another program holds it"),
    (errors.BillingNetworkError("Another program holds it. Nothing was charged."), "Another program holds it"),
]
EACH_RAISED = pytest.mark.parametrize(("error", "quoted"), RAISED, ids=range(len(RAISED)))


@EACH_RAISED
@pytest.mark.parametrize("late", [False, True])
def test_a_store_that_cannot_be_read_leaves_the_purchase_uncertain_and_nothing_is_sent(clock, error, quoted, late):
    shop = Shop(clock, Failing([0], error, late))
    played = shop.buy()
    assert (type(played.error), played.error.outcome_unknown) == (BillingPurchaseUncertain, True)
    unread = played.error.last_error
    assert (type(unread), unread.error, unread.outcome_unknown) == (
        BillingPurchaseStoreError,
        "purchase_store_failed",
        True,
    )
    assert str(unread) == f"The purchase could not be read: {quoted}. Nothing was sent."
    assert unread.__cause__ is error
    assert f"The purchase could not be read: {quoted}." in str(played.error)
    assert "Nothing was sent" not in str(played.error)
    assert (kinds(played), shop.store.kept, played.error.charge_id) == (["RunBlocking"], {}, None)


@EACH_RAISED
@pytest.mark.parametrize("late", [False, True])
def test_a_store_that_cannot_save_before_the_post_is_an_error_of_the_store_and_nothing_is_sent(
    clock, error, quoted, late
):
    shop = Shop(clock, Failing([1], error, late))
    played = shop.buy()
    assert (type(played.error), played.error.error) == (BillingPurchaseStoreError, "purchase_store_failed")
    assert str(played.error) == f"The purchase could not be saved: {quoted}. Nothing was sent."
    assert (played.error.outcome_unknown, played.error.__cause__) == (False, error)
    assert (shop.portal.posts, clock.passed) == ([], 0)


@pytest.mark.parametrize("call", [0, 1], ids=["find", "save"])
def test_an_error_of_the_stores_own_is_passed_on_as_it_is(clock, call):
    error = BillingPurchaseStoreError("The database is down.", error="purchase_store_failed")
    played = Shop(clock, Failing([call], error)).buy()
    assert (played.error if call else played.error.last_error) is error


def test_a_save_that_fails_where_it_may_have_been_sent_before_leaves_it_uncertain(clock):
    shop = Shop(clock, Failing(range(1, 99), OSError(errno.ENOSPC, "No space left on device")))
    shop.store.kept[KEY] = SENDING
    error = shop.buy().error
    assert (type(error), type(error.last_error)) == (BillingPurchaseUncertain, BillingPurchaseStoreError)
    assert (shop.portal.posts, shop.store.kept[KEY]) == ([], SENDING)


@EACH_RAISED
@pytest.mark.parametrize("at", [[2], [3], [2, 3]], ids=["accepted", "settled", "both"])
@pytest.mark.parametrize("late", [False, True])
def test_a_save_that_fails_after_the_post_loses_nothing_and_the_caller_is_told(clock, error, quoted, at, late):
    shop = Shop(clock, Failing(at, error, late))
    played = shop.buy()
    assert (played.result.status, played.result.charge_id) == ("settled", "ch_1")
    told = [seen for seen in shop.seen if isinstance(seen, BillingError)]
    # Where the first was saved all the same, the second finds that another call seems to be at it, and saves over it.
    assert len(told) == len(at)
    for seen in told:
        assert (type(seen), seen.error, seen.outcome_unknown) == (
            BillingPurchaseStoreError,
            "purchase_store_failed",
            True,
        )
        assert str(seen) == (
            f"The purchase goes on, but the store does not have its progress. The purchase could not be saved: "
            f"{quoted}."
        )
    again = shop.buy()
    assert (again.result.status, len(shop.portal.charges)) == ("settled", 1)


def test_a_refusal_that_could_not_be_saved_is_the_refusal_all_the_same(clock):
    shop = Shop(clock, Failing([2], OSError(errno.ENOSPC, "full")))
    shop.portal.posted = [reply(403, {"error": "no_payment_method"})]
    assert type(shop.buy().error) is errors.BillingNoPaymentMethod
    assert shop.kept.status == "sending"


class Rubbish(Shelf):
    def __init__(self, loaded=(), saved=True):
        super().__init__()
        self.loaded, self.saved = loaded, saved

    def load(self, key=None):
        return self.loaded

    def save(self, purchase):
        return self.saved


class Torn:
    """What a store returns whose connection is lost while it is read."""

    def __iter__(self):
        yield SENDING
        raise OSError("the connection is lost")


DEEP: Any = []
for _ in range(100_000):
    DEEP = [DEEP]
LOADED: list[tuple[Any, str]] = [
    (None, "the store's load() returned None instead of an iterable of purchases"),
    (SENDING, "the store's load() returned Purchase instead of an iterable of purchases"),
    (Torn(), "OSError"),
    (["x"], "the store returned str instead of a Purchase"),
    ([None], "the store returned None instead of a Purchase"),
    ([("key-1", 50)], "the store returned tuple instead of a Purchase"),
    ([SENDING, None], "the store returned None instead of a Purchase"),
    (
        [replace(SENDING, status="sold")],  # type: ignore[arg-type]
        "status of the purchase with the key key-1 must be one of sending, pending, settled, failed, not_made, not "
        "'sold' (str)",
    ),
    (
        [replace(SENDING, key=DEEP)],
        "key of the purchase with the key list must be a str that is not empty, not 'list' (list)",
    ),
    ([replace(SENDING, status="pending")], "the purchase with the key key-1 is pending and has no charge id"),
    ([replace(SENDING, status="settled")], "the purchase with the key key-1 is settled and has no charge id"),
    ([replace(SENDING, status="failed")], "the purchase with the key key-1 is failed and has no charge id"),
    ([replace(SENDING, charge_id="ch_1")], "the purchase with the key key-1 is sending and has the charge id ch_1"),
    (
        [replace(ACCEPTED, status="not_made")],
        "the purchase with the key key-1 is not_made and has the charge id ch_1",
    ),
    (
        [replace(ACCEPTED, status="settled", charge_id="")],
        "charge_id of the purchase with the key key-1 must be a str that is not empty, or None, not '' (str)",
    ),
]
EACH_LOADED = pytest.mark.parametrize(("loaded", "reason"), LOADED, ids=range(len(LOADED)))


def check_unread(played, reason):
    assert (type(played.error), kinds(played)) == (BillingPurchaseUncertain, ["RunBlocking"])
    unread = played.error.last_error
    assert (type(unread), unread.outcome_unknown) == (BillingPurchaseStoreError, True)
    assert str(unread) == f"The purchase could not be read: {reason}. Nothing was sent."
    # An earlier call started it, perhaps days ago.
    assert str(played.error).endswith(" (Key key-1.)")


@EACH_LOADED
def test_a_store_that_loads_rubbish_leaves_the_purchase_uncertain_and_nothing_is_sent(clock, loaded, reason):
    check_unread(Shop(clock, Rubbish(loaded)).buy(), reason)


@EACH_LOADED
def test_a_store_that_loads_rubbish_is_the_last_of_what_is_gone_on_with(clock, loaded, reason):
    *_, unread = Shop(clock, Rubbish(loaded)).resume().result
    assert (type(unread), unread.outcome_unknown) == (BillingPurchaseStoreError, True)
    assert reason in str(unread)


def test_a_store_that_loads_another_key_than_it_was_asked_for_leaves_the_purchase_uncertain(clock):
    check_unread(
        Shop(clock, Rubbish([replace(SENDING, key="another")])).buy(), "the store returned a purchase with another key"
    )


@pytest.mark.parametrize("saved", [None, 1, "yes", []])
def test_a_store_whose_save_says_neither_yes_nor_no_is_a_typed_error_and_nothing_is_sent(clock, saved):
    shop = Shop(clock, Rubbish(saved=saved))
    error = shop.buy().error
    assert type(error) is BillingPurchaseStoreError
    assert str(error) == (
        f"The purchase could not be saved: the store's save() returned {kind_of(saved)} instead of True or "
        "False. Nothing was sent."
    )
    assert shop.portal.posts == []


def test_a_store_that_refuses_to_save_what_it_does_not_show_may_have_a_purchase_that_was_charged(clock):
    shop = Shop(clock)
    assert shop.buy().result.status == "settled"
    # It reads from a copy that lags behind.
    vars(shop.store)["load"] = lambda key=None: []
    error = shop.buy().error
    assert (type(error), error.outcome_unknown, error.is_too_old) == (BillingPurchaseUncertain, True, False)
    assert str(error.last_error) == (
        "The purchase could not be saved: another program keeps changing it. Nothing was sent."
    )
    assert "$50.00 for Acme was charged. The purchase could not be saved: another program keeps changing it. To" in str(
        error
    )
    assert len(shop.portal.posts) == 1


def test_a_store_that_always_refuses_to_save_what_may_have_been_sent_leaves_it_open(clock):
    shop = Shop(clock, Rubbish([SENDING], saved=False))
    error = shop.buy().error
    assert (type(error), type(error.last_error)) == (BillingPurchaseUncertain, BillingPurchaseStoreError)
    assert shop.portal.posts == []


def test_a_store_that_refuses_once_the_charge_was_accepted_loses_nothing(clock):
    shop = Shop(clock)
    told = []

    def on_progress(seen):
        told.append(seen)
        shop.store.save = lambda purchase: False

    shop.on_progress = on_progress
    assert (shop.buy().result.status, shop.kept.status) == ("settled", "sending")
    kinds = [type(seen) for seen in told]
    assert kinds == [Purchase, BillingPurchaseStoreError, BillingPurchaseStoreError]


def test_a_purchase_that_is_gone_from_the_store_once_it_was_accepted_is_kept_anew(clock):
    shop = Shop(clock)
    shop.on_progress = lambda seen: shop.store.kept.clear() if seen.status == "sending" else None
    assert shop.buy().result == shop.kept
    assert (shop.kept.status, shop.kept.revision) == ("settled", 2)


def test_what_is_no_store_is_refused(clock):
    with pytest.raises(BillingInvalidRequest) as caught:
        Shop(clock, 5).buying()
    assert caught.value.error == "invalid_store"


@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_a_path_is_a_directory_of_purchases(clock, tmp_path, kind):
    shop = Shop(clock, kind(tmp_path / "purchases"))
    assert shop.buy().result.status == "settled"
    assert len(list((tmp_path / "purchases").rglob("*.json"))) == 1
    again = shop.buy()
    assert (again.result.status, posts(again)) == ("settled", [])


def test_work_of_the_store_is_a_step_of_its_own_so_that_an_event_loop_can_go_on(shop):
    played = shop.buy()
    assert len([step for step in played.steps if isinstance(step, RunBlocking)]) == 4
