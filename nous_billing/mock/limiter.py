"""Rate limiting: a sliding window of an hour for each organisation and each session."""

import math
from collections import defaultdict, deque

from .clock import MockClock

LIMIT = 5
WINDOW = 3600.0


class Limiter:
    """Admits `LIMIT` calls an hour for each name, such as that of an organisation."""

    def __init__(self, clock: MockClock) -> None:
        self._clock = clock
        self._passed: defaultdict[str, deque[float]] = defaultdict(deque)

    def admit(self, *names: str) -> int | None:
        """Count a call for all its names, or return the whole seconds until it may come, and do not count it."""
        now = self._clock.now()
        windows = [self._passed[name] for name in names]
        for window in windows:
            while window and window[0] <= now - WINDOW:
                window.popleft()
        waits = [window[0] + WINDOW - now for window in windows if len(window) >= LIMIT]
        if waits:
            return math.ceil(max(waits))
        for window in windows:
            window.append(now)
        return None
