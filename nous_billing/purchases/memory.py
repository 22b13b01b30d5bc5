"""Purchases without a store: for as long as the process lives."""

from __future__ import annotations

from .._threads import ForkSafeLock
from .purchase import Purchase

_MOST_ENDED = 1000


class MemoryStore:
    """All purchases that have not ended, and the last that have."""

    def __init__(self) -> None:
        self._lock = ForkSafeLock()
        self._purchases: dict[str, Purchase] = {}

    def load(self, key: str | None = None) -> list[Purchase]:
        with self._lock.current:
            if key is not None:
                return [self._purchases[key]] if key in self._purchases else []
            return [purchase for purchase in self._purchases.values() if not purchase.has_ended]

    def save(self, purchase: Purchase) -> bool:
        with self._lock.current:
            kept = self._purchases.get(purchase.key)
            if purchase.revision != (kept.revision if kept else 0) + 1:
                return False
            self._purchases[purchase.key] = purchase
            ended = [key for key, kept in self._purchases.items() if kept.has_ended] if purchase.has_ended else []
            for key in ended[:-_MOST_ENDED]:
                del self._purchases[key]
            return True


PROCESS_STORE = MemoryStore()
"""What every client of this process uses that is given no store: the same key is the same purchase in all of them."""
