"""Posting the charge of a purchase: saved before it is sent, repeated only where that cannot charge twice."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from ..credentials import Credentials
from ..errors import (
    BillingError,
    BillingLoginNotSaved,
    BillingNetworkError,
    BillingScopeRequired,
    BillingServerError,
    BillingTimeout,
)
from ..protocol import operations
from ..protocol.exchange import Flow, SendAuthenticated, exchange, pause_until
from .call import PurchaseCall
from .organisation import OrganisationCheck

# Before each repetition of a charge. The portal counts every one that arrives in its limit of five an hour.
_PAUSES = (1.0, 3.0, 9.0)
# A charge must not be made long after a person confirmed it, such as when a laptop wakes up.
_POSTING_SECONDS = 60.0


class _Overtaken(Exception):
    """Another call at the same purchase has just had it accepted: there is nothing to post."""

    def __init__(self, charge_id: str) -> None:
        self.charge_id = charge_id


class Posting:
    """The posts of one call.

    Attributes:
        announced: Whether this call has saved that the charge may be sent.
        in_flight: Whether a post is on its way that no answer has come to.
    """

    def __init__(self, call: PurchaseCall, organisation: OrganisationCheck) -> None:
        self.announced: bool = False
        self.in_flight: bool = False
        self._call = call
        self._organisation = organisation
        self._confirmed_at = self._moment()

    def post(self) -> Flow[str]:
        call, record = self._call, self._call.record
        operation = operations.post_charge(record.purchase.amount_usd, record.purchase.key)
        pauses = iter(_PAUSES)
        while True:
            call.check_cancelled()
            deadline = call.clock.monotonic() + call.timeout
            try:
                accepted = yield from exchange(
                    operation, base_url=call.base_url, deadline=deadline, before_send=self._before_send
                )
                break
            except _Overtaken as overtaken:
                return overtaken.charge_id
            except BillingError as error:
                failure = error
            record.may_be_made = record.may_be_made or failure.outcome_unknown
            self.in_flight = False
            if isinstance(failure, BillingScopeRequired):
                yield from call.ask_for_scope(failure)
                # However long that took, a person has just been there.
                self._confirmed_at = self._moment()
                continue
            pause = next(pauses, inf)
            if not _may_be_repeated(failure) or self._seconds_since_confirmation() + pause > _POSTING_SECONDS:
                raise failure
            record.tell(failure)
            wake = call.clock.monotonic() + pause
            yield from pause_until(wake, call.clock, call.check_cancelled if call.cancelled else None)
            if self._seconds_since_confirmation() > _POSTING_SECONDS:
                raise failure
        record.may_be_made = True
        self.in_flight = False
        yield from record.save_best_effort(replace(record.purchase, status="pending", charge_id=accepted.charge_id))
        return accepted.charge_id

    def _before_send(self, credentials: Credentials, address: str, send: SendAuthenticated) -> Flow[None]:
        # A 401 comes before any look at the charge.
        self.in_flight = False
        yield from self._organisation.verify(credentials, address, send)
        if not self.announced:
            yield from self._announce()
        self._call.check_cancelled()
        if self._seconds_since_confirmation() > _POSTING_SECONDS + self._call.timeout:
            raise BillingTimeout(
                "More than a minute has passed since the purchase was confirmed. Nothing was sent.",
                error="network_error",
            )
        self.in_flight = True

    def _announce(self) -> Flow[None]:
        """Save that it may be sent, also where another call did: that one can then no longer call it not made."""
        purchase = replace(self._call.record.purchase, status="sending")
        if not self._call.record.may_be_made:
            purchase = replace(purchase, started_at=self._call.now())
        yield from self._call.record.save(purchase)
        if self._call.record.purchase.charge_id is not None:
            raise _Overtaken(self._call.record.purchase.charge_id)
        self.announced = True

    def _moment(self) -> tuple[float, float]:
        return self._call.clock.monotonic(), self._call.clock.time()

    def _seconds_since_confirmation(self) -> float:
        # While a machine sleeps, the monotonic clock of most systems stands still.
        return max(now - then for now, then in zip(self._moment(), self._confirmed_at, strict=True))


def _may_be_repeated(failure: BillingError) -> bool:
    """Whether the charge may have been made, or was certainly not sent: no definite answer to it has come."""
    # A 5xx that says nothing of a charge was the answer to the question which organisation this is.
    passing = isinstance(failure, (BillingLoginNotSaved, BillingNetworkError, BillingServerError))
    return failure.outcome_unknown or passing
