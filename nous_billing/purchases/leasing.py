"""One call's lease of a purchase, without I/O. In a store without leases every call may work on a purchase."""

from __future__ import annotations

from contextlib import suppress
from math import inf
from secrets import token_hex

from ..clock import BaseClock
from ..errors import BillingError
from ..protocol.exchange import Flow
from .leases import PurchaseLease
from .store_access import AnyStore, acquire_lease, has_leases, release_lease

# The longest pause between two polls, and time to spare.
_LONGEST_PAUSE = 30.0
_SPARE = 15.0


class CallLease:
    """The lease of one call.

    Attributes:
        terms: What is asked of the store; None if it has no leases.
    """

    def __init__(self, store: AnyStore, key: str, *, interval: float, timeout: float, clock: BaseClock) -> None:
        seconds = max(interval, _LONGEST_PAUSE) + timeout + _SPARE
        self.terms: PurchaseLease | None = (
            PurchaseLease(holder=token_hex(16), seconds=seconds) if has_leases(store) else None
        )
        self._store = store
        self._key = key
        self._clock = clock
        self._renew_at = -inf

    def acquire(self) -> Flow[bool]:
        """Return whether this call, and no other, is to poll the purchase.

        Raises:
            BillingPurchaseStoreError: The store failed.
        """
        if self.terms is None or self._clock.monotonic() < self._renew_at:
            return True
        acquired = yield from acquire_lease(self._store, self._key, self.terms)
        if acquired:
            self.note_renewal()
        return acquired

    def note_renewal(self) -> None:
        """Note that the store has just given the lease, as it also does with each save."""
        if self.terms is not None:
            self._renew_at = self._clock.monotonic() + self.terms.seconds / 3

    def renew(self) -> Flow[None]:
        """Renew the lease in good time. If that fails, two calls may poll the purchase, which does no harm."""
        with suppress(BillingError):
            yield from self.acquire()

    def release(self) -> Flow[None]:
        """Let another call continue at once. If that fails, the lease expires."""
        if self.terms is not None:
            with suppress(BillingError):
                yield from release_lease(self._store, self._key, self.terms.holder)
