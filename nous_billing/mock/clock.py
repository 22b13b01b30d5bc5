"""The portal's clock. Tests move it instead of sleeping."""

import threading
import time
from datetime import UTC, datetime


class MockClock:
    """Real time plus an offset, or, when `frozen`, a time that only `advance` moves. `start` is its first time, in
    seconds since 1970.

    Expiry, settling, the limiter and device codes follow this clock.
    """

    def __init__(self, *, frozen: bool = False, start: float | None = None) -> None:
        self._lock = threading.Lock()
        self._begins_frozen = frozen
        self._begins_at = start
        self._set(start, frozen)

    def _set(self, start: float | None, frozen: bool) -> None:
        self._frozen = frozen
        self._time = time.time() if start is None else start
        # A correction of the system clock does not turn the monotonic clock back.
        self._since = time.monotonic()

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still."""
        return self._frozen

    def now(self) -> float:
        """The time in seconds since 1970."""
        with self._lock:
            return self._now()

    def _now(self) -> float:
        return self._time + (0.0 if self._frozen else time.monotonic() - self._since)

    def datetime(self) -> datetime:
        """The time as an aware datetime in UTC."""
        return datetime.fromtimestamp(self.now(), UTC)

    def advance(self, seconds: float) -> None:
        """Move the clock forward by so many seconds."""
        if seconds < 0:
            raise ValueError("The clock only moves forward.")
        with self._lock:
            self._time += seconds

    def freeze(self, frozen: bool = True) -> None:
        """Let the clock stand still, or run again from where it stands."""
        with self._lock:
            self._time, self._since, self._frozen = self._now(), time.monotonic(), frozen

    def restart(self, *, start: float | None = None, frozen: bool | None = None) -> None:
        """Set the clock back to its first time, or to another."""
        with self._lock:
            self._set(self._begins_at if start is None else start, self._begins_frozen if frozen is None else frozen)
