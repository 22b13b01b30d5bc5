"""Requests straight to the portal, with no proxy between, in the running task."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import cast

import httpcore

from ..protocol.exchange import Send
from ..protocol.replies import Failure, Reply
from . import connection_pool as connections
from . import sender as transport
from .deadline import ClosingBackend, InFlightRequest, current_request


class AsyncDirectSender:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._context = transport.ssl_context()
        self._backend = ClosingBackend(cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend()))
        self._kept: connections.IdleConnections[httpcore.AsyncHTTPConnection] = connections.IdleConnections()
        self._free = asyncio.Semaphore(connections.CONNECTIONS)

    @property
    def is_closed(self) -> bool:
        return self._kept.is_closed

    async def send(self, step: Send, seconds: float, now: Callable[[], float]) -> Reply | Failure:
        reader: transport.ReplyReader | None = None
        reply: Reply | None = None
        kept = None
        origin = connections.origin(step.base_url)
        token = current_request.set(InFlightRequest(time.monotonic() + seconds))
        try:
            async with asyncio.timeout(seconds), self._free:
                kept, done = self._kept.take(origin)
                try:
                    connection = kept or self._connection(origin)
                    try:
                        response = await connection.handle_async_request(connections.request(step))
                        try:
                            reader = connections.reader(response, now())
                            if reader.wants_more():
                                async for chunk in response.aiter_stream():
                                    if not reader.wants_more(chunk):
                                        break
                            reply = reader.reply()
                        finally:
                            await response.aclose()
                    finally:
                        done += self._kept.give_back(connection)
                finally:
                    await _aclose(done)
        except TimeoutError:
            failure = transport.timed_out(sent=current_request.get().sent)
        except Exception as error:  # noqa: BLE001 - whatever the HTTP library raises becomes a typed error
            failure = transport.failure_of(error, sent=current_request.get().sent, kept=kept is not None)
        else:
            return reader.reply()
        finally:
            current_request.reset(token)
        if reply is not None:
            return reply
        if kept is not None:
            await _aclose(self._kept.evict(origin))
        # Where the status has come it says more than the failure to read on.
        return failure if reader is None else reader.reply(failure)

    def _connection(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        return httpcore.AsyncHTTPConnection(
            origin, self._context, transport.KEEP_SECONDS, network_backend=self._backend
        )

    async def aclose(self) -> None:
        await _aclose(self._kept.close())


async def _aclose(done: list[httpcore.AsyncHTTPConnection]) -> None:
    # One that is cut short or fails does not keep the others open.
    with suppress(Exception):
        async with AsyncExitStack() as stack:
            for connection in done:
                stack.push_async_callback(connection.aclose)
