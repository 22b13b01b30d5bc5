"""Follows a purchase that another call has begun, without ever making a charge."""

from __future__ import annotations

from collections.abc import Callable

from ..clock import BaseClock
from ..errors import BillingError, BillingPurchaseNotFound, BillingPurchaseStoreError, BillingPurchaseUncertain
from ..protocol.exchange import Flow, pause_until
from ..protocol.reporting import report
from ..protocol.settlement import PASSING, pause_seconds
from .messages import uncertain
from .purchase import Purchase


class Following:
    """Checks a purchase again and again. Between two calls of ``next`` nothing runs.

    Args:
        check: Loads the purchase and polls its charge once.
        interval: Seconds between two checks.
        cap: Seconds until the last check.
    """

    def __init__(self, check: Callable[[], Flow[Purchase]], *, interval: float, cap: float, clock: BaseClock) -> None:
        self._check = check
        self._interval = interval
        self._clock = clock
        self._cap = cap
        self._end: float | None = None
        self._next_check = clock.monotonic()
        self._last: Purchase | None = None

    def next(self) -> Flow[Purchase | None]:
        """Return the purchase once it has changed; None if it had ended before.

        Raises:
            BillingPurchaseUncertain: Its end cannot be found out, or is not known at the cap.
            BillingError: As for one check.
        """
        try:
            return (yield from self._next())
        except BillingPurchaseUncertain as error:
            # Here and not in a check, after which it may go on.
            organisation_id = None if self._last is None else self._last.organisation_id
            values = {"key": error.key, "amount_usd": error.amount_usd, "charge_id": error.charge_id}
            yield from report(
                "PurchaseUncertain", what="credits", organisation_id=organisation_id, error=error.error, **values
            )
            raise

    def _next(self) -> Flow[Purchase | None]:
        end = self._end = self._end or self._clock.monotonic() + self._cap
        if self._last is not None and self._last.has_ended:
            return None
        while True:
            yield from pause_until(self._next_check, self._clock, None)
            failure: BillingError
            try:
                purchase = yield from self._check()
            except BillingError as error:
                if not _may_pass(error):
                    raise
                failure = error
            else:
                failure = uncertain(purchase, None, is_too_old=False)
                if purchase != self._last:
                    self._last = purchase
                    self._plan(None, end)
                    return purchase
            if self._clock.monotonic() >= end:
                raise failure
            self._plan(getattr(failure, "last_error", failure), end)

    def _plan(self, outcome: object, end: float) -> None:
        self._next_check = min(self._clock.monotonic() + pause_seconds(outcome, self._interval), end)


def _may_pass(error: BillingError) -> bool:
    if isinstance(error, BillingPurchaseUncertain):
        return isinstance(error.last_error, PASSING) and not error.is_too_old
    if isinstance(error, BillingPurchaseStoreError):
        return not isinstance(error, BillingPurchaseNotFound)
    return isinstance(error, PASSING)
