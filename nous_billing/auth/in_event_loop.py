"""Runs a blocking login in a thread, without blocking the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import wait
from functools import partial
from inspect import isawaitable
from typing import TypeVar

from .._threads import start
from .device_login import DeviceCode, check_callbacks

T = TypeVar("T")

# How long to wait for the event loop to show a code, or to raise.
_SHOW_SECONDS = 5.0


async def beside_loop(
    work: Callable[..., T],
    on_code: Callable[[DeviceCode], Awaitable[None] | None],
    cancelled: Callable[[], bool | Awaitable[bool]] | None,
) -> T:
    check_callbacks(on_code, cancelled)
    loop = asyncio.get_running_loop()
    abandoned = threading.Event()

    def show(code: DeviceCode) -> None:
        async def show_in_loop() -> None:
            shown = None if abandoned.is_set() else on_code(code)
            if isawaitable(shown):
                await shown

        showing = asyncio.run_coroutine_threadsafe(show_in_loop(), loop)
        # A loop that has stopped never answers, and a person may look at the code while the portal is polled.
        if wait({showing}, timeout=_SHOW_SECONDS).done:
            showing.result()

    def stopped() -> bool:
        asked = abandoned.is_set() or (cancelled is not None and cancelled())
        if not isawaitable(asked):
            return bool(asked)
        answering = asyncio.run_coroutine_threadsafe(_awaited(asked), loop)
        return answering.result() if wait({answering}, timeout=_SHOW_SECONDS).done else abandoned.is_set()

    working = asyncio.wrap_future(
        start(partial(work, show, cancelled=stopped), name="nous-billing-login", daemon=False)
    )
    try:
        return await working
    finally:
        abandoned.set()


async def _awaited(asked: Awaitable[bool]) -> bool:
    return await asked
