"""Requests straight to the portal, with no proxy between, in the calling thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import httpcore

from . import connections, transport
from .deadline import DeadlineBackend, Sending, sending
from .flow import Send
from .replies import Failure, Reply


class DirectSender:
    """Safe to share between threads."""

    def __init__(self) -> None:
        self._context = transport.ssl_context()
        self._backend = DeadlineBackend(httpcore.SyncBackend())
        self._kept: connections.Kept[httpcore.HTTPConnection] = connections.Kept()
        self._free = threading.Semaphore(connections.CONNECTIONS)

    @property
    def is_closed(self) -> bool:
        return self._kept.is_closed

    def send(self, step: Send, seconds: float, left: Callable[[], float], now: Callable[[], float]) -> Reply | Failure:
        moment = time.monotonic() + seconds
        if not self._free.acquire(timeout=seconds):
            return transport.timed_out(sent=False)
        token = sending.set(Sending(moment))
        kept = None
        try:
            kept, dead = self._kept.take(step.base_url)
            _close(dead)
            connection = kept or self._connection(step.base_url)
            try:
                response = connection.handle_request(connections.request(step))
                try:
                    return self._read(response, left, now())
                finally:
                    response.close()
            finally:
                _close(self._kept.give_back(step.base_url, connection))
        except Exception as error:  # noqa: BLE001 - whatever the HTTP library raises becomes a typed error
            return transport.failure_of(error, sent=sending.get().sent, kept=kept is not None)
        finally:
            sending.reset(token)
            self._free.release()

    def _connection(self, base_url: str) -> httpcore.HTTPConnection:
        return httpcore.HTTPConnection(
            connections.origin(base_url), self._context, transport.KEEP_SECONDS, network_backend=self._backend
        )

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
    for connection in done:
        connection.close()
