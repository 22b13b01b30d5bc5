"""Requests straight to the portal, with no proxy between, in the running task."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import cast

import httpcore

from . import connections, transport
from .deadline import ClosingBackend, Sending, sending
from .flow import Send
from .replies import Failure, Reply


class AsyncDirectSender:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._context = transport.ssl_context()
        self._backend = ClosingBackend(cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend()))
        self._kept: connections.Kept[httpcore.AsyncHTTPConnection] = connections.Kept()
        self._free = asyncio.Semaphore(connections.CONNECTIONS)

    @property
    def is_closed(self) -> bool:
        return self._kept.is_closed

    async def send(self, step: Send, seconds: float, now: Callable[[], float]) -> Reply | Failure:
        reader: transport.ReplyReader | None = None
        kept = None
        token = sending.set(Sending(time.monotonic() + seconds))
        try:
            async with asyncio.timeout(seconds), self._free:
                kept, dead = self._kept.take(step.base_url)
                await _aclose(dead)
                connection = kept or self._connection(step.base_url)
                try:
                    response = await connection.handle_async_request(connections.request(step))
                    try:
                        reader = connections.reader(response, now())
                        if reader.wants_more():
                            async for chunk in response.aiter_stream():
                                if not reader.wants_more(chunk):
                                    break
                    finally:
                        await response.aclose()
                finally:
                    await _aclose(self._kept.give_back(step.base_url, connection))
        except TimeoutError:
            failure = transport.timed_out(sent=sending.get().sent)
        except Exception as error:  # noqa: BLE001 - whatever the HTTP library raises becomes a typed error
            failure = transport.failure_of(error, sent=sending.get().sent, kept=kept is not None)
        else:
            return reader.reply()
        finally:
            sending.reset(token)
        # Where the status has come it says more than the failure to read on.
        return failure if reader is None else reader.reply(failure)

    def _connection(self, base_url: str) -> httpcore.AsyncHTTPConnection:
        return httpcore.AsyncHTTPConnection(
            connections.origin(base_url), self._context, transport.KEEP_SECONDS, network_backend=self._backend
        )

    async def aclose(self) -> None:
        await _aclose(self._kept.close())


async def _aclose(done: list[httpcore.AsyncHTTPConnection]) -> None:
    for connection in done:
        await connection.aclose()
