"""The machine's time, but for naps: they are short, and whoever takes one believes it was long."""

import asyncio
import time
from contextvars import ContextVar

FACTOR = 20

# A thread and a task each have their own, and share it with the threads that they start.
_slept: ContextVar[list[float] | None] = ContextVar("slept", default=None)


def _own() -> list[float]:
    slept = _slept.get()
    if slept is None:
        _slept.set(slept := [0.0])
    return slept


def own_time() -> None:
    """Let what this thread or task does from here on have a time of its own."""
    _slept.set([0.0])


class ShortNaps:
    """Time for a `BillingClient`, and for a login."""

    def monotonic(self) -> float:
        return time.monotonic() + _own()[0]

    def time(self) -> float:
        return time.time()

    def sleep(self, seconds: float, /) -> None:
        time.sleep(seconds / FACTOR)
        _own()[0] += seconds - seconds / FACTOR


class AsyncShortNaps(ShortNaps):
    """Time for an `AsyncBillingClient`."""

    async def sleep(self, seconds: float, /) -> None:  # type: ignore[override]
        await asyncio.sleep(seconds / FACTOR)
        _own()[0] += seconds - seconds / FACTOR
