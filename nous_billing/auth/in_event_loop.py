"""Runs a blocking login in a thread, without blocking the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import wait
from functools import partial
from typing import TypeVar

from .._threads import start
from .device_login import DeviceCode

T = TypeVar("T")

# How long to wait for the event loop to show a code, or to raise.
_SHOW_SECONDS = 5.0


async def beside_loop(
    work: Callable[..., T], on_code: Callable[[DeviceCode], None], cancelled: Callable[[], bool] | None
) -> T:
    loop = asyncio.get_running_loop()
    abandoned = threading.Event()

    def show(code: DeviceCode) -> None:
        async def show_in_loop() -> None:
            if not abandoned.is_set():
                on_code(code)

        showing = asyncio.run_coroutine_threadsafe(show_in_loop(), loop)
        # A loop that has stopped never answers, and a person may look at the code while the portal is polled.
        if wait({showing}, timeout=_SHOW_SECONDS).done:
            showing.result()

    def stopped() -> bool:
        return abandoned.is_set() or (cancelled is not None and cancelled())

    working = asyncio.wrap_future(
        start(partial(work, show, cancelled=stopped), name="nous-billing-login", daemon=False)
    )
    try:
        return await working
    finally:
        abandoned.set()
