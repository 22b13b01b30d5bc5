"""What one call at a purchase is given, and what posting a charge and waiting for it share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from ..clock import BaseClock
from ..errors import (
    BillingError,
    BillingInvalidRequest,
    BillingPurchaseCancelled,
    BillingPurchaseUncertain,
    BillingScopeRequired,
)
from ..protocol.exchange import CallUser, Flow
from .messages import scope_missing, uncertain
from .record import PurchaseRecord

# For how long the portal knows a key is not settled; payment processors promise a day.
_KEY_IS_KNOWN = timedelta(days=1)


class PurchaseCall:
    """One call at a purchase.

    Attributes:
        base_url: The caller's own base URL, checked, or None.
        timeout: Seconds for each request.
        may_manage: Whether the role or capability of the person lets them buy, as far as is known.
    """

    def __init__(
        self,
        record: PurchaseRecord,
        *,
        step_up: Callable[[], Any] | None,
        cancelled: Callable[[], bool] | None,
        base_url: str | None,
        timeout: float,
        clock: BaseClock,
    ) -> None:
        self.record: PurchaseRecord = record
        self.base_url: str | None = base_url
        self.timeout: float = timeout
        self.clock: BaseClock = clock
        self.may_manage: bool = True
        self.cancelled: Callable[[], bool] | None = cancelled
        self._step_up = step_up

    def ask_for_scope(self, refusal: BillingError) -> Flow[None]:
        question, self._step_up = self._step_up, None
        granted: object = question is not None and (yield from CallUser(question))
        if granted is True:
            return
        if granted is not False:
            raise BillingInvalidRequest(
                f"step_up must return True or False, not a {type(granted).__name__}. Nothing more was sent.",
                error="invalid_step_up",
            )
        if isinstance(refusal, BillingScopeRequired):
            purchase = self.record.purchase
            raise scope_missing(purchase, refusal, may_manage=self.may_manage, asked=question is not None)
        raise refusal

    def check_cancelled(self) -> None:
        if self.cancelled is not None and self.cancelled():
            raise BillingPurchaseCancelled(
                f"The purchase was stopped.{'' if self.record.may_be_made else ' Nothing was charged.'}",
                error="purchase_cancelled",
            )

    def uncertain(self, last_error: BillingError | None) -> BillingPurchaseUncertain:
        return uncertain(self.record.purchase, last_error, is_too_old=self.is_too_old())

    def is_too_old(self) -> bool:
        """Whether it may have been made so long ago that the portal may have forgotten its key."""
        purchase = self.record.purchase
        # A date to come was set by a wrong clock, and says nothing.
        age = abs(self.now() - purchase.started_at)
        return self.record.may_be_made and purchase.charge_id is None and age > _KEY_IS_KNOWN

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.time(), UTC)
