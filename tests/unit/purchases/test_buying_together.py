"""Two calls at one purchase, in every order of their steps that matters, on one store and one fake portal."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations_with_replacement, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nous_billing.credentials import Credentials
from nous_billing.errors import (
    BillingError,
    BillingIdempotencyConflict,
    BillingNoPaymentMethod,
    BillingPurchaseCancelled,
    BillingPurchaseStoreError,
    BillingPurchaseUncertain,
)
from nous_billing.protocol.exchange import Resolve, RunBlocking, Send, Sleep
from nous_billing.purchases.purchase import Purchase
from tests.unit.drive import PREVIEW, FakeClock, reply
from tests.unit.shop import DECLINED, DROPPED, LOST, SENDING, UNSENT, Shelf, Shop, advance

REFUSED = reply(403, {"error": "no_payment_method"})
OUTCOMES = {"accepted": "accepted", "made": LOST, "dropped": DROPPED, "unsent": UNSENT, "refused": REFUSED}


class Careful(Shelf):
    """A store that says when a save breaks a rule."""

    def __init__(self) -> None:
        super().__init__()
        self.shop: Any = None

    def save(self, purchase: Purchase) -> bool:
        before = self.kept.get(purchase.key)
        saved = super().save(purchase)
        if saved:
            made = any(key == purchase.key for _, key in self.shop.portal.charges)
            assert not (made and purchase.status == "not_made"), "what has a charge was called not made"
            if before is not None:
                assert before.charge_id in (None, purchase.charge_id), "a charge was forgotten"
                assert before.amount_usd == purchase.amount_usd
                places = {(each.portal_base_url, each.organisation_id) for each in (before, purchase)}
                assert before.status == "not_made" or len(places) == 1, "it moved"
                ended = before.status in ("settled", "failed")
                assert not ended or before.status == purchase.status, "what had ended went back"
        return saved


class Call:
    """One call, which stands before its next step that another call could notice: the store's work, or a post."""

    def __init__(self, shop: Shop, posted: list[Any], amount: str = "50", token: str = "token-1") -> None:
        self.shop = shop
        self.posted = list(posted)
        self.token = token
        self.result: Purchase | None = None
        self.error: BillingError | None = None
        self.made = False
        self._flow = shop.buying(amount).buy()
        self._step: Any = None
        self._go_on(None)

    @property
    def running(self) -> bool:
        return self._step is not None

    def step(self) -> None:
        step = self._step
        if isinstance(step, RunBlocking):
            return self._go_on(self.shop.answer(step))
        self.shop.portal.posted = [self.posted.pop(0)] if self.posted else []
        answer = self.shop.portal.send(step)
        self.made = True
        return self._go_on(answer)

    def _go_on(self, value: Any) -> None:
        try:
            step = next(self._flow) if self._step is None else advance(self._flow, value)
            while not (isinstance(step, RunBlocking) or (isinstance(step, Send) and step.operation.moves_money)):
                if isinstance(step, Resolve):
                    step = self._flow.send(Credentials(self.token, PREVIEW))
                else:
                    step = advance(self._flow, self.shop.answer(step))
            self._step = step
        except StopIteration as end:
            self.result, self._step = end.value, None
        except BillingError as error:
            self.error, self._step = error, None


def a_shop() -> Shop:
    shop = Shop(FakeClock(), Careful())
    shop.store.shop = shop
    shop.on_progress = check_told
    return shop


def check_told(seen: Purchase | BillingError) -> None:
    # Of one request: the other call may be charging.
    assert not (isinstance(seen, BillingError) and "Nothing was" in str(seen)), seen


def orders(begin: Any, switches: int = 2) -> Iterator[tuple[Shop, list[Call]]]:
    """Run two calls in every order of their steps in which one is put aside for the other at most so often."""
    left: list[list[int]] = [[], [1]]
    while left:
        taken = left.pop()
        shop, calls = begin()
        for turn in taken:
            calls[turn].step()
        turn, switched = taken[-1] if taken else 0, sum(a != b for a, b in pairwise(taken))
        while any(call.running for call in calls):
            if not calls[turn].running:
                turn = 1 - turn
            elif calls[1 - turn].running and switched < switches and taken:
                left.append([*taken, 1 - turn])
            calls[turn].step()
            taken.append(turn)
        yield shop, calls


def check_ends(shop: Shop, calls: list[Call]) -> None:
    """What each caller was told is so, and a later call knows how it ended."""
    made = bool(shop.portal.charges)
    for call in calls:
        assert call.result is None or (made and call.result.status in ("settled", "failed"))
    assert len({call.result.charge_id for call in calls if call.result}) <= 1
    if any(isinstance(call.error, BillingPurchaseUncertain) and call.error.charge_id for call in calls):
        assert made
    shop.portal.posted, shop.portal.polled = [], []
    again = shop.buy()
    assert again.caught is None
    assert again.result.status in ("settled", "failed")
    assert shop.kept == again.result
    assert len(shop.portal.charges) == 1


@pytest.mark.parametrize(("first", "second"), list(combinations_with_replacement(OUTCOMES, 2)))
def test_two_calls_charge_once_and_the_store_never_loses_it_in_any_order_of_their_steps(first, second):
    def begin():
        shop = a_shop()
        return shop, [Call(shop, [OUTCOMES[first]]), Call(shop, [OUTCOMES[second]])]

    count = 0
    for shop, calls in orders(begin, 2):
        check_ends(shop, calls)
        count += 1
    assert count >= 15


@pytest.mark.parametrize("found", ["sending", "not_made"])
@pytest.mark.parametrize(("first", "second"), list(combinations_with_replacement(["accepted", "made", "refused"], 2)))
def test_two_calls_that_go_on_with_one_purchase_charge_once_in_any_order(found, first, second):
    def begin():
        shop = a_shop()
        shop.portal.posted = [DROPPED] * 4 if found == "sending" else [REFUSED]
        shop.buy()
        return shop, [Call(shop, [OUTCOMES[first]]), Call(shop, [OUTCOMES[second]])]

    for shop, calls in orders(begin, 2):
        check_ends(shop, calls)


def test_a_call_whose_refusal_says_that_nothing_was_charged_is_right_in_any_order():
    def begin():
        shop = a_shop()
        return shop, [Call(shop, [REFUSED]), Call(shop, ["accepted"])]

    told = set()
    for shop, (refused, accepted) in orders(begin):
        told.add(type(refused.error or refused.result))
        if not isinstance(refused.error or refused.result, (BillingPurchaseUncertain, Purchase)):
            statuses = shop.store.statuses
            assert statuses.index("not_made") < statuses.index("pending")
        assert accepted.error is None
    assert told == {BillingNoPaymentMethod, BillingPurchaseUncertain, Purchase}


@pytest.mark.parametrize("outcome", ["accepted", "made", "refused"])
def test_two_calls_with_two_amounts_are_a_conflict_for_one_before_it_sends_anything(outcome):
    def begin():
        shop = a_shop()
        return shop, [Call(shop, [OUTCOMES[outcome]], "50"), Call(shop, [OUTCOMES[outcome]], "60")]

    for shop, calls in orders(begin):
        losers = [call for call in calls if isinstance(call.error, BillingIdempotencyConflict)]
        assert len(losers) == 1
        assert not losers[0].made
        assert len({body for _, body in shop.portal.posts}) == 1


@pytest.mark.parametrize("outcome", ["accepted", "made", "refused"])
def test_two_calls_in_two_organisations_never_charge_both_in_any_order(outcome):
    def begin():
        shop = a_shop()
        calls = [Call(shop, [OUTCOMES[outcome]]), Call(shop, [OUTCOMES[outcome]], token="elsewhere")]
        return shop, calls

    for shop, calls in orders(begin):
        losers = [call for call in calls if not call.made]
        assert len(losers) == 1
        error: Any = losers[0].error
        while error is not None and error.error != "wrong_organisation":
            error = error.last_error
        assert error is not None
        assert len(shop.portal.charges) == (outcome != "refused")


def test_a_charge_that_failed_stays_failed_in_any_order():
    def begin():
        shop = a_shop()
        shop.portal.polled = [DECLINED, DECLINED]
        return shop, [Call(shop, ["accepted"]), Call(shop, ["made"])]

    for shop, calls in orders(begin):
        assert {call.result.status for call in calls if call.result} == {"failed"}
        assert shop.kept.status == "failed"


def test_what_another_call_had_accepted_meanwhile_is_polled_and_not_posted():
    shop = a_shop()
    late = Call(shop, [])
    late.step()
    assert shop.buy().result.status == "settled"
    while late.running:
        late.step()
    assert (late.result, late.made, len(shop.portal.posts)) == (shop.kept, False, 1)


def test_what_another_call_is_polling_is_polled_and_not_posted():
    shop = a_shop()
    late, early = Call(shop, []), Call(shop, [])
    late.step()
    for _ in range(4):
        early.step()
    assert shop.kept.status == "pending"
    while late.running:
        late.step()
    assert (late.made, shop.kept.status, late.result) == (False, "settled", shop.kept)
    while early.running:
        early.step()
    assert (early.result.status, early.result.charge_id) == ("settled", "ch_1")


@settings(max_examples=50, deadline=None)
@given(
    outcomes=st.lists(st.lists(st.sampled_from(sorted(OUTCOMES)), max_size=5), min_size=3, max_size=3),
    turns=st.lists(st.integers(0, 2), max_size=60),
    killed=st.lists(st.integers(0, 30), max_size=2),
)
def test_three_calls_of_which_some_are_killed_charge_once(outcomes, turns, killed):
    shop = a_shop()
    calls = [Call(shop, [OUTCOMES[name] for name in names]) for names in outcomes]
    for number, turn in enumerate(turns):
        if number in killed:
            calls[turn] = Call(shop, [])
        elif calls[turn].running:
            calls[turn].step()
    for call in calls:
        while call.running:
            call.step()
    check_ends(shop, calls)


# Waiting for another call


def test_many_presses_at_once_cost_one_post():
    shop = a_shop()
    calls = [Call(shop, []) for _ in range(20)]
    while any(call.running for call in calls):
        for call in calls:
            if call.running:
                call.step()
    assert {(call.result.status, call.result.charge_id) for call in calls if call.result} == {("settled", "ch_1")}
    assert [call.made for call in calls].count(True) == len(shop.portal.posts) == 1


def test_many_presses_of_which_the_first_died_as_it_sent_cost_one_post_more():
    shop = a_shop()
    dead = Call(shop, [])
    while not dead.made:
        dead.step()
    shop.clock.sleep(1)
    calls = [Call(shop, []) for _ in range(20)]
    while any(call.running for call in calls):
        for call in calls:
            if call.running:
                call.step()
    assert {call.result.status for call in calls if call.result} == {"settled"}
    assert len(shop.portal.posts) == 2


def sleeps(played):
    return [step.seconds for step in played.steps if isinstance(step, Sleep)]


def test_who_finds_a_purchase_that_is_sent_looks_into_the_store_for_three_seconds_before_it_posts():
    shop = Shop(FakeClock(), Shelf(SENDING))
    assert sleeps(shop.buy()) == [0.25, 0.5, 1, 1, 1]
    assert len(shop.portal.posts) == 1


def test_who_waits_for_another_call_can_be_stopped():
    shop = Shop(FakeClock(), Shelf(SENDING))
    error = shop.buy(cancelled=lambda: shop.clock.passed >= 0.7).error
    assert (type(error.last_error), shop.clock.passed, shop.portal.posts) == (BillingPurchaseCancelled, 0.75, [])


def test_who_waits_begins_anew_with_each_word_of_another_call_and_ends_with_the_time_of_one_request():
    shop = Shop(FakeClock(), Shelf(SENDING))
    load = shop.store.load

    def busy(key=None):
        (found,) = load(key)
        shop.store.kept[key] = replace(found, revision=found.revision + 1)
        return [found]

    shop.store.load = busy
    played = shop.buy()
    assert 15 <= sum(sleeps(played)) < 16.5
    assert type(played.error.last_error) is BillingPurchaseStoreError
    assert "another program keeps changing it" in str(played.error)


def test_who_waits_goes_on_though_the_store_cannot_be_read_meanwhile():
    shop = Shop(FakeClock(), Shelf(SENDING))
    load, count = shop.store.load, [0]

    def failing(key=None):
        count[0] += 1
        if count[0] == 2:
            raise OSError
        return load(key)

    shop.store.load = failing
    assert (shop.buy().result.status, count[0] > 2) == ("settled", True)


def test_a_purchase_that_another_call_gives_up_meanwhile_is_made_and_refused_as_a_new_one():
    for refused in (False, True):
        shop = Shop(FakeClock(), Shelf(SENDING))
        shop.portal.posted = [REFUSED] if refused else []
        played = shop.run(giving_up(shop, shop.buying().buy()))
        if refused:
            assert (type(played.error), shop.kept.status) == (BillingNoPaymentMethod, "not_made")
        else:
            assert (played.result.status, played.result.started_at > SENDING.started_at) == ("settled", True)


def giving_up(shop: Shop, flow: Any) -> Any:
    """Another call, which had said that it sends, says that nothing was made before the first look."""
    step = next(flow)
    while True:
        if isinstance(step, Sleep) and shop.kept.status == "sending":
            shop.store.save(replace(SENDING, status="not_made", revision=2))
        try:
            step = flow.send((yield step))
        except StopIteration as end:
            return end.value
