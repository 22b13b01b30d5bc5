"""A purchase, and where it is kept."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol

PurchaseStatus = Literal["sending", "pending", "settled", "failed", "not_made"]
"""``"sending"``: it may have been sent, no reply is known. ``"pending"``: accepted as a charge. ``"settled"``: paid.
``"failed"``: the charge failed, for good. ``"not_made"``: it was refused, or could not be sent; nothing was charged."""

PurchaseDiscrepancy = Literal["other_amount", "settled_and_failed"]
"""``"other_amount"``: the portal settled another amount than was asked for. ``"settled_and_failed"``: it called the
charge settled and failed in turn; the purchase is kept as settled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """One purchase that a person confirmed.

    Attributes:
        key: Its idempotency key.
        amount_usd: Dollars to buy.
        started_at: When it was to be sent, aware of its zone.
        portal_base_url: The portal that it is bound to, from the moment that it may be sent.
        organisation_id: The organisation that it is bound to, likewise.
        organisation_name: The organisation's name, for a person.
        status: How far it has come.
        charge_id: The charge, once it was accepted.
        reason: Why the charge failed (``"card_declined"`` …), or None.
        settled_at: When it was paid, aware of its zone, or None.
        added_usd: Dollars by which the balance was raised, or None.
        other_charge_ids: Further charges that the portal made for the same key, against its promise; normally empty.
        discrepancies: What the portal said of the charge that does not fit; normally empty.
        revision: How often it was saved.
    """

    key: str
    amount_usd: Decimal
    started_at: datetime
    portal_base_url: str = ""
    organisation_id: str = ""
    organisation_name: str = ""
    status: PurchaseStatus = "sending"
    charge_id: str | None = None
    reason: str | None = None
    settled_at: datetime | None = None
    added_usd: Decimal | None = None
    other_charge_ids: tuple[str, ...] = ()
    discrepancies: tuple[PurchaseDiscrepancy, ...] = ()
    revision: int = 0

    @property
    def has_ended(self) -> bool:
        """Whether nothing more can come of it by itself."""
        return self.status in ("settled", "failed", "not_made")


class PurchaseStore(Protocol):
    """Keeps purchases for callers that must survive a crash.

    Called in any thread. It may block, though not for ever: nothing bounds it. What it raises becomes a
    ``BillingPurchaseStoreError``, in which only an ``OSError`` or a ``BillingError`` is quoted. Each field of what it
    returns is checked.
    """

    def load(self, key: str | None = None) -> Iterable[Purchase]:
        """Return the purchase with this key, if there is one; without a key all that have not ended."""
        ...

    def save(self, purchase: Purchase) -> bool:
        """Keep a purchase durably in place of the one with its key; return when a crash can no longer lose it.

        Returns:
            False, and nothing was changed, where the kept purchase's ``revision`` is not one less (or none is kept and
            the revision is not 1): another call is at the same purchase.
        """
        ...


class AsyncPurchaseStore(Protocol):
    """A ``PurchaseStore`` whose methods are awaited, for an ``AsyncBillingClient``."""

    def load(self, key: str | None = None) -> Awaitable[Iterable[Purchase]]:
        """As for ``PurchaseStore``."""
        ...

    def save(self, purchase: Purchase) -> Awaitable[bool]:
        """As for ``PurchaseStore``."""
        ...
