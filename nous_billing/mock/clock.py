"""The portal's clock, which tests move instead of sleeping."""

import threading
import time
from datetime import UTC, datetime


class MockClock:
    """Real time plus an offset, or, when `frozen`, a time that moves by `advance` alone.

    Everything in the mock that has to do with time reads this clock: expiry, settling, the limiter, device codes.
    """

    def __init__(self, *, frozen: bool = False) -> None:
        self._frozen = frozen
        self._started = time.time()
        self._monotonic = time.monotonic()
        self._offset = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """The time in seconds since 1970."""
        # The monotonic clock carries the time on, so that a corrected system clock cannot turn it back.
        elapsed = 0.0 if self._frozen else time.monotonic() - self._monotonic
        return self._started + elapsed + self._offset

    def datetime(self) -> datetime:
        """The time as an aware datetime in UTC."""
        return datetime.fromtimestamp(self.now(), UTC)

    def advance(self, seconds: float) -> None:
        """Move the clock forward by so many seconds."""
        if seconds < 0:
            raise ValueError("The clock only moves forward.")
        with self._lock:
            self._offset += seconds
