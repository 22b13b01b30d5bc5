"""What one call knows of a purchase, held equal to its store, without I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from ..errors import BillingError, BillingPurchaseStoreError
from ..models import ChargePending, ChargeStatus
from ..protocol.exchange import Flow, RunBlocking
from .messages import conflict, not_kept, not_read, not_saved, wrong_organisation
from .purchase import Purchase, PurchaseStatus, PurchaseStore

T = TypeVar("T")

OnProgress = Callable[[Purchase | BillingError], None]
"""Called with the purchase after each step and each poll, and with each error that is outlived."""

# More than the calls that are at the same purchase at once: each that loses has let another win.
_MOST_TRIES = 64

_KNOWLEDGE: dict[PurchaseStatus, int] = {"not_made": 0, "sending": 1, "pending": 2, "failed": 3, "settled": 3}


class ListenerFailed(Exception):
    """The caller's own ``on_progress`` raised a ``BillingError``, which is none of the purchase."""

    def __init__(self, error: BillingError) -> None:
        self.error = error


class PurchaseRecord:
    """One purchase, its store, and who is told of it.

    Attributes:
        purchase: What is known.
        may_be_made: Whether a charge may have been made, by this call or by another, that is not known to have ended.
    """

    def __init__(self, purchase: Purchase, store: PurchaseStore, on_progress: OnProgress | None) -> None:
        self.purchase: Purchase = purchase
        self.may_be_made: bool = False
        self._store = store
        self._on_progress = on_progress

    def load(self) -> Flow[Purchase | None]:
        """Return what the store has under the key.

        Raises:
            BillingPurchaseStoreError: It could not be read.
        """
        key = self.purchase.key
        found = yield from RunBlocking(
            lambda: _typed(lambda: [checked(item, key) for item in self._store.load(key)], not_read)
        )
        return found[0] if found else None

    def adopt(self, found: Purchase) -> None:
        """Go on with what the store has.

        Raises:
            BillingIdempotencyConflict: It is a purchase of another amount.
            BillingInvalidRequest: It is bound to another organisation (``error="wrong_organisation"``).
        """
        if found.amount_usd != self.purchase.amount_usd:
            raise conflict(found)
        check_same_organisation(found, self.purchase)
        self.purchase = found
        self.may_be_made = self.may_be_made or found.status in ("sending", "pending")

    def save(self, purchase: Purchase) -> Flow[None]:
        """Save before anything else is done. Where another call knows more, what that has saved stands.

        Raises:
            BillingPurchaseStoreError: It could not be saved.
            BillingError: As for ``adopt``.
        """
        for _ in range(_MOST_TRIES):
            purchase = replace(purchase, revision=purchase.revision + 1)
            saved = yield from self._saving(purchase)
            if saved:
                self.purchase = purchase
                break
            # Another call is at the same purchase, and what it has sent is not known here.
            found = yield from self.load()
            if found is not None:
                self.adopt(found)
                if _KNOWLEDGE[found.status] > _KNOWLEDGE[purchase.status]:
                    break
            purchase = replace(purchase, revision=0 if found is None else found.revision)
        else:
            raise not_saved("another program keeps changing it")
        self.tell(self.purchase)

    def save_best_effort(self, purchase: Purchase) -> Flow[None]:
        """Save what has happened already. Where that fails the store knows less, and a later call finds it out anew."""
        self.purchase = purchase
        try:
            yield from self.save(purchase)
        except BillingError as error:
            self.purchase = purchase
            self.tell(not_kept(error))

    def tell(self, progress: Purchase | BillingError) -> None:
        """Let the caller know.

        Raises:
            ListenerFailed: The caller raised a ``BillingError``; anything else comes through as it is.
        """
        try:
            if self._on_progress is not None:
                self._on_progress(progress)
        except BillingError as error:
            raise ListenerFailed(error) from None

    def tell_of_poll(self, outcome: ChargeStatus | BillingError) -> None:
        """Let the caller know of a poll; how a charge ended is told once it is saved."""
        if isinstance(outcome, BillingError):
            self.tell(outcome)
        elif isinstance(outcome, ChargePending):
            self.tell(self.purchase)

    def _saving(self, purchase: Purchase) -> RunBlocking[bool]:
        def save() -> bool:
            saved = self._store.save(purchase)
            if not isinstance(saved, bool):
                raise not_saved(f"save() of the store returned a {type(saved).__name__}, neither True nor False")
            return saved

        return RunBlocking(lambda: _typed(save, not_saved))


def open_purchases(store: PurchaseStore) -> RunBlocking[tuple[list[Purchase], BillingPurchaseStoreError | None]]:
    """Return the step that answers with the purchases of a store that have not ended, and with why others are not
    among them."""

    def load() -> tuple[list[Purchase], BillingPurchaseStoreError | None]:
        purchases: list[Purchase] = []
        try:
            # One by one: what comes before a broken one is not lost with it.
            _typed(lambda: purchases.extend(checked(item) for item in store.load()), not_read)
        except BillingPurchaseStoreError as error:
            return purchases, error
        return purchases, None

    return RunBlocking(load)


def checked(item: object, key: str | None = None) -> Purchase:
    """Return what a store has loaded, or refuse it: a store may be anybody's.

    Raises:
        BillingPurchaseStoreError: It is no purchase, or none that was asked for.
    """
    if not isinstance(item, Purchase) or item.status not in _KNOWLEDGE:
        raise not_read(f"the store returned a {type(item).__name__}, which is no purchase")
    if key not in (None, item.key):
        raise not_read("the store returned a purchase with another key")
    if item.charge_id == "" or (item.charge_id is None) is not (item.status in ("sending", "not_made")):
        raise not_read(f"the store returned a purchase that is {item.status} and whose charge id is {item.charge_id}")
    return item


def check_same_organisation(begun: Purchase, now: Purchase) -> None:
    """Refuse to go on elsewhere than where a purchase was begun, if both are bound already.

    Raises:
        BillingInvalidRequest: ``error="wrong_organisation"``.
    """
    places = {(purchase.portal_base_url, purchase.organisation_id) for purchase in (begun, now)}
    if begun.organisation_id and now.organisation_id and len(places) > 1:
        raise wrong_organisation(begun, now)


def _typed(work: Callable[[], T], failed: Callable[[str], BillingPurchaseStoreError]) -> T:
    try:
        return work()
    except BillingPurchaseStoreError:
        raise
    except BillingError as error:
        raise failed(error.message.removesuffix(".")) from error
    except OSError as error:
        raise failed(error.strerror or type(error).__name__) from error
    except Exception as error:
        # What somebody else's store says may have a password in it.
        raise failed(type(error).__name__) from error
