"""Leases: which of several machines works on an open purchase right now."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol

from .purchase import AsyncPurchaseStore, Purchase, PurchaseStore


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseLease:
    """What a call asks a store for.

    Attributes:
        holder: The call; no other has the same.
        seconds: How long the lease lasts from now on, by the store's clock, unless it is acquired again.
    """

    holder: str
    seconds: float


class LeasingPurchaseStore(PurchaseStore, Protocol):
    """A ``PurchaseStore`` that machines share.

    A lease is advisory: it never keeps a call from making a charge or from saving what it knows. It only spares other
    calls a purchase that is being worked on: they neither poll it nor report it as uncertain.
    """

    def save(self, purchase: Purchase, *, lease: PurchaseLease | None = None) -> bool:
        """As for ``PurchaseStore``. With a lease, give it to its holder in the same transaction, whoever had one.

        A purchase that has ended has no lease any more.
        """
        ...

    def acquire_lease(self, key: str, lease: PurchaseLease) -> bool:
        """Give or renew a lease. Return False if another holder has one, or if no open purchase has this key."""
        ...

    def release_lease(self, key: str, holder: str) -> None:
        """End a lease of this holder, if there is one."""
        ...


class AsyncLeasingPurchaseStore(AsyncPurchaseStore, Protocol):
    """A ``LeasingPurchaseStore`` whose methods are awaited, for an ``AsyncBillingClient``."""

    def save(self, purchase: Purchase, *, lease: PurchaseLease | None = None) -> Awaitable[bool]:
        """As for ``LeasingPurchaseStore``."""
        ...

    def acquire_lease(self, key: str, lease: PurchaseLease) -> Awaitable[bool]:
        """As for ``LeasingPurchaseStore``."""
        ...

    def release_lease(self, key: str, holder: str) -> Awaitable[None]:
        """As for ``LeasingPurchaseStore``."""
        ...
