"""Rate limiting: a sliding window for each organisation and each session."""

import math
from collections import defaultdict, deque

from .clock import MockClock

LIMIT = 5
WINDOW = 3600.0


class Limiter:
    """Admits so many calls in a window of seconds for each name, such as that of an organisation."""

    def __init__(self, clock: MockClock, limit: int = LIMIT, window: float = WINDOW) -> None:
        self._clock = clock
        self._limit = limit
        self._window = window
        self._passed: defaultdict[str, deque[float]] = defaultdict(deque)

    def admit(self, *names: str) -> int | None:
        """Count a call for all its names, or return the whole seconds until it may come, and do not count it."""
        now = self._clock.now()
        windows = [self._passed[name] for name in names]
        for window in windows:
            while window and window[0] <= now - self._window:
                window.popleft()
        waits = [window[0] + self._window - now for window in windows if len(window) >= self._limit]
        if waits:
            return math.ceil(max(waits))
        for window in windows:
            window.append(now)
        return None
