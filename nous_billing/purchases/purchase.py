"""A purchase, and the protocol of the stores that keep it."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol

from ..portal import BILLING_PATH, portal_link
from . import sentences

PurchaseStatus = Literal["sending", "pending", "settled", "failed", "not_made"]
"""``"sending"``: the charge may have been sent, and no reply is known. ``"pending"``: the portal accepted the charge.
``"settled"``: paid. ``"failed"``: the charge failed for good. ``"not_made"``: the charge was refused or never sent, so
nothing was charged. A type checker narrows it: after ``match purchase.status`` with these five cases, ``assert_never``
holds."""

PurchaseDiscrepancy = Literal["other_amount", "settled_and_failed"]
"""``"other_amount"``: the portal settled another amount than requested. ``"settled_and_failed"``: the portal reported
the charge once as settled and once as failed; the purchase counts as settled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """One purchase that a person confirmed.

    Attributes:
        key: Its idempotency key.
        amount_usd: Dollars to buy.
        started_at: When its charge was first to be sent, with a time zone.
        portal_base_url: The portal that it is bound to; empty until it may be sent.
        organisation_id: The organisation that it is bound to; empty until it may be sent.
        organisation_name: The organisation's name, to show to a person.
        status: Its state.
        charge_id: The id of the accepted charge, or None.
        reason: Why the charge failed (``"card_declined"`` …), or None.
        settled_at: When it was paid, with a time zone, or None.
        added_usd: Dollars that were added to the balance, or None.
        other_charge_ids: Further charges that the portal made for the same key, against its promise; normally empty.
        discrepancies: Contradictions in the portal's replies about the charge; normally empty.
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
        """Whether it is settled, failed or not made."""
        return self.status in ("settled", "failed", "not_made")

    @property
    def portal_url(self) -> str | None:
        """The billing page of its portal, or None while it is bound to none."""
        return portal_link(self.portal_base_url, BILLING_PATH)

    @property
    def message(self) -> str:
        """What is known of it, in sentences for a person.

        >>> now = datetime.fromisoformat("2026-06-13T10:00:00Z")
        >>> purchase = Purchase(
        ...     key="1", amount_usd=Decimal(50), started_at=now, status="settled"
        ... )
        >>> purchase.message
        'The purchase of $50.00 is paid.'
        """
        what = sentences.subject(self.amount_usd, self.organisation_name)
        if self.other_charge_ids:
            charge_ids = (str(self.charge_id), *self.other_charge_ids)
            known = sentences.duplicated(what, charge_ids, self.status if self.has_ended else None)
            return f"{known} Look at the billing page, and do not buy again."
        match self.status:
            case "sending":
                return (
                    f"It is not known yet whether {what} was charged. Wait, or look at the billing page before you buy "
                    "again."
                )
            case "pending":
                return f"The charge of {what} was accepted. It is not known yet whether it is paid."
            case "settled":
                also_failed = "settled_and_failed" in self.discrepancies
                return sentences.settled(what, self.amount_usd, self.added_usd, also_failed=also_failed)
            case "failed":
                return sentences.failed(what, self.reason)
            case _:
                return f"The purchase of {what} was not made. Nothing was charged."


class PurchaseStore(Protocol):
    """Keeps purchases for callers that must survive a crash.

    The SDK calls it in any thread. It may block, but must return: no timeout covers it. An exception becomes a
    ``BillingPurchaseStoreError``, which quotes only an ``OSError`` or a ``BillingError``. The SDK validates each
    field of what it returns.
    """

    def load(self, key: str | None = None) -> Iterable[Purchase]:
        """Return the purchase with this key, if there is one; without a key, all that have not ended."""
        ...

    def save(self, purchase: Purchase) -> bool:
        """Save a purchase durably under its key (compare-and-swap). Return once a crash can no longer lose it.

        Returns:
            True if it was saved. False, with nothing changed, if the stored ``revision`` is not one less (or if nothing
            is stored and the revision is not 1): another call has saved the purchase in the meantime.
        """
        ...


class AsyncPurchaseStore(Protocol):
    """A ``PurchaseStore`` whose methods are awaited, for an ``AsyncBillingClient``.

    Each is awaited in a task of its own, which goes on if that of the call is cancelled.
    """

    def load(self, key: str | None = None) -> Awaitable[Iterable[Purchase]]:
        """As for ``PurchaseStore``."""
        ...

    def save(self, purchase: Purchase) -> Awaitable[bool]:
        """As for ``PurchaseStore``."""
        ...
