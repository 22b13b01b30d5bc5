"""What the caller's own functions raise or return: theirs, and never the portal's word."""

from typing import Any

import pytest

from nous_billing import errors
from nous_billing.errors import BillingError, BillingInvalidRequest, BillingPurchaseUncertain
from tests.unit.drive import FakeClock
from tests.unit.shop import KEY, LOST, PENDING, UNSCOPED, UNSENT, Shop

RAISED = [
    ZeroDivisionError(),
    BillingError("mine"),
    errors.BillingRoleRequired("mine", status=403, error="role_required"),
    errors.BillingIdempotencyConflict("mine", status=409, error="idempotency_conflict"),
    errors.BillingNetworkError("mine", error="network_error"),
    errors.BillingPurchaseStoreError("mine", error="purchase_store_failed"),
    errors.BillingScopeRequired("mine", status=403, error="insufficient_scope"),
    errors.BillingAuthError("mine", status=401, error="invalid_token"),
]
EACH_RAISED = pytest.mark.parametrize("raised", RAISED, ids=lambda raised: type(raised).__name__)


def fails_at(count: int, raised: Exception) -> Any:
    """A function of the caller that raises when it is called for the n-th time, and is False until then."""
    calls = [0]

    def function(*_: object) -> bool:
        calls[0] += 1
        if calls[0] > count:
            raise raised
        return False

    return function


def a_shop() -> Shop:
    shop = Shop(FakeClock())
    shop.portal.posted, shop.portal.polled = [UNSENT, LOST, UNSCOPED], [PENDING, PENDING]
    return shop


@EACH_RAISED
@pytest.mark.parametrize("function", ["cancelled", "on_progress"])
def test_what_a_function_raises_comes_through_whenever_and_says_nothing_of_the_charge(raised, function):
    count = 0
    while True:
        shop = a_shop()
        arguments: dict[str, Any] = {"step_up": lambda: True}
        if function == "cancelled":
            arguments["cancelled"] = fails_at(count, raised)
        else:
            shop.on_progress = fails_at(count, raised)
        try:
            ended = shop.raising(**arguments)
        except type(raised) as error:
            assert error is raised  # noqa: PT017 - it ends in the last round
            kept = shop.store.load(KEY)
            # A purchase that may have been sent is never called not made.
            assert kept or not shop.portal.posts
            assert not (shop.portal.charges and kept[0].status == "not_made")
            shop.on_progress = shop.seen.append
            assert shop.buy(step_up=lambda: True).result.status == "settled"
            assert len(shop.portal.charges) == 1
            count += 1
        else:
            assert ended.status == "settled"
            break
    assert count > 6


@EACH_RAISED
def test_what_a_listener_raises_of_a_saved_refusal_leaves_what_was_saved(shop, raised):
    shop.portal.posted = [UNSCOPED]
    shop.on_progress = fails_at(1, raised)
    with pytest.raises(type(raised)) as caught:
        shop.raising()
    assert (caught.value, shop.kept.status) == (raised, "not_made")


class Awaitable:
    """What an ``async def`` would return; it says whether it was closed, as a coroutine must be."""

    closed = False

    def __await__(self) -> Any:
        raise AssertionError("nobody awaits here")
        yield

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("name", ["cancelled", "on_progress", "step_up"])
def test_a_function_that_must_be_awaited_is_refused_by_its_name_and_nothing_is_charged(shop, name):
    shop.portal.posted = [UNSCOPED]
    answer = Awaitable()
    arguments: dict[str, Any] = {name: lambda *_: answer}
    shop.on_progress = arguments.pop("on_progress", shop.on_progress)
    error = shop.buy(**arguments).error
    assert (type(error), error.error, answer.closed) == (BillingInvalidRequest, f"invalid_{name}", True)
    assert str(error) == (
        f"{name} returned an awaitable, which a BillingClient cannot await. Use AsyncBillingClient, or a plain "
        "function. Nothing more was sent."
    )
    assert (shop.portal.charges, shop.resume().result) == ({}, [])


# As a Future, which has no close().
Future = type("Future", (), {"__await__": Awaitable.__await__})


def test_an_awaitable_that_cannot_be_closed_is_refused_as_any_other(shop):
    shop.on_progress = lambda seen: Future()
    assert (shop.buy().error.error, shop.portal.charges) == ("invalid_on_progress", {})
    vars(shop.store)["load"] = lambda key: Future()
    assert shop.buy().error.error == "invalid_store"


@pytest.mark.parametrize("method", ["load", "save"])
def test_a_store_that_must_be_awaited_is_refused_by_its_name_and_nothing_is_sent(shop, method):
    answer = Awaitable()
    vars(shop.store)[method] = lambda *_: answer
    error = shop.buy().error
    assert (error.error, answer.closed, shop.portal.posts) == ("invalid_store", True, [])


def test_a_listener_that_must_be_awaited_leaves_open_what_is_resumed(shop):
    shop.portal.polled = [PENDING] * 2
    shop.buy(cap=1)
    shop.on_progress = lambda seen: Awaitable()
    shop.portal.polled = [PENDING]
    (error,) = shop.resume().result
    assert (type(error), error.last_error.error, error.charge_id) == (
        BillingPurchaseUncertain,
        "invalid_on_progress",
        "ch_1",
    )
