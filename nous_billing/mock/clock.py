"""The portal's clock. Tests move it instead of sleeping."""

import threading
import time
from datetime import UTC, datetime


class MockClock:
    """Real time plus an offset, or, when `frozen`, a time that only `advance` moves.

    Expiry, settling, the limiter and device codes follow this clock.
    """

    def __init__(self, *, frozen: bool = False) -> None:
        self._frozen = frozen
        self._started = time.time()
        self._monotonic = time.monotonic()
        self._offset = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """The time in seconds since 1970."""
        # A correction of the system clock does not turn the monotonic clock back.
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
