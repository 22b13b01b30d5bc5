"""Time, so that tests can move it instead of waiting."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from typing import Protocol

DEFAULT_TIMEOUT = 15.0
"""Seconds for one call, token refresh and second try included: a hung portal must not hold a screen."""


class BaseClock(Protocol):
    """What both clients read."""

    def monotonic(self) -> float:
        """Seconds that never go back, for deadlines."""
        ...

    def time(self) -> float:
        """Seconds since 1970, for dates."""
        ...


class Clock(BaseClock, Protocol):
    """The time of a ``BillingClient``."""

    def sleep(self, seconds: float, /) -> None:
        """Wait."""
        ...


class AsyncClock(BaseClock, Protocol):
    """The time of an ``AsyncBillingClient``."""

    def sleep(self, seconds: float, /) -> Awaitable[None]:
        """Wait without blocking the event loop."""
        ...


class SystemClock:
    """The machine's time."""

    def monotonic(self) -> float:
        return time.monotonic()

    def time(self) -> float:
        return time.time()

    def sleep(self, seconds: float, /) -> None:
        time.sleep(seconds)


class AsyncSystemClock:
    """The machine's time, for a task."""

    def monotonic(self) -> float:
        return time.monotonic()

    def time(self) -> float:
        return time.time()

    async def sleep(self, seconds: float, /) -> None:
        import asyncio

        await asyncio.sleep(seconds)
