"""Posting the charge of a purchase: saved before it is sent, repeated only where that cannot charge twice."""

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
from ..protocol import operations
from ..protocol.exchange import Flow, SendAuthenticated, exchange
from .announcing import AlreadyAccepted, Announcement, AnotherIsSending
from .call import PurchaseCall
from .messages import duplicate_charge
from .organisation import OrganisationCheck
from .refusals import conflict, out_of_bounds

# Before each repetition of a charge. The portal counts every one that arrives in its limit of five an hour.
_PAUSES = (1.0, 3.0, 9.0)
# A charge must not be made long after a person confirmed it, such as when a laptop wakes up.
_POSTING_SECONDS = 60.0


class Posting:
    """The posts of one call.

    Attributes:
        in_flight: Whether a post is on its way that no answer has come to.
    """

    def __init__(self, call: PurchaseCall, organisation: OrganisationCheck) -> None:
        self.in_flight: bool = False
        self._call = call
        self._organisation = organisation
        self._announcement = Announcement(call)
        self._confirmed_at = self._moment()

    def post(self) -> Flow[None]:
        """Post the charge, unless another call has it accepted. The record then names it.

        Raises:
            BillingError: What the last post came to; ``may_be_made`` of the record says what that means.
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
        operation = operations.post_charge(record.purchase.amount_usd, record.purchase.key)
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
                    )
                )
            except AnotherIsSending:
                yield from self._announcement.wait_for_another_call()
                continue
            except BillingError as error:
                failure = error
            self.in_flight = False
            if _may_have_been_made(failure):
                record.note_own_send()
            if isinstance(failure, BillingScopeRequired):
                yield from self._announcement.withdraw()
                yield from call.ask_for_scope(failure)
                # However long that took, a person has just been there.
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
        # A 401 comes before any look at the charge.
        self.in_flight = False
        yield from organisation.verify(credentials, address, send)
        # What may have been made is asked for again, whatever the bounds are by now.
        bounds = organisation.bounds
        if bounds and not record.may_be_made and not bounds.min_usd <= record.purchase.amount_usd <= bounds.max_usd:
            raise out_of_bounds(record.purchase, bounds)
        yield from self._announcement.announce()
        yield from self._call.check_cancelled()
        self._seconds_left()
        self.in_flight = True

    def _keep(self, accepted: ChargeAccepted) -> Flow[None]:
        record = self._call.record
        record.note_own_send()
        self.in_flight = False
        yield from record.save_best_effort(replace(record.purchase, status="pending", charge_id=accepted.charge_id))
        if record.purchase.other_charge_ids:
            yield from record.tell(duplicate_charge(record.purchase))

    def _give_up(self, failure: BillingError) -> Flow[None]:
        """Raise a failure, unless another call has had the charge accepted meanwhile."""
        record = self._call.record
        if isinstance(failure, BillingIdempotencyConflict) and not record.may_be_made:
            failure = conflict(record.purchase, failure)
        yield from self._announcement.withdraw()
        with suppress(BillingError, AlreadyAccepted):
            yield from self._announcement.look()
        # Only after what a request came to; a login of another organisation, or a caller that stops, is not to go on.
        goes_on = failure.status is not None or isinstance(failure, BillingNetworkError)
        if record.purchase.charge_id is None or not goes_on:
            raise failure
        yield from self._tell_of_charge()

    def _tell_of_charge(self) -> Flow[None]:
        # How it ended is only for a login that was looked at.
        if self._call.record.purchase.status == "pending":
            yield from self._call.record.tell(self._call.record.purchase)

    def _seconds_left(self) -> float:
        """Return for how long the charge may still be sent.

        Raises:
            BillingTimeout: No longer.
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
        # While a machine sleeps, the monotonic clock of most systems stands still.
        return max(now - then for now, then in zip(self._moment(), self._confirmed_at, strict=True))


def _may_have_been_made(failure: BillingError) -> bool:
    # That the key is another amount's says that this one made nothing; any other 409 says nothing.
    unclear = isinstance(failure, BillingIdempotencyConflict) and failure.error != "idempotency_conflict"
    return failure.outcome_unknown or unclear


def _may_be_repeated(failure: BillingError) -> bool:
    """Whether the charge may have been made, or was certainly not sent: no definite answer to it has come."""
    # A 5xx that says nothing of a charge was the answer to the question which organisation this is.
    passing = isinstance(failure, (BillingLoginNotSaved, BillingNetworkError, BillingServerError))
    return failure.outcome_unknown or passing
