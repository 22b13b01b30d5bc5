"""The rules of a purchase, written once and without I/O: charged at most once, whatever dies on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ..clock import BaseClock
from ..errors import (
    BillingError,
    BillingIdempotencyConflict,
    BillingInvalidRequest,
    BillingPurchaseInterrupted,
    BillingPurchaseStoreError,
)
from ..money import Amount, check_amount, without_trailing_zeros
from ..protocol.exchange import Flow
from ..protocol.idempotency import check_idempotency_key
from .call import PurchaseCall
from .messages import conflict
from .organisation import OrganisationCheck
from .posting import Posting
from .purchase import Purchase, PurchaseStore
from .record import ListenerFailed, OnProgress, PurchaseRecord
from .waiting import Wait, settle


class Buying:
    """One call that makes a purchase, or goes on with it.

    Args:
        purchase: A new one, or one of the store.
        wait: Waits for a charge, by its id.
    """

    def __init__(
        self,
        purchase: Purchase,
        *,
        store: PurchaseStore,
        wait: Wait,
        step_up: Callable[[], Any] | None,
        on_progress: OnProgress | None,
        cancelled: Callable[[], bool] | None,
        base_url: str | None,
        timeout: float,
        clock: BaseClock,
    ) -> None:
        self._record = PurchaseRecord(purchase, store, on_progress)
        self._call = PurchaseCall(
            self._record, step_up=step_up, cancelled=cancelled, base_url=base_url, timeout=timeout, clock=clock
        )
        self._organisation = OrganisationCheck(self._call)
        self._posting = Posting(self._call, self._organisation)
        self._wait = wait

    def buy(self) -> Flow[Purchase]:
        """Make the purchase, or go on with what the store has under its key."""
        return (yield from self._unwrap_listener_errors(self._translate_errors(self._buy())))

    def watch(self) -> Flow[Purchase]:
        """Go on with a purchase of the store, as far as that cannot make a charge."""
        self._record.may_be_made = True
        charge_id = self._record.purchase.charge_id
        if charge_id is None:
            raise self._call.uncertain(None)
        return (yield from self._unwrap_listener_errors(self._translate_errors(self._settle(charge_id))))

    def interrupted(self) -> BillingPurchaseInterrupted | None:
        """Return what Ctrl-C leaves open; None where no charge can have been made."""
        may_be_made = self._record.may_be_made or self._posting.in_flight
        return BillingPurchaseInterrupted(self._call.uncertain(None)) if may_be_made else None

    def _unwrap_listener_errors(self, flow: Flow[Purchase]) -> Flow[Purchase]:
        """Let what the caller's own listener raised through, past all that is made of the purchase's errors."""
        try:
            return (yield from flow)
        except ListenerFailed as failed:
            error = failed.error
        raise error

    def _translate_errors(self, flow: Flow[Purchase]) -> Flow[Purchase]:
        """Let an error speak for the purchase as a whole, not for its last request alone."""
        record = self._record
        try:
            return (yield from flow)
        except BillingError as error:
            failure = error
        self._posting.in_flight = False
        if isinstance(failure, BillingIdempotencyConflict):
            # The key was never good for this amount, whatever became of an earlier reply. Any other 409 says nothing.
            record.may_be_made = failure.error != "idempotency_conflict"
            failure = failure if record.may_be_made else conflict(record.purchase, failure)
        if self._posting.announced and not record.may_be_made and record.purchase.status == "sending":
            yield from record.save_best_effort(replace(record.purchase, status="not_made"))
        # Another call may just have been found at it.
        if record.purchase.status in ("settled", "failed"):
            return record.purchase
        if record.may_be_made:
            raise self._call.uncertain(failure) from failure
        raise failure

    def _buy(self) -> Flow[Purchase]:
        record = self._record
        try:
            found = yield from record.load()
        except BillingPurchaseStoreError:
            record.may_be_made = True
            raise
        if found is not None:
            record.adopt(found)
        if self._call.is_too_old():
            raise BillingInvalidRequest("It was begun more than a day ago.", error="purchase_too_old")
        charge_id = record.purchase.charge_id or (yield from self._posting.post())
        if record.purchase.status in ("settled", "failed"):
            return record.purchase
        return (yield from self._settle(charge_id))

    def _settle(self, charge_id: str) -> Flow[Purchase]:
        return settle(self._call, self._organisation, self._wait, charge_id)


def new_purchase(amount_usd: Amount, idempotency_key: str, clock: BaseClock) -> Purchase:
    """Return a new purchase, or refuse it.

    Raises:
        BillingInvalidRequest: An argument cannot be used.
    """
    return Purchase(
        key=check_idempotency_key(idempotency_key),
        # "50" and "50.00" are one purchase, and go out as the same bytes.
        amount_usd=without_trailing_zeros(check_amount(amount_usd, "amount_usd")),
        started_at=datetime.fromtimestamp(clock.time(), UTC),
    )
