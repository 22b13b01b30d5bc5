"""Requests straight to the portal, with no proxy between, in the calling thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from queue import Empty, SimpleQueue

import httpcore

from ..protocol.exchange import Send
from ..protocol.replies import Failure, Reply
from . import connection_pool as connections
from . import sender as transport
from .deadline import DeadlineBackend, InFlightRequest, current_request


class DirectSender:
    """Safe to share between threads."""

    def __init__(self) -> None:
        self._context = transport.ssl_context()
        self._backend = DeadlineBackend(httpcore.SyncBackend())
        self._kept: connections.IdleConnections[httpcore.HTTPConnection] = connections.IdleConnections()
        # No semaphore: an interrupt inside one, which is written in Python, could leave it held for ever.
        self._permits: SimpleQueue[None] = SimpleQueue()
        for _ in range(connections.CONNECTIONS):
            self._permits.put(None)

    @property
    def is_closed(self) -> bool:
        return self._kept.is_closed

    def send(self, step: Send, seconds: float, left: Callable[[], float], now: Callable[[], float]) -> Reply | Failure:
        token = current_request.set(InFlightRequest(time.monotonic() + seconds))
        try:
            try:
                self._permits.get(timeout=seconds)
            except Empty:
                return transport.timed_out(sent=False)
            try:
                return self._exchange(step, left, now)
            finally:
                self._permits.put(None)
        finally:
            current_request.reset(token)

    def _exchange(self, step: Send, left: Callable[[], float], now: Callable[[], float]) -> Reply | Failure:
        origin = connections.origin(step.base_url)
        kept, done = self._kept.take(origin)
        try:
            connection = kept or self._connection(origin)
            try:
                response = connection.handle_request(connections.request(step))
                try:
                    return self._read(response, left, now())
                finally:
                    # What was read counts, though closing fails.
                    with suppress(Exception):
                        response.close()
            finally:
                done += self._kept.give_back(connection)
        except Exception as error:  # noqa: BLE001 - whatever the HTTP library raises becomes a typed error
            if kept is not None:
                done += self._kept.evict(origin)
            return transport.failure_of(error, sent=current_request.get().sent, kept=kept is not None)
        finally:
            _close(done)

    def _connection(self, origin: httpcore.Origin) -> httpcore.HTTPConnection:
        return httpcore.HTTPConnection(origin, self._context, transport.KEEP_SECONDS, network_backend=self._backend)

    def _read(self, response: httpcore.Response, left: Callable[[], float], received_at: float) -> Reply:
        reader = connections.reader(response, received_at)
        try:
            if reader.wants_more():
                for chunk in response.iter_stream():
                    if not left():
                        return reader.reply(transport.timed_out(sent=True))
                    if not reader.wants_more(chunk):
                        break
        except Exception as error:  # noqa: BLE001 - the same; but the status has come, and says more
            return reader.reply(transport.failure_of(error, sent=True, kept=False))
        return reader.reply()

    def close(self) -> None:
        _close(self._kept.close())


def _close(done: list[httpcore.HTTPConnection]) -> None:
    with suppress(Exception), ExitStack() as stack:
        for connection in done:
            stack.callback(connection.close)
