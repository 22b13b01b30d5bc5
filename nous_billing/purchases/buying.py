"""The rules of a purchase, without I/O: it is charged at most once, whatever crashes on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .._reporting import if_broken
from ..clock import BaseClock
from ..errors import (
    BillingError,
    BillingInvalidRequest,
    BillingPurchaseInterrupted,
    BillingPurchaseStoreError,
    BillingPurchaseUncertain,
)
from ..models import Organisation
from ..protocol.caller import CallerFailed, unwrap_caller_errors
from ..protocol.exchange import Flow
from .call import PurchaseCall
from .leasing import CallLease
from .messages import duplicate_charge, ended
from .organisation import OrganisationCheck
from .posting import Posting
from .purchase import Purchase
from .record import PurchaseRecord
from .reporting import PurchaseReports
from .store_access import AnyStore
from .waiting import Wait, check, settle

if TYPE_CHECKING:
    from ..events import Event


class Buying:
    """One call that makes a purchase, or continues it.

    Args:
        purchase: A new purchase, or one from the store.
        wait: Waits for a charge, by its id.
        interval: Seconds between two polls.
        cap: Seconds to wait for an accepted charge.
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
        interval: float,
        cap: float,
        clock: BaseClock,
    ) -> None:
        lease = CallLease(store, purchase.key, interval=interval, timeout=timeout, clock=clock)
        self._record = PurchaseRecord(purchase, store, lease, on_progress)
        self._call = PurchaseCall(
            self._record,
            organisation_id=organisation_id,
            shown=shown,
            step_up=step_up,
            cancelled=cancelled,
            base_url=base_url,
            timeout=timeout,
            interval=interval,
            cap=cap,
            clock=clock,
        )
        self._organisation = OrganisationCheck(self._call)
        self._reports = PurchaseReports(self._call)
        self._posting = Posting(self._call, self._organisation, self._reports)
        self._wait = wait

    def buy(self) -> Flow[Purchase]:
        """Make the purchase, or continue the one that the store has under its key, and wait for its end."""
        return self._result(self._buy())

    def begin(self) -> Flow[Purchase]:
        """Do the same, but return as soon as the charge is accepted."""
        return self._result(self._begin())

    def check(self, *, is_followed: bool) -> Flow[Purchase]:
        """Poll the charge of a purchase from the store once, if it has one and has not ended. Never makes a charge.

        Args:
            is_followed: Whether it is checked again, so that only its end is told.
        """
        self._reports.tells_ends_only = is_followed
        self._record.may_be_made = not self._record.purchase.has_ended
        return self._result(self._check())

    def watch(self) -> Flow[Purchase | None]:
        """Continue a purchase from the store without ever making a charge.

        Returns:
            The purchase. None if another call is working on it, or has ended it.

        Raises:
            BillingPurchaseUncertain: It is still open.
            BillingPurchaseStoreError: The store failed.
        """
        lease = self._record.lease
        if not (yield from lease.acquire()):
            return None
        if lease.terms is not None:
            # Another call may have worked on it until now.
            yield from self._refresh()
            if self._record.purchase.has_ended:
                return None
        self._record.may_be_made = True
        return (yield from self._result(self._watch()))

    def _refresh(self) -> Flow[None]:
        try:
            yield from self._record.refresh()
        except BillingError as error:
            yield from self._record.lease.release()
            if isinstance(error, BillingPurchaseStoreError):
                raise
            # It has become another purchase: what became of this one is not known.
            raise self._call.uncertain(error) from error

    @property
    def _may_be_made(self) -> bool:
        return self._record.may_be_made or self._posting.in_flight

    def _broken(self, error: BaseException) -> Callable[[int], Event] | None:
        return self._reports.broken(error) if self._may_be_made and not self._reports.tells_ends_only else None

    def interrupted(self) -> BillingPurchaseInterrupted | None:
        """Return the error for Ctrl-C, or None if no charge can have been made."""
        purchase = self._record.purchase
        if self._may_be_made:
            return BillingPurchaseInterrupted(self._call.uncertain(None))
        # The end is saved, but nobody was told of it.
        return BillingPurchaseInterrupted(ended(purchase)) if purchase.status in ("settled", "failed") else None

    def _result(self, flow: Flow[None]) -> Flow[Purchase]:
        flow_to_end = unwrap_caller_errors(self._release(self._report(self._translate_errors(flow))))
        if_broken(self._broken)
        try:
            purchase = yield from flow_to_end
        except BillingError:
            if_broken(None)
            raise
        if_broken(None)
        return purchase

    def _report(self, flow: Flow[Purchase]) -> Flow[Purchase]:
        try:
            purchase = yield from flow
        except BillingError as error:
            yield from self._reports.failed(error)
            raise
        except CallerFailed:
            if self._may_be_made:
                yield from self._reports.failed(self._call.uncertain(None))
            raise
        yield from self._reports.ended()
        return purchase

    def _release(self, flow: Flow[Purchase]) -> Flow[Purchase]:
        """Release the lease at the end. The lease of a call that is abandoned expires."""
        try:
            purchase = yield from flow
        except (BillingError, CallerFailed):
            yield from self._record.lease.release()
            raise
        if not purchase.has_ended:
            yield from self._record.lease.release()
        return purchase

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
        yield from self._post()
        if self._record.purchase.status == "pending":
            yield from self._settle()
        else:
            yield from self._verify_reader()

    def _begin(self) -> Flow[None]:
        yield from self._post()
        yield from self._verify_reader()

    def _check(self) -> Flow[None]:
        status = self._record.purchase.status
        self._reports.is_open = not self._record.purchase.has_ended
        if status == "pending":
            yield from check(self._call, self._organisation, self._wait)
        elif status == "sending" and self._call.is_too_old():
            raise self._call.uncertain(None)
        else:
            yield from self._verify_reader()

    def _watch(self) -> Flow[None]:
        yield from self._reports.begun()
        if self._record.purchase.charge_id is None:
            raise self._call.uncertain(None)
        yield from self._settle()

    def _post(self) -> Flow[None]:
        """Post the charge, unless the store has it already."""
        record = self._record
        try:
            yield from record.refresh()
        except BillingPurchaseStoreError:
            record.may_be_made = True
            raise
        yield from self._reports.begun()
        if record.purchase.charge_id is None:
            if self._call.is_too_old():
                raise BillingInvalidRequest("The purchase was started more than a day ago.", error="purchase_too_old")
            yield from self._posting.post()

    def _verify_reader(self) -> Flow[None]:
        if self._record.purchase.has_ended:
            self._record.may_be_made = False
        yield from self._organisation.verify_reader()

    def _settle(self) -> Flow[None]:
        return settle(self._call, self._organisation, self._wait)
