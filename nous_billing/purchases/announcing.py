"""Saying in the store that a charge may be sent, one call at a time, before it is sent."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from ..errors import BillingPurchaseStoreError
from ..protocol.exchange import Flow
from .call import PurchaseCall
from .messages import not_saved

# Of a call that is alive a post takes less, normally; one that has died is not waited for any longer.
_QUIET_SECONDS = 3.0
_FIRST_LOOK_SECONDS = 0.25
_LONGEST_PAUSE = 1.0
# More than the calls that are at the same purchase at once: each that loses has let another win.
_MOST_TRIES = 64


class AlreadyAccepted(Exception):
    """Another call at the same purchase has had it accepted: there is nothing to post."""


class AnotherIsSending(Exception):
    """Another call at the same purchase has just said that it sends."""


class Announcement:
    """The word of one call that it sends: others then wait a moment, and cannot call the purchase not made."""

    def __init__(self, call: PurchaseCall) -> None:
        self._call = call
        self._made = False
        self._patient_until = call.clock.monotonic() + call.timeout

    def announce(self) -> Flow[None]:
        """Save that it may be sent, once.

        Raises:
            AlreadyAccepted: There is nothing to post.
            AnotherIsSending: It is the turn of another call.
            BillingError: It could not be saved.
        """
        record = self._call.record
        for _ in range(_MOST_TRIES):
            if self._made:
                return
            purchase = replace(record.purchase, status="sending")
            if not record.may_be_made:
                purchase = replace(purchase, started_at=self._call.now())
            self._made = yield from record.claim(purchase)
            if self._made:
                yield from record.tell(record.purchase)
            if record.purchase.charge_id is not None:
                raise AlreadyAccepted
            is_sent = not self._made and record.stored is not None and record.stored.status == "sending"
            if is_sent and self._call.clock.monotonic() < self._patient_until:
                raise AnotherIsSending
        raise not_saved("another program keeps changing it")

    def withdraw(self) -> Flow[None]:
        """Save that nothing was made, where this call has said that it sends and that is certain."""
        record = self._call.record
        if self._made and not record.may_be_made:
            self._made = False
            yield from record.save_best_effort(replace(record.purchase, status="not_made"))

    def wait_for_another_call(self) -> Flow[None]:
        """Wait until another call that is sending has had its answer, or has said nothing new for a while.

        Raises:
            AlreadyAccepted: There is nothing to post.
            BillingError: The caller stops, or the purchase in the store is another one.
        """
        record, clock = self._call.record, self._call.clock
        quiet_until, pause = clock.monotonic() + _QUIET_SECONDS, _FIRST_LOOK_SECONDS
        while (found := record.stored) and found.status == "sending":
            if clock.monotonic() >= min(quiet_until, self._patient_until):
                return
            yield from self._call.pause(pause)
            yield from self.look()
            pause = min(2 * pause, _LONGEST_PAUSE)
            if record.stored != found:
                quiet_until = clock.monotonic() + _QUIET_SECONDS

    def look(self) -> Flow[None]:
        """Look whether another call has had the charge accepted, as far as the store can be read.

        Raises:
            AlreadyAccepted: It has.
            BillingError: The purchase there is another one.
        """
        with suppress(BillingPurchaseStoreError):
            yield from self._call.record.refresh()
        if self._call.record.purchase.charge_id is not None:
            raise AlreadyAccepted
