"""Tells of what happens to a purchase."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .._reporting import event_maker
from ..errors import BillingError, BillingIdempotencyConflict
from ..protocol.exchange import Flow
from ..protocol.reporting import report
from .call import PurchaseCall

if TYPE_CHECKING:
    from ..events import Event


class PurchaseReports:
    """The events of one call that works on a purchase.

    Attributes:
        is_open: Whether the purchase had not ended when this call began to work on it.
        tells_ends_only: Whether nothing is told of a call that fails.
    """

    def __init__(self, call: PurchaseCall) -> None:
        self.is_open: bool = False
        self.tells_ends_only: bool = False
        self._call = call
        self._attempts = 0

    @property
    def attempts(self) -> int:
        """How often this call has sent the charge."""
        return self._attempts

    def begun(self) -> Flow[None]:
        record = self._call.record
        # One that was not made is made now.
        if record.purchase.has_ended and record.purchase.charge_id is not None:
            return
        self.is_open = True
        yield from report("PurchaseBegun", is_continued=record.stored is not None, **self._values())

    def sent(self) -> Flow[None]:
        self._attempts += 1
        yield from report("PurchaseSent", attempt=self._attempts, **self._values())

    def accepted(self) -> Flow[None]:
        yield from report("PurchaseAccepted", **self._values())

    def ended(self) -> Flow[None]:
        """Tell how it ended, if it did so in this call."""
        record = self._call.record
        purchase = record.purchase
        if self.is_open and purchase.has_ended:
            self.is_open = False
            values = {**self._end_values(), "is_first": record.is_first_to_end}
            yield from report("PurchaseEnded", status=purchase.status, reason=purchase.reason, **values)

    def failed(self, error: BillingError) -> Flow[None]:
        """Tell of the error with which the call ends."""
        if self.tells_ends_only:
            return
        if error.outcome_unknown:
            yield from report("PurchaseUncertain", error=error.error, **self._values())
        elif self.is_open:
            # The same key, with another amount, may have charged.
            status = "refused" if isinstance(error, BillingIdempotencyConflict) else "not_made"
            yield from report("PurchaseEnded", status=status, reason=error.error, **self._end_values())

    def broken(self, error: BaseException) -> Callable[[int], Event]:
        return event_maker("PurchaseUncertain", error=type(error).__name__, **self._values())

    def _end_values(self) -> dict[str, Any]:
        # Another machine's clock may have been ahead.
        seconds = max((self._call.now() - self._call.record.purchase.started_at).total_seconds(), 0.0)
        return {"seconds": seconds, **self._values()}

    def _values(self) -> dict[str, Any]:
        purchase = self._call.record.purchase
        return {
            "what": "credits",
            "key": purchase.key,
            "amount_usd": purchase.amount_usd,
            "organisation_id": purchase.organisation_id or None,
            "charge_id": purchase.charge_id,
        }
