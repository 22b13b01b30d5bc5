"""One call's state of a purchase, kept in sync with its store (optimistic locking by revision), without I/O."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from ..errors import BillingError
from ..models import ChargePending, ChargeStatus
from ..protocol.caller import call_user
from ..protocol.exchange import Flow
from .checking import check_same_organisation
from .leasing import CallLease
from .merging import merged
from .messages import not_kept, not_saved, of_one_request
from .purchase import Purchase
from .refusals import conflict
from .store_access import AnyStore, load_purchase, save_purchase

OnProgress = Callable[[Purchase | BillingError], None]
"""Called with the purchase after each step and each poll, and with each error after which the purchase continues."""

AsyncOnProgress = Callable[[Purchase | BillingError], Awaitable[None] | None]
"""``OnProgress`` of an ``AsyncBillingClient``, which awaits it."""

# More than the calls that compete for one purchase: each lost compare-and-swap means that another call won.
_MOST_TRIES = 64


class PurchaseRecord:
    """One purchase, its store, and the caller's listener.

    Attributes:
        purchase: The purchase as this call knows it.
        stored: The purchase as the store last had it, or None.
        may_be_made: Whether a charge may have been made, by this call or by another, that is not known to have ended.
        lease: This call's lease of the purchase.
        is_first_to_end: Whether the end of the purchase was in no store before this call saved it.
    """

    def __init__(
        self,
        purchase: Purchase,
        store: AnyStore,
        lease: CallLease,
        on_progress: Callable[[Purchase | BillingError], object] | None,
    ) -> None:
        self.purchase: Purchase = purchase
        self.stored: Purchase | None = purchase if purchase.revision else None
        self.may_be_made: bool = False
        self.lease: CallLease = lease
        self.is_first_to_end: bool = False
        self._sent = False
        self._perhaps_saved: Purchase | None = None
        self._store = store
        self._on_progress = on_progress

    def note_own_send(self) -> None:
        """Note that a post of this call may have arrived. Only a charge id resolves that."""
        self._sent = self.may_be_made = True

    def refresh(self) -> Flow[None]:
        """Adopt what another call has saved in the meantime.

        Raises:
            BillingPurchaseStoreError: The store could not be read.
            BillingIdempotencyConflict: The stored purchase has another amount.
            BillingInvalidRequest: It is bound to another organisation (``error="wrong_organisation"``).
        """
        found = yield from load_purchase(self._store, self.purchase.key)
        is_unchanged = found is not None and self.stored is not None and found.revision == self.stored.revision
        # A save of this call that raised an error may have succeeded all the same.
        if found is None or is_unchanged or found == self._perhaps_saved:
            self.stored = found
            return
        if found.amount_usd != self.purchase.amount_usd:
            raise conflict(found)
        check_same_organisation(found, self.purchase)
        if found.charge_id is None and self.purchase.charge_id is not None:
            # A store that lags behind, or a save that failed. An accepted charge stays accepted.
            self.purchase, self.stored = merged(found, self.purchase), found
            return
        self.purchase = self.stored = found
        # A call that has said "not made" after another said that it sends would have been refused by the revision.
        open_elsewhere = found.status != "not_made" and (self.may_be_made or found.status in ("sending", "pending"))
        self.may_be_made = self._sent or open_elsewhere

    def claim(self, purchase: Purchase) -> Flow[bool]:
        """Save by compare-and-swap. If another call saved first, adopt its purchase and return False.

        Raises:
            BillingError: As for ``refresh``; or it could not be saved.
        """
        purchase = replace(purchase, revision=(self.stored.revision if self.stored else 0) + 1)
        try:
            saved = yield from save_purchase(self._store, purchase, self.lease.terms)
        except BillingError:
            self._perhaps_saved = purchase
            raise
        if saved:
            self.lease.note_renewal()
            self.is_first_to_end = purchase.has_ended
            self.purchase = self.stored = purchase
            return True
        yield from self.refresh()
        return False

    def save_best_effort(self, purchase: Purchase) -> Flow[None]:
        """Save what has already happened, and tell the caller.

        If saving fails, the purchase continues: a later call can find out the same from the portal.
        """
        self.purchase = purchase
        try:
            yield from self._save(purchase)
        except BillingError as error:
            self.purchase = merged(self.purchase, purchase)
            self.is_first_to_end = self.purchase.has_ended
            yield from self.tell(not_kept(error))
        else:
            yield from self.tell(self.purchase)

    def _save(self, purchase: Purchase) -> Flow[None]:
        """Save, merged with what other calls have saved in the meantime."""
        for _ in range(_MOST_TRIES):
            if (yield from self.claim(purchase)):
                return
            if self.stored is not None:
                purchase = merged(self.stored, purchase)
                if purchase == self.stored:
                    return
        raise not_saved("another program keeps changing it")

    def tell(self, progress: Purchase | BillingError) -> Flow[None]:
        """Tell the caller, and renew the lease. One request's error must not speak for the whole purchase.

        Another call may be charging with the same key, and this one goes on.
        """
        yield from self.lease.renew()
        if isinstance(progress, BillingError):
            progress = of_one_request(progress)
        listener = self._on_progress
        if listener is not None:
            yield from call_user("on_progress", lambda: listener(progress))

    def tell_of_poll(self, outcome: ChargeStatus | BillingError) -> Flow[None]:
        """Tell the caller of a poll. The end of a charge is told once it is saved."""
        if isinstance(outcome, BillingError):
            yield from self.tell(outcome)
        elif isinstance(outcome, ChargePending):
            yield from self.tell(self.purchase)
