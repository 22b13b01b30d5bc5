"""The default store: purchases in memory, for the life of the process."""

from __future__ import annotations

from .._threads import ForkSafeLock
from .purchase import Purchase

_MOST_ENDED = 1000


class MemoryStore:
    """All open purchases, and the most recent ones that have ended."""

    def __init__(self) -> None:
        self._lock = ForkSafeLock()
        self._purchases: dict[str, Purchase] = {}

    def load(self, key: str | None = None) -> list[Purchase]:
        with self._lock, self._lock.current:
            if key is not None:
                return [self._purchases[key]] if key in self._purchases else []
            return [purchase for purchase in self._purchases.values() if not purchase.has_ended]

    def save(self, purchase: Purchase) -> bool:
        with self._lock, self._lock.current:
            kept = self._purchases.get(purchase.key)
            if purchase.revision != (kept.revision if kept else 0) + 1:
                return False
            if purchase.has_ended:
                # The last to end goes to the end of the line, however long ago it was begun.
                self._purchases.pop(purchase.key, None)
            self._purchases[purchase.key] = purchase
            ended = [key for key, kept in self._purchases.items() if kept.has_ended] if purchase.has_ended else []
            for key in ended[:-_MOST_ENDED]:
                del self._purchases[key]
            return True


PROCESS_STORE = MemoryStore()
"""The store of every client in this process that has no other: they share purchases by key."""
