"""Calls the caller's own functions in a flow. What they raise is never mistaken for an answer of the portal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from .._arguments import discard
from ..errors import BillingError, BillingInvalidRequest
from .exchange import CallUser, Flow

T = TypeVar("T")


class CallerFailed(Exception):
    """A caller's function raised a ``BillingError``. No rule may handle that as an answer of the portal."""

    def __init__(self, error: BillingError) -> None:
        self.error = error


def call_user(name: str, function: Callable[[], object], *, changes_login: bool = False) -> Flow[object]:
    """Call a function that the caller gave as the argument ``name``.

    Raises:
        CallerFailed: It raised a ``BillingError``. Any other exception propagates unchanged.
        BillingInvalidRequest: It returned an awaitable to a ``BillingClient``.
    """
    try:
        answer = yield from CallUser(function, changes_login)
    except BillingError as error:
        failed = CallerFailed(error)
    else:
        refuse_awaitable(name, answer)
        return answer
    raise failed


def is_cancelled(cancelled: Callable[[], object] | None) -> Flow[bool]:
    """Ask the caller's ``cancelled``, if there is one."""
    return cancelled is not None and bool((yield from call_user("cancelled", cancelled)))


def unwrap_caller_errors(flow: Flow[T]) -> Flow[T]:
    """Raise what the caller's function raised, past all rules that handle errors of the portal."""
    try:
        return (yield from flow)
    except CallerFailed as failed:
        error = failed.error
    raise error


def refuse_awaitable(
    name: str, answer: object, *, caller: str = "a BillingClient", instead: str = "AsyncBillingClient"
) -> None:
    """Refuse an awaitable, which ``caller`` cannot await, but ``instead`` can.

    Raises:
        BillingInvalidRequest: ``error`` is ``"invalid_"`` and the name of the argument.
    """
    if isinstance(answer, Awaitable):
        discard(cast("object", answer))
        raise BillingInvalidRequest(
            f"{name} returned an awaitable, which {caller} cannot await. Use {instead}, or a plain function. Nothing "
            "more was sent.",
            error=f"invalid_{name}",
        )
