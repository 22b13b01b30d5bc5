"""Write-ahead: saves ``sending`` to the store before a charge is sent, one call at a time."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from ..errors import BillingPurchaseStoreError
from ..protocol.exchange import Flow
from .call import PurchaseCall
from .messages import not_saved

# A live call normally finishes its post sooner. A dead one is not waited for any longer.
_QUIET_SECONDS = 3.0
_FIRST_LOOK_SECONDS = 0.25
_LONGEST_PAUSE = 1.0
# More than the calls that compete for one purchase: each lost compare-and-swap means that another call won.
_MOST_TRIES = 64


class AlreadyAccepted(Exception):
    """The portal has accepted the charge for another call, so there is nothing to post."""


class AnotherIsSending(Exception):
    """Another call has just announced that it sends the charge."""


class Announcement:
    """One call's saved intent to send. Other calls then wait a moment, and cannot save ``not_made``."""

    def __init__(self, call: PurchaseCall) -> None:
        self._call = call
        self._made = False
        self._patient_until = call.clock.monotonic() + call.timeout

    def announce(self) -> Flow[None]:
        """Save ``sending``, once, even if another call already did: the new revision stops it from saving ``not_made``.

        Raises:
            AlreadyAccepted: There is nothing to post.
            AnotherIsSending: Another call sends first.
            BillingError: The purchase could not be saved.
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
        # The store says that another call has saved it, even if it does not show what.
        record.may_be_made = True
        raise not_saved("another program keeps changing it")

    def withdraw(self) -> Flow[None]:
        """Save ``not_made`` if this call announced the charge and certainly did not make it."""
        record = self._call.record
        if self._made and not record.may_be_made:
            self._made = False
            yield from record.save_best_effort(replace(record.purchase, status="not_made"))

    def wait_for_another_call(self) -> Flow[None]:
        """Wait until another call that is sending has its answer, or has saved nothing new for a while.

        Raises:
            AlreadyAccepted: There is nothing to post.
            BillingError: The caller cancels, or the store has a different purchase under this key.
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
        """Check whether the charge was accepted for another call. A store that cannot be read is ignored.

        Raises:
            AlreadyAccepted: It was.
            BillingError: The store has a different purchase under this key.
        """
        with suppress(BillingPurchaseStoreError):
            yield from self._call.record.refresh()
        if self._call.record.purchase.charge_id is not None:
            raise AlreadyAccepted
