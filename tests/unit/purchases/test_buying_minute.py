"""A charge is not sent long after a person confirmed it: the minute, by two clocks."""

from typing import Any

import pytest

from nous_billing import errors
from nous_billing.errors import (
    BillingError,
    BillingPurchaseUncertain,
)
from nous_billing.protocol.exchange import Send, Sleep
from tests.unit.shop import (
    DROPPED,
    PENDING,
    UNSCOPED,
    UNSENT,
    Shop,
    posts,
)


class Slow:
    """A portal that takes so long to answer each state and each post, in order; then no time at all."""

    def __init__(self, shop: Shop, *, states: Any = (), posted: Any = (), asleep: bool = False) -> None:
        self.begun: list[float] = []
        send, took = shop.portal.send, {True: list(posted), False: list(states)}

        def slow(step: Send) -> Any:
            charge = step.operation.moves_money
            if charge:
                self.begun.append(shop.clock.passed + shop.clock.jumped)
            answer = send(step)
            if took[charge]:
                seconds = took[charge].pop(0)
                if asleep:
                    shop.clock.jumped += seconds
                else:
                    shop.clock.passed += seconds
            return answer

        shop.portal.send = slow  # type: ignore[method-assign]


ASLEEP = pytest.mark.parametrize("asleep", [False, True], ids=["awake", "asleep"])


@ASLEEP
@pytest.mark.parametrize(("first", "posted"), [(50, 2), (58.5, 2), (59, 1), (300, 1)])
def test_a_repetition_begins_at_most_sixty_seconds_after_the_call(shop, asleep, first, posted):
    shop.portal.posted = [DROPPED]
    slow = Slow(shop, posted=[first], asleep=asleep)
    played = shop.buy()
    assert slow.begun == [0, first + 1][:posted]
    assert (type(played.caught) is BillingPurchaseUncertain) is (posted == 1)
    # Nobody waits for a repetition that would come too late.
    assert any(isinstance(step, Sleep) for step in played.steps) is (posted == 2)


def test_the_minute_is_that_of_the_call_and_not_that_of_the_last_post(shop):
    shop.portal.posted = [DROPPED] * 5
    slow = Slow(shop, posted=[30] * 5)
    assert type(shop.buy().error) is BillingPurchaseUncertain
    # The third would begin at 64.
    assert slow.begun == [0, 31]


@pytest.mark.parametrize("cancellable", [True, False])
@pytest.mark.parametrize("sleeping", ["passed", "jumped"])
@pytest.mark.parametrize(
    ("before", "error"), [(DROPPED, BillingPurchaseUncertain), (UNSENT, errors.BillingNetworkError)]
)
def test_a_laptop_that_slept_for_an_hour_between_two_posts_makes_no_second_one(
    shop, before, error, sleeping, cancellable
):
    shop.portal.posted = [before]

    def answer(step):
        if isinstance(step, Sleep):
            setattr(shop.clock, sleeping, getattr(shop.clock, sleeping) + 3600)
        return original(step)

    original, shop.answer = shop.answer, answer
    played = shop.buy(cancelled=(lambda: False) if cancellable else None)
    assert len(shop.portal.posts) == 1
    assert type(played.error) is error
    assert ("Nothing was charged" in str(played.error)) is (before is UNSENT)
    assert shop.kept.status == ("not_made" if before is UNSENT else "sending")


@ASLEEP
@pytest.mark.parametrize(("took", "posted"), [(59.5, 1), (60, 0), (3600, 0)])
def test_no_post_leaves_later_than_a_minute_after_the_call(shop, asleep, took, posted):
    slow = Slow(shop, states=[took], asleep=asleep)
    played = shop.buy()
    assert len(slow.begun) == len(shop.portal.posts) == posted
    if not posted:
        assert (type(played.error), played.error.error) == (errors.BillingTimeout, "network_error")
        assert str(played.error).endswith("Nothing was sent.")
        assert shop.kept.status == "not_made"


@ASLEEP
@pytest.mark.parametrize(("first", "seconds"), [(0, 15), (43.5, 15), (45, 14), (58.5, 0.5)])
def test_the_time_of_a_post_ends_with_the_minute(shop, asleep, first, seconds):
    shop.portal.posted = [DROPPED]
    Slow(shop, posted=[first], asleep=asleep)
    _, last = posts(shop.buy())
    assert last.deadline - 1000 - 1 - (0 if asleep else first) == seconds


def test_the_saving_before_a_post_is_a_part_of_the_minute(shop):
    save = shop.store.save

    def slow(purchase):
        shop.clock.jumped += 100
        return save(purchase)

    shop.store.save = slow
    played = shop.buy()
    assert (type(played.error), shop.portal.posts) == (errors.BillingTimeout, [])
    assert shop.store.statuses == ["sending", "not_made"]


def test_a_post_that_comes_too_late_after_a_lost_reply_leaves_the_purchase_uncertain(shop):
    shop.portal.posted = [DROPPED]
    # A new token for the repetition, whose state is asked for first.
    shop.on_progress = lambda seen: setattr(shop, "token", "token-2") if isinstance(seen, BillingError) else None
    Slow(shop, states=[0, 80])
    error = shop.buy().error
    assert (type(error), type(error.last_error)) == (BillingPurchaseUncertain, errors.BillingTimeout)
    assert "Nothing was sent" not in str(error)
    assert (len(shop.portal.posts), shop.kept.status) == (1, "sending")


@pytest.mark.parametrize("sleeping", ["passed", "jumped"])
def test_the_minute_begins_anew_where_a_person_has_just_granted_the_scope(shop, sleeping):
    shop.portal.posted = [UNSCOPED, DROPPED]

    def step_up():
        setattr(shop.clock, sleeping, 3600)
        return True

    assert shop.buy(step_up=step_up).result.status == "settled"
    assert len(shop.portal.posts) == 3


def test_a_date_that_goes_back_changes_nothing(shop):
    shop.portal.posted = [DROPPED] * 4
    slow = Slow(shop, posted=[-86400.0, -1e6], asleep=True)
    assert type(shop.buy().error) is BillingPurchaseUncertain
    assert (len(slow.begun), shop.clock.passed) == (4, 13)


def test_a_date_that_jumps_while_waiting_changes_nothing(shop):
    shop.portal.polled = [PENDING] * 5
    jumps = iter([1e6, -1e6] * 3)

    def answer(step):
        if isinstance(step, Sleep):
            shop.clock.jumped += next(jumps)
        return original(step)

    original, shop.answer = shop.answer, answer
    assert shop.buy().result.status == "settled"
    assert shop.clock.passed == 10


def test_a_laptop_that_slept_for_an_hour_while_waiting_polls_once_more_and_then_knows(shop):
    shop.portal.polled = [PENDING]

    def answer(step):
        return shop.clock.sleep(3600) if isinstance(step, Sleep) else original(step)

    original, shop.answer = shop.answer, answer
    played = shop.buy()
    assert played.result.status == "settled"
    assert (shop.clock.passed, len(shop.portal.posts)) == (3600, 1)
