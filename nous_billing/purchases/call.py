"""The arguments and state of one call, shared by posting a charge and waiting for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from .._arguments import kind_of
from ..clock import BaseClock
from ..errors import (
    BillingError,
    BillingInvalidRequest,
    BillingPurchaseCancelled,
    BillingPurchaseUncertain,
    BillingScopeRequired,
)
from ..models import Organisation
from ..protocol.caller import call_user, is_cancelled
from ..protocol.exchange import Flow, pause_until
from .messages import uncertain
from .record import PurchaseRecord
from .refusals import scope_missing

# The contract does not say how long the portal remembers a key. Payment processors promise a day.
_KEY_IS_KNOWN = timedelta(days=1)


class PurchaseCall:
    """One call that works on a purchase.

    Attributes:
        organisation_id: The organisation that the person confirmed, or None if the caller does not say.
        shown: The organisation of the billing state that was last shown to the person, or None.
        base_url: The caller's own base URL, checked, or None.
        timeout: Seconds for each request.
        interval: Seconds between two polls.
        cap: Seconds to wait for an accepted charge.
        may_manage: Whether the role or capability of the person lets them buy, as far as is known.
    """

    def __init__(
        self,
        record: PurchaseRecord,
        *,
        organisation_id: str | None,
        shown: Organisation | None,
        step_up: Callable[[], object] | None,
        cancelled: Callable[[], object] | None,
        base_url: str | None,
        timeout: float,
        interval: float,
        cap: float,
        clock: BaseClock,
    ) -> None:
        self.record: PurchaseRecord = record
        self.organisation_id: str | None = organisation_id
        self.shown: Organisation | None = shown
        self.base_url: str | None = base_url
        self.timeout: float = timeout
        self.interval: float = interval
        self.cap: float = cap
        self.clock: BaseClock = clock
        self.may_manage: bool = True
        self._cancelled = cancelled
        self._step_up = step_up

    def ask_for_scope(self, refusal: BillingError) -> Flow[None]:
        """Let the person grant the missing scope (step-up), once.

        Raises:
            BillingError: The person did not grant it.
        """
        question, self._step_up = self._step_up, None
        granted = question is not None and (yield from call_user("step_up", question, changes_login=True))
        if granted is True:
            return
        if granted is not False:
            raise BillingInvalidRequest(
                f"step_up must return True or False, not {kind_of(granted)}. Nothing more was sent.",
                error="invalid_step_up",
            )
        if isinstance(refusal, BillingScopeRequired):
            purchase = self.record.purchase
            raise scope_missing(purchase, refusal, may_manage=self.may_manage, asked=question is not None)
        raise refusal

    def check_cancelled(self) -> Flow[None]:
        """Ask the caller whether to continue.

        Raises:
            BillingPurchaseCancelled: The caller cancelled.
        """
        if (yield from is_cancelled(self._cancelled)):
            raise BillingPurchaseCancelled(
                f"The purchase was cancelled.{'' if self.record.may_be_made else ' Nothing was charged.'}",
                error="purchase_cancelled",
            )

    def pause(self, seconds: float) -> Flow[None]:
        """Wait, unless the caller cancels."""
        wake = self.clock.monotonic() + seconds
        yield from pause_until(wake, self.clock, self.check_cancelled if self._cancelled else None)

    def uncertain(self, last_error: BillingError | None) -> BillingPurchaseUncertain:
        return uncertain(self.record.purchase, last_error, is_too_old=self.is_too_old())

    def is_too_old(self) -> bool:
        """Whether it may have been made, but so long ago that the portal may have forgotten the key."""
        # A date in the future comes from a wrong clock, so it may be old as well.
        age = abs(self.now() - self.record.purchase.started_at)
        return self.record.may_be_made and age > _KEY_IS_KNOWN

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.time(), UTC)
