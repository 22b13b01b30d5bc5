"""A purchase that its caller stops."""

from dataclasses import replace

import pytest

from nous_billing import errors
from nous_billing.errors import (
    BillingPurchaseCancelled,
    BillingPurchaseUncertain,
)
from tests.unit.shop import (
    ACCEPTED,
    DROPPED,
    KEY,
    LOST,
    PENDING,
    REJECTED,
    UNSENT,
    Shop,
    kinds,
    posts,
)


def test_a_purchase_cancelled_before_it_began_sends_nothing(shop):
    played = shop.buy(cancelled=lambda: True)
    assert kinds(played) == ["RunBlocking"] * 2
    assert (type(played.error), played.error.error) == (BillingPurchaseCancelled, "purchase_cancelled")
    assert str(played.error) == "The purchase was cancelled. Nothing was charged."
    assert shop.store.history == []


@pytest.mark.parametrize("status", ["pending", "settled", "failed"])
@pytest.mark.parametrize("asked", [1, 2], ids=["before", "after it said that it sends"])
def test_who_cancels_what_another_call_has_charged_meanwhile_is_not_told_that_nothing_was(shop, status, asked):
    questions = iter(range(1, 9))

    def cancelled():
        if next(questions) < asked:
            return False
        # Both calls have read the store before.
        shop.store.kept[KEY] = replace(ACCEPTED, status=status, revision=5)
        return True

    error = shop.buy(cancelled=cancelled).error
    assert (type(error), error.charge_id, error.outcome_unknown) == (BillingPurchaseUncertain, "ch_1", True)
    assert "Nothing was charged" not in f"{error} {error.last_error}"
    assert (type(error.last_error), shop.kept.status, shop.portal.posts) == (BillingPurchaseCancelled, status, [])


@pytest.mark.parametrize(("down", "open_question"), [(UNSENT, False), (DROPPED, True)])
@pytest.mark.parametrize("moment", [0.0, 0.1, 0.9, 1.0, 2.2])
def test_a_cancellation_between_two_posts_is_noticed_and_tells_whether_a_charge_may_have_been_made(
    shop, moment, down, open_question
):
    shop.portal.posted = [down] * 4
    played = shop.buy(cancelled=lambda: bool(shop.portal.posts) and shop.clock.passed >= moment)
    assert moment <= shop.clock.passed <= moment + 0.25
    if open_question:
        assert type(played.error) is BillingPurchaseUncertain
        assert type(played.error.last_error) is BillingPurchaseCancelled
        assert "Nothing was charged" not in str(played.error)
        assert str(played.error.last_error) == "The purchase was cancelled."
        assert shop.kept.status == "sending"
    else:
        assert type(played.error) is BillingPurchaseCancelled
        assert shop.kept.status == "not_made"


def test_a_cancellation_at_every_moment_leaves_no_charge_that_nobody_knows_of(clock):
    asked = [0]
    ends = []
    for at in range(60):
        shop = Shop(clock)
        shop.portal.posted = [UNSENT, LOST]
        shop.portal.polled = [PENDING] * 2
        asked[0] = 0

        def cancelled(at=at):
            asked[0] += 1
            return asked[0] > at

        played = shop.buy(cancelled=cancelled, interval=0.5)
        if played.caught is None:
            ends.append("settled")
            break
        ends.append(type(played.error))
        assert (type(played.error) is BillingPurchaseUncertain) is bool(shop.portal.charges)
        assert len(shop.portal.charges) <= 1
        again = shop.buy()
        assert (again.result.status, len(shop.portal.charges)) == ("settled", 1)
    assert ends[0] is BillingPurchaseCancelled
    assert BillingPurchaseUncertain in ends
    assert ends[-1] == "settled"


def test_a_charge_cancelled_while_waiting_stays_open(shop):
    shop.portal.polled = [PENDING] * 9
    error = shop.buy(cancelled=lambda: shop.clock.passed >= 3).error
    assert (type(error), error.charge_id, type(error.last_error)) == (
        BillingPurchaseUncertain,
        "ch_1",
        errors.BillingChargeCancelled,
    )
    assert shop.kept.status == "pending"


def test_a_cancellation_is_noticed_once_more_just_before_the_post(shop):
    played = shop.buy(cancelled=lambda: bool(shop.store.history))
    assert type(played.error) is BillingPurchaseCancelled
    assert "Nothing was charged" in str(played.error)
    assert (posts(played), shop.store.statuses) == ([], ["sending", "not_made"])


def test_a_cancellation_while_a_new_token_is_fetched_sends_no_second_post(shop):
    shop.portal.posted = [REJECTED]
    played = shop.buy(cancelled=lambda: shop.token == "token-2")
    assert (type(played.error), len(shop.portal.posts)) == (BillingPurchaseCancelled, 1)
    assert shop.kept.status == "not_made"
