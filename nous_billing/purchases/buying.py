"""The rules of a purchase, without I/O: it is charged at most once, whatever crashes on the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from ..clock import BaseClock
from ..errors import (
    BillingError,
    BillingInvalidRequest,
    BillingPurchaseInterrupted,
    BillingPurchaseStoreError,
    BillingPurchaseUncertain,
)
from ..models import Organisation
from ..money import Amount, check_amount, without_trailing_zeros
from ..protocol.caller import unwrap_caller_errors
from ..protocol.exchange import Flow
from ..protocol.idempotency import check_idempotency_key
from .call import PurchaseCall
from .messages import duplicate_charge
from .organisation import OrganisationCheck
from .posting import Posting
from .purchase import Purchase
from .record import PurchaseRecord
from .store_access import AnyStore
from .waiting import Wait, settle


class Buying:
    """One call that makes a purchase, or continues it.

    Args:
        purchase: A new purchase, or one from the store.
        wait: Waits for a charge, by its id.
        organisation_id: The organisation that the person confirmed, or None.
        shown: The organisation of the billing state that was shown last, or None.
    """

    def __init__(
        self,
        purchase: Purchase,
        *,
        store: AnyStore,
        wait: Wait,
        organisation_id: str | None,
        shown: Organisation | None,
        step_up: Callable[[], object] | None,
        on_progress: Callable[[Purchase | BillingError], object] | None,
        cancelled: Callable[[], object] | None,
        base_url: str | None,
        timeout: float,
        clock: BaseClock,
    ) -> None:
        self._record = PurchaseRecord(purchase, store, on_progress)
        self._call = PurchaseCall(
            self._record,
            organisation_id=organisation_id,
            shown=shown,
            step_up=step_up,
            cancelled=cancelled,
            base_url=base_url,
            timeout=timeout,
            clock=clock,
        )
        self._organisation = OrganisationCheck(self._call)
        self._posting = Posting(self._call, self._organisation)
        self._wait = wait

    def buy(self) -> Flow[Purchase]:
        """Make the purchase, or continue the one that the store has under its key."""
        return (yield from unwrap_caller_errors(self._translate_errors(self._buy())))

    def watch(self) -> Flow[Purchase]:
        """Continue a purchase from the store without ever making a charge."""
        self._record.may_be_made = True
        if self._record.purchase.charge_id is None:
            raise self._call.uncertain(None)
        return (yield from unwrap_caller_errors(self._translate_errors(self._settle())))

    def interrupted(self) -> BillingPurchaseInterrupted | None:
        """Return the error for Ctrl-C, or None if no charge can have been made."""
        may_be_made = self._record.may_be_made or self._posting.in_flight
        return BillingPurchaseInterrupted(self._call.uncertain(None)) if may_be_made else None

    def _translate_errors(self, flow: Flow[None]) -> Flow[Purchase]:
        """Raise BillingPurchaseUncertain if any earlier attempt may have charged."""
        record = self._record
        try:
            yield from flow
        except BillingPurchaseUncertain:
            raise
        except BillingError as error:
            if record.may_be_made:
                raise self._call.uncertain(error) from error
            raise
        if record.purchase.other_charge_ids:
            raise duplicate_charge(record.purchase)
        return record.purchase

    def _buy(self) -> Flow[None]:
        record = self._record
        try:
            yield from record.refresh()
        except BillingPurchaseStoreError:
            record.may_be_made = True
            raise
        if record.purchase.charge_id is None:
            if self._call.is_too_old():
                raise BillingInvalidRequest("The purchase was started more than a day ago.", error="purchase_too_old")
            yield from self._posting.post()
        if record.purchase.status == "pending":
            yield from self._settle()
        else:
            record.may_be_made = False
            yield from self._organisation.verify_reader()

    def _settle(self) -> Flow[None]:
        return settle(self._call, self._organisation, self._wait, str(self._record.purchase.charge_id))


def new_purchase(amount_usd: Amount, idempotency_key: str, clock: BaseClock) -> Purchase:
    """Return a new purchase.

    Raises:
        BillingInvalidRequest: An argument cannot be used.
    """
    return Purchase(
        key=check_idempotency_key(idempotency_key),
        # "50" and "50.00" are one purchase, and go out as the same bytes.
        amount_usd=without_trailing_zeros(check_amount(amount_usd, "amount_usd")),
        started_at=datetime.fromtimestamp(clock.time(), UTC),
    )
