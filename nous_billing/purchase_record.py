"""What one call knows of a purchase, held equal to its store, without I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from .errors import BillingError, BillingIdempotencyConflict, BillingInvalidRequest, BillingPurchaseStoreError
from .flow import Block, Flow
from .models import ChargePending, ChargeStatus
from .purchases import Purchase, PurchaseStatus, PurchaseStore

T = TypeVar("T")

OnProgress = Callable[[Purchase | BillingError], None]
"""Called with the purchase after each step and each poll, and with each error that is outlived."""

# More than the calls that are at the same purchase at once: each that loses has let another win.
_MOST_TRIES = 64

_KNOWLEDGE: dict[PurchaseStatus, int] = {"not_made": 0, "sending": 1, "pending": 2, "failed": 3, "settled": 3}


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

    def find(self) -> Flow[Purchase | None]:
        """Return what the store has under the key."""
        found: list[Purchase] = yield stored(lambda: list(self._store.load(self.purchase.key)), "read")
        return found[0] if found else None

    def take(self, found: Purchase) -> None:
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

    def save(self, **changes: Any) -> Flow[None]:
        """Save the purchase with these changes, before anything else is done.

        Raises:
            BillingPurchaseStoreError: It could not be saved.
        """
        purchase = replace(self.purchase, **changes)
        for _ in range(_MOST_TRIES):
            candidate = replace(purchase, revision=purchase.revision + 1)
            saved: bool = yield stored(lambda: self._store.save(candidate), "saved")  # noqa: B023 - called at once
            if saved:
                self.purchase = candidate
                break
            # Another call is at the same purchase, and what it has sent is not known here.
            found = yield from self.find()
            if found is not None:
                self.take(found)
                # "sending" is said by each that sends: whoever said it before may be about to take it back.
                said = found.status == purchase.status == "sending"
                if _KNOWLEDGE[found.status] >= _KNOWLEDGE[purchase.status] and not said:
                    break
            purchase = replace(purchase, revision=0 if found is None else found.revision)
        else:
            raise _store_error("saved", "another program keeps changing it")
        self.tell(self.purchase)

    def note(self, **changes: Any) -> Flow[None]:
        """Save what has happened already. Where that fails the store knows less, and a later call finds it out anew."""
        try:
            yield from self.save(**changes)
        except BillingError as error:
            self.purchase = replace(self.purchase, **changes)
            self.tell(error)

    def tell(self, progress: Purchase | BillingError) -> None:
        """Let the caller know."""
        if self._on_progress is not None:
            self._on_progress(progress)

    def tell_of_poll(self, outcome: ChargeStatus | BillingError) -> None:
        """Let the caller know of a poll; how a charge ended is told once it is saved."""
        if isinstance(outcome, BillingError):
            self.tell(outcome)
        elif isinstance(outcome, ChargePending):
            self.tell(self.purchase)


def stored(work: Callable[[], Any], done: str) -> Block:
    """Return the step that has a store work, with whatever it raises as a typed error."""

    def typed() -> Any:
        try:
            return work()
        except BillingPurchaseStoreError:
            raise
        except Exception as error:
            raise _store_error(done, str(error) or type(error).__name__) from error

    return Block(typed)


def conflict(purchase: Purchase, error: BillingError | None = None) -> BillingIdempotencyConflict:
    """Return the error for a key that is used for two amounts, as the portal said it or as the store shows it."""
    return BillingIdempotencyConflict(
        f"The key {purchase.key} was already used for another amount. Each purchase that a person confirms needs a key "
        "of its own: this is a fault of the program. Nothing more was charged.",
        status=error.status if error else None,
        error="idempotency_conflict",
        payload=error.payload if error else None,
    )


def check_same_organisation(begun: Purchase, now: Purchase) -> None:
    """Refuse to go on elsewhere than where a purchase was begun, if both are bound already.

    Raises:
        BillingInvalidRequest: ``error="wrong_organisation"``.
    """
    places = {(purchase.portal_base_url, purchase.organisation_id) for purchase in (begun, now)}
    if begun.organisation_id and now.organisation_id and len(places) > 1:
        raise BillingInvalidRequest(
            f"This purchase was begun for {begun.organisation_name} at {begun.portal_base_url}, and the login is now "
            f"for {now.organisation_name} at {now.portal_base_url}. Log in there to go on with it.",
            error="wrong_organisation",
        )


def _store_error(done: str, reason: str) -> BillingPurchaseStoreError:
    # What could not be read may have been sent by an earlier call.
    return BillingPurchaseStoreError(
        f"The purchase could not be {done}: {reason}. Nothing was sent.",
        error="purchase_store_failed",
        outcome_unknown=done == "read",
    )
