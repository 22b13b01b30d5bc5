"""The rules of waiting for a charge, without I/O."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ..clock import BaseClock
from ..errors import (
    BillingChargeCancelled,
    BillingChargeTimeout,
    BillingChargeUnconfirmed,
    BillingError,
    BillingLoginNotSaved,
    BillingNetworkError,
    BillingRateLimited,
    BillingResponseError,
    BillingServerError,
)
from ..models import ChargeFailed, ChargeSettled, ChargeStatus
from . import operations
from .caller import is_cancelled
from .exchange import BeforeSend, Flow, exchange, pause_until
from .replies import without_outcome
from .seconds import check_seconds

DEFAULT_INTERVAL = 2.0
DEFAULT_CAP = 300.0

OnPoll = Callable[[ChargeStatus | BillingError], None]
"""Called after each poll with the status, or with an error that may be temporary."""

AsyncOnPoll = Callable[[ChargeStatus | BillingError], Awaitable[None] | None]
"""``OnPoll`` of an ``AsyncBillingClient``, which awaits it."""

TellOfPoll = Callable[[ChargeStatus | BillingError], Flow[None]]

_BACK_OFF = 5.0
_LONGEST_BACK_OFF = 30.0

# Temporary: all of these may pass without anybody doing anything, even the web page of a proxy.
PASSING = (
    BillingLoginNotSaved,
    BillingNetworkError,
    BillingRateLimited,
    BillingResponseError,
    BillingServerError,
)


def settlement(
    charge_id: str,
    *,
    interval: float,
    cap: float,
    tell: TellOfPoll | None,
    cancelled: Callable[[], object] | None,
    base_url: str | None,
    timeout: float,
    clock: BaseClock,
    before_send: BeforeSend | None = None,
    once: bool = False,
) -> Flow[ChargeSettled | ChargeFailed]:
    """Poll a charge until it is settled or failed, the cap passes, the caller cancels, or access is lost.

    Args:
        tell: Reports the result of each poll to the caller.
        once: Whether to poll once and not wait.
    """
    operation = operations.get_charge_status(charge_id)
    check_seconds(interval, "interval")
    begun = clock.monotonic()
    end = begun + (0.0 if once else check_seconds(cap, "cap"))
    last_error: BillingError | None = None

    def check_cancelled() -> Flow[None]:
        if (yield from is_cancelled(cancelled)):
            raise BillingChargeCancelled(
                "Stopped waiting for the charge. It may still settle.",
                charge_id=charge_id,
                error="charge_cancelled",
                last_error=last_error,
            )

    while True:
        yield from check_cancelled()
        outcome: ChargeStatus | BillingError
        try:
            deadline = clock.monotonic() + timeout
            outcome = yield from exchange(operation, base_url=base_url, deadline=deadline, before_send=before_send)
            last_error = None
        except PASSING as error:
            outcome = last_error = error
        except BillingError as error:
            raise BillingChargeUnconfirmed(
                f"The charge can no longer be polled, and may have settled: {without_outcome(error.message)}",
                charge_id=charge_id,
                error="charge_unconfirmed",
                last_error=error,
            ) from error
        if tell is not None:
            yield from tell(outcome)
        if isinstance(outcome, (ChargeSettled, ChargeFailed)):
            return outcome
        if clock.monotonic() >= end:
            raise BillingChargeTimeout(
                f"{_at_the_cap(clock.monotonic() - begun, last_error)} This is not a failure: it may have settled, or "
                "may still settle. Look at the billing page, or wait for it again.",
                charge_id=charge_id,
                error="charge_timeout",
                last_error=last_error,
            ) from last_error
        wake = min(clock.monotonic() + pause_seconds(outcome, interval), end)
        yield from pause_until(wake, clock, check_cancelled if cancelled else None)


def _at_the_cap(waited: float, last_error: BillingError | None) -> str:
    if last_error is None:
        return f"The charge was still pending after {waited:.0f} seconds."
    return f"The status of the charge could not be read for {waited:.0f} seconds: {without_outcome(last_error.message)}"


def pause_seconds(outcome: object, interval: float) -> float:
    """Return how long to wait before the next poll: longer where the portal asks for it."""
    if not isinstance(outcome, BillingRateLimited):
        return interval
    wanted = _BACK_OFF if outcome.retry_after is None else outcome.retry_after
    return max(interval, min(wanted, _LONGEST_BACK_OFF))
