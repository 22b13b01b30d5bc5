"""A store that machines share: what one call works on, another neither polls nor reports as uncertain."""

from dataclasses import replace
from decimal import Decimal

import pytest

from nous_billing._arguments import kind_of
from nous_billing.errors import (
    BillingIdempotencyConflict,
    BillingPurchaseCancelled,
    BillingPurchaseStoreError,
    BillingPurchaseUncertain,
)
from nous_billing.protocol.exchange import CallUser, Send, Sleep
from tests.unit.drive import reply
from tests.unit.shop import ACCEPTED, DROPPED, KEY, PENDING, SENDING, Shelf, Shop, posts

SETTLED = replace(ACCEPTED, status="settled", revision=3)
# The longest pause between two polls, the timeout of a request, and time to spare.
LEASE_SECONDS = 30 + 15 + 15


class LeasingShelf(Shelf):
    """A store with leases, by the clock of the test."""

    def __init__(self, clock, *purchases):
        super().__init__(*purchases)
        self.clock = clock
        self.leases = {}
        self.asked = []
        self.fails = False

    def save(self, purchase, *, lease=None):
        saved = super().save(purchase)
        if saved and purchase.has_ended:
            self.leases.pop(purchase.key, None)
        elif saved:
            self._give(purchase.key, lease)
        return saved

    def acquire_lease(self, key, lease):
        self.asked.append(round(self.clock.passed))
        if self.fails:
            raise OSError(5, "Input/output error")
        kept = self.kept.get(key)
        if kept is None or kept.has_ended or self.holder(key) not in (None, lease.holder):
            return False
        self._give(key, lease)
        return True

    def release_lease(self, key, holder):
        if self.holder(key) == holder:
            del self.leases[key]

    def holder(self, key=KEY):
        holder, until = self.leases.get(key, (None, 0.0))
        return holder if until > self.clock.passed else None

    def _give(self, key, lease):
        self.leases[key] = lease.holder, self.clock.passed + lease.seconds


@pytest.fixture
def shop(clock):
    shop = Shop(clock, LeasingShelf(clock))
    shop.portal.charges["org_1", "earlier"] = ("ch_1", b"")
    return shop


def put(shop, *purchases, held_until=None):
    """What is in the store, and until when another machine has it in its hands."""
    shop.store.kept = {purchase.key: purchase for purchase in purchases}
    if held_until is not None:
        shop.store.leases = {purchase.key: ("another machine", held_until) for purchase in purchases}


def polls(played):
    return [step for step in played.sent if "/charge/" in step.operation.path]


def later(shop, seconds, happens):
    """Let something happen elsewhere while a call sleeps."""
    left = [happens]

    def answer(step):
        if left and shop.clock.passed >= seconds:
            left.pop()()
        return original(step)

    original, shop.answer = shop.answer, answer


class TestWhileACallWorks:
    @pytest.mark.parametrize("call", ["buy", "begin"])
    def test_it_has_the_lease_from_before_the_charge_is_sent(self, shop, call):
        holders = set()

        def answer(step):
            if isinstance(step, Send) and step.operation.method == "POST":
                holders.add(shop.store.holder())
            return original(step)

        original, shop.answer = shop.answer, answer
        shop.run(getattr(shop.buying(), call)())
        assert len(holders - {None}) == len(holders) == 1

    @pytest.mark.parametrize(
        ("posted", "polled", "raises"),
        [([], [], False), ([DROPPED] * 9, [], True), ([], [PENDING] * 99, True), ([reply(429)], [], True)],
    )
    def test_at_its_end_it_lets_go(self, shop, posted, polled, raises):
        shop.portal.posted, shop.portal.polled = posted, polled
        played = shop.buy(cap=20.0)
        assert (played.caught is not None, shop.store.leases) == (raises, {})

    def test_a_call_whose_own_listener_raises_lets_go(self, shop):
        shop.on_progress = self.raise_its_own
        assert shop.buy().error.error == "mine"
        assert shop.store.leases == {}

    @staticmethod
    def raise_its_own(progress):
        raise BillingPurchaseCancelled("mine", error="mine")

    def test_begun_and_accepted_it_is_free_for_the_next(self, shop):
        assert shop.run(shop.buying().begin()).result.status == "pending"
        assert shop.store.leases == {}

    def test_the_lease_outlives_the_longest_pause_and_is_renewed_in_good_time(self, shop):
        limited = reply(429, {"error": "rate_limited"}, {"retry-after": "30"})
        shop.portal.polled = [PENDING] * 4 + [limited] * 5
        free = []

        def answer(step):
            free.append(shop.store.holder() is None and bool(shop.store.kept) and not shop.kept.has_ended)
            return original(step)

        original, shop.answer = shop.answer, answer
        assert shop.buy().result.status == "settled"
        assert shop.clock.passed > 2 * LEASE_SECONDS
        assert not any(free[:-1])
        # Not with each poll, nor right after a save: four polls came in the first eight seconds.
        assert shop.store.asked[:3] == [38, 68, 98]

    def test_it_is_renewed_while_the_charge_is_sent_again_and_again(self, shop):
        shop.portal.posted = [DROPPED] * 3
        free = []

        def answer(step):
            if isinstance(step, Send) and step.operation.method == "POST":
                # Each reply takes nearly as long as it may.
                shop.clock.passed += 14
            free.append(shop.store.holder() is None and bool(shop.store.kept) and not shop.kept.has_ended)
            return original(step)

        original, shop.answer = shop.answer, answer
        shop.buy()
        assert shop.clock.passed > LEASE_SECONDS
        assert not any(free[:-1])


class TestOfTheSameKey:
    @pytest.mark.parametrize("ended", [SETTLED, replace(SETTLED, status="failed", reason="card_declined")])
    def test_what_another_machine_polls_is_read_from_the_store(self, shop, ended):
        put(shop, ACCEPTED, held_until=10**6)
        later(shop, 5, lambda: shop.store.save(ended))
        played = shop.buy()
        assert (played.result, polls(played), posts(played)) == (ended, [], [])
        assert [step.operation.path for step in played.sent] == ["/api/billing/state"]

    def test_what_a_dead_machine_had_is_polled_once_its_lease_is_over(self, shop):
        put(shop, ACCEPTED, held_until=9)
        played = shop.buy()
        assert (played.result.status, len(polls(played)), round(shop.clock.passed)) == ("settled", 1, 10)

    def test_what_somebody_has_removed_from_the_store_is_polled(self, shop):
        put(shop, ACCEPTED, held_until=10**6)
        later(shop, 5, shop.store.kept.clear)
        assert shop.buy().result.status == "settled"

    @pytest.mark.parametrize("way", [{"cap": 9.0}, {"cancelled": lambda: True}])
    def test_who_waits_no_longer_is_told_that_it_is_not_known(self, shop, way):
        put(shop, ACCEPTED, held_until=10**6)
        played = shop.buy(**way)
        assert (type(played.error), played.error.charge_id, polls(played)) == (BillingPurchaseUncertain, "ch_1", [])
        assert shop.store.holder() == "another machine"

    def test_a_store_that_lags_behind_takes_no_charge_back(self, shop):
        put(shop, ACCEPTED, held_until=100)
        later(shop, 1, lambda: vars(shop.store).update(load=lambda key: [SENDING]))
        played = shop.buy()
        assert (played.result.status, played.result.charge_id) == ("settled", "ch_1")
        assert {step.operation.path for step in polls(played)} == {"/api/billing/charge/ch_1"}

    def test_a_lease_never_keeps_anybody_from_buying(self, shop):
        put(shop, SENDING, held_until=10**6)
        assert shop.buy().result.status == "settled"
        assert len(shop.portal.posts) == 1

    def test_a_check_leaves_the_poll_to_the_other_and_gives_what_is_known(self, shop):
        put(shop, ACCEPTED, held_until=10)
        played = shop.run(shop.client._checking(KEY, shop.store))
        assert (played.result, polls(played), shop.store.holder()) == (ACCEPTED, [], "another machine")

    def test_a_check_lets_go_of_what_is_still_pending(self, shop):
        put(shop, ACCEPTED)
        shop.portal.polled = [PENDING]
        assert shop.run(shop.client._checking(KEY, shop.store)).result == ACCEPTED
        assert shop.store.leases == {}


class TestResume:
    def resume(self, shop, **options):
        return shop.resume(**options).result

    @pytest.mark.parametrize("found", [SENDING, ACCEPTED])
    def test_what_another_machine_works_on_is_neither_handed_back_nor_polled(self, shop, found):
        put(shop, found, held_until=10**6)
        played = shop.resume()
        assert (played.result, played.sent) == ([], [])

    @pytest.mark.parametrize("found", [SENDING, ACCEPTED])
    def test_what_a_dead_machine_had_is_resumed(self, shop, found):
        put(shop, found, held_until=0)
        (outcome,) = self.resume(shop)
        assert isinstance(outcome, BillingPurchaseUncertain) is (found is SENDING)
        assert shop.store.leases == {}

    def test_two_machines_share_the_work_and_each_purchase_is_handed_back_once(self, shop):
        put(shop, *(replace(ACCEPTED, key=f"key-{number}") for number in range(5)))
        second = Shop(shop.clock, shop.store)
        second.portal = shop.portal
        # The second runs whenever the first has asked for something.
        theirs: list = []

        def answer(step):
            if isinstance(step, Send) and not theirs:
                theirs.extend(second.resume().result)
            return original(step)

        original, shop.answer = shop.answer, answer
        ours = self.resume(shop)
        assert sorted(outcome.key for outcome in [*ours, *theirs]) == [f"key-{number}" for number in range(5)]
        assert {outcome.status for outcome in [*ours, *theirs]} == {"settled"}

    def test_what_ended_elsewhere_since_it_was_loaded_is_not_called_unknown(self, shop):
        put(shop, SENDING)
        acquire = shop.store.acquire_lease

        def acquire_late(key, lease):
            acquired = acquire(key, lease)
            shop.store.kept[key] = replace(SENDING, status="not_made", revision=2)
            return acquired

        vars(shop.store)["acquire_lease"] = acquire_late
        assert self.resume(shop) == []

    def test_what_became_another_purchase_since_it_was_loaded_keeps_back_no_other(self, shop):
        put(shop, SENDING, replace(ACCEPTED, key="key-2"))
        acquire = shop.store.acquire_lease

        def acquire_late(key, lease):
            if key == KEY:
                shop.store.kept[key] = replace(SENDING, amount_usd=Decimal(70), revision=5)
            return acquire(key, lease)

        vars(shop.store)["acquire_lease"] = acquire_late
        first, second = self.resume(shop)
        assert (type(first), type(first.last_error)) == (BillingPurchaseUncertain, BillingIdempotencyConflict)
        assert "already used for another amount" in str(first)
        assert not any(said in str(first) for said in ("HTTP 409", "Nothing more was charged"))
        assert (second.key, second.status, shop.store.leases) == ("key-2", "settled", {})

    def test_what_cannot_be_read_again_is_handed_back_and_let_go(self, shop):
        put(shop, ACCEPTED)
        load = shop.store.load
        vars(shop.store)["load"] = lambda key=None: 1 / 0 if key else load()
        (outcome,) = self.resume(shop)
        assert (type(outcome), shop.store.leases) == (BillingPurchaseStoreError, {})

    def test_a_store_whose_leases_fail_is_handed_back_and_not_raised(self, shop):
        put(shop, ACCEPTED)
        shop.store.fails = True
        (outcome,) = self.resume(shop)
        assert (type(outcome), outcome.outcome_unknown) == (BillingPurchaseStoreError, True)
        assert "Input/output error" in str(outcome)


class TestAStoreThatFails:
    def test_a_lease_that_cannot_be_had_keeps_nobody_from_finding_out(self, shop):
        put(shop, ACCEPTED)
        shop.store.fails = True
        assert shop.buy().result.status == "settled"

    def test_one_that_cannot_be_renewed_or_released_does_no_harm(self, shop):
        shop.portal.polled = [PENDING] * 40
        shop.store.fails = True
        vars(shop.store)["release_lease"] = lambda key, holder: 1 / 0
        assert type(shop.buy(cap=50.0).error) is BillingPurchaseUncertain

    def test_one_that_cannot_be_read_while_another_polls_is_read_again(self, shop):
        put(shop, ACCEPTED, held_until=5)
        load = shop.store.load
        vars(shop.store)["load"] = lambda key=None: load(key) if shop.clock.passed == 0 else 1 / 0
        assert shop.buy().result.status == "settled"

    @pytest.mark.parametrize("answer", [None, 1])
    def test_what_is_no_answer_is_refused(self, shop, answer):
        put(shop, ACCEPTED)
        vars(shop.store)["acquire_lease"] = lambda key, lease: answer
        (outcome,) = shop.resume().result
        assert f"acquire_lease() returned {kind_of(answer)} instead of True or False" in str(outcome)


def test_a_store_without_leases_is_asked_for_none(shop):
    shop.store = Shelf(ACCEPTED)
    played = shop.buy()
    assert played.result.status == "settled"
    assert not [step for step in played.steps if isinstance(step, Sleep)]
    assert len([step for step in played.steps if not isinstance(step, CallUser)]) == 5
