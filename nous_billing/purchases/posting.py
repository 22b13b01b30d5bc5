"""Posts the charge of a purchase: saved before it is sent (write-ahead), retried only if that cannot charge twice."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from math import inf

from ..credentials import Credentials
from ..errors import (
    BillingError,
    BillingIdempotencyConflict,
    BillingLoginNotSaved,
    BillingNetworkError,
    BillingScopeRequired,
    BillingServerError,
    BillingTimeout,
)
from ..models import ChargeAccepted
from ..money import without_trailing_zeros
from ..protocol import operations
from ..protocol.exchange import Flow, SendAuthenticated, exchange
from .announcing import AlreadyAccepted, Announcement, AnotherIsSending
from .call import PurchaseCall
from .messages import duplicate_charge, of_one_request
from .organisation import OrganisationCheck
from .refusals import conflict, out_of_bounds
from .reporting import PurchaseReports

# Before each retry of a charge. Every retry that arrives counts towards the portal's limit of five an hour.
_PAUSES = (1.0, 3.0, 9.0)
# A charge must not be made long after a person confirmed it, such as when a laptop wakes up.
_POSTING_SECONDS = 60.0


class Posting:
    """The posts of one call.

    Attributes:
        in_flight: Whether a post was sent and has no answer yet.
    """

    def __init__(self, call: PurchaseCall, organisation: OrganisationCheck, reports: PurchaseReports) -> None:
        self.in_flight: bool = False
        self._call = call
        self._organisation = organisation
        self._reports = reports
        self._announcement = Announcement(call)
        self._confirmed_at = self._moment()

    def post(self) -> Flow[None]:
        """Post the charge, unless it was accepted for another call. The record then has its id.

        Raises:
            BillingError: The last post failed; ``may_be_made`` of the record says whether it may have charged.
        """
        try:
            accepted = yield from self._post()
        except AlreadyAccepted:
            yield from self._tell_of_charge()
            return
        except BillingError as error:
            failure = error
        else:
            yield from self._keep(accepted)
            return
        self.in_flight = False
        yield from self._give_up(failure)

    def _post(self) -> Flow[ChargeAccepted]:
        call, record = self._call, self._call.record
        # A store may keep dollars with two places. To a portal that compares bytes that would be another charge.
        operation = operations.post_charge(without_trailing_zeros(record.purchase.amount_usd), record.purchase.key)
        pauses = iter(_PAUSES)
        yield from self._announcement.wait_for_another_call()
        while True:
            yield from call.check_cancelled()
            # Nothing leaves after the minute, however slow the way to the portal is.
            deadline = call.clock.monotonic() + min(call.timeout, self._seconds_left())
            try:
                return (
                    yield from exchange(
                        operation,
                        base_url=call.base_url,
                        deadline=deadline,
                        latest=self._confirmed_at[1] + _POSTING_SECONDS,
                        before_send=self._before_send,
                        attempts_before=self._reports.attempts,
                    )
                )
            except AnotherIsSending:
                yield from self._announcement.wait_for_another_call()
                continue
            except BillingError as error:
                failure = error
            self.in_flight = False
            # A conflict over the amount means that this request charged nothing; any other 409 leaves that open.
            if failure.outcome_unknown:
                record.note_own_send()
            if isinstance(failure, BillingScopeRequired):
                yield from self._announcement.withdraw()
                yield from call.ask_for_scope(failure)
                # However long that took, the person has just confirmed again.
                self._confirmed_at = self._moment()
                continue
            pause = next(pauses, inf)
            if not _may_be_repeated(failure) or self._seconds_since_confirmation() + pause >= _POSTING_SECONDS:
                raise failure
            yield from record.tell(failure)
            yield from call.pause(pause)
            if self._seconds_since_confirmation() >= _POSTING_SECONDS:
                raise failure
            yield from self._announcement.look()

    def _before_send(self, credentials: Credentials, address: str, send: SendAuthenticated) -> Flow[None]:
        record, organisation = self._call.record, self._organisation
        # A 401 answers a request before the portal reads the charge.
        self.in_flight = False
        yield from organisation.verify(credentials, address, send)
        # A charge that may have been made is retried, whatever the bounds are now.
        bounds = organisation.bounds
        if bounds and not record.may_be_made and not bounds.allow(record.purchase.amount_usd):
            raise out_of_bounds(record.purchase, bounds)
        yield from self._announcement.announce()
        yield from self._call.check_cancelled()
        yield from self._reports.sent()
        self._seconds_left()
        self.in_flight = True

    def _keep(self, accepted: ChargeAccepted) -> Flow[None]:
        record = self._call.record
        record.note_own_send()
        self.in_flight = False
        yield from record.save_best_effort(replace(record.purchase, status="pending", charge_id=accepted.charge_id))
        # Not before the save: an observer that is interrupted must not lose the id.
        yield from self._reports.accepted()
        if record.purchase.other_charge_ids:
            yield from record.tell(duplicate_charge(record.purchase))

    def _give_up(self, failure: BillingError) -> Flow[None]:
        """Raise a failure, unless the charge was accepted for another call in the meantime."""
        record = self._call.record
        if isinstance(failure, BillingIdempotencyConflict) and not record.may_be_made:
            failure = conflict(record.purchase, failure)
        yield from self._announcement.withdraw()
        with suppress(BillingError, AlreadyAccepted):
            yield from self._announcement.look()
        # Only the failure of a request lets the call go on: not a wrong organisation, nor a caller that cancels.
        goes_on = failure.status is not None or isinstance(failure, BillingNetworkError)
        # A login of another organisation is not told how it ended.
        if record.purchase.charge_id is None or failure.error == "wrong_organisation":
            raise failure
        if not goes_on:
            # Another call has charged meanwhile, even if that has ended by now.
            record.may_be_made = True
            raise of_one_request(failure)
        yield from self._tell_of_charge()

    def _tell_of_charge(self) -> Flow[None]:
        # Only a verified login may see how it ended.
        if self._call.record.purchase.status == "pending":
            yield from self._call.record.tell(self._call.record.purchase)

    def _seconds_left(self) -> float:
        """Return how many seconds are left to send the charge.

        Raises:
            BillingTimeout: None are left.
        """
        left = _POSTING_SECONDS - self._seconds_since_confirmation()
        if left <= 0:
            raise BillingTimeout(
                "More than a minute has passed since the purchase was confirmed. Nothing was sent.",
                error="network_error",
            )
        return left

    def _moment(self) -> tuple[float, float]:
        return self._call.clock.monotonic(), self._call.clock.time()

    def _seconds_since_confirmation(self) -> float:
        # On most systems the monotonic clock stops while the machine sleeps.
        return max(now - then for now, then in zip(self._moment(), self._confirmed_at, strict=True))


def _may_be_repeated(failure: BillingError) -> bool:
    """Whether the charge has no definite answer: it may have been made, or was certainly not sent."""
    # A 5xx with a known outcome answered the read of the billing state, not the charge.
    passing = isinstance(failure, (BillingLoginNotSaved, BillingNetworkError, BillingServerError))
    return failure.outcome_unknown or passing
