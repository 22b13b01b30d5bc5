"""Requests straight to the portal: connections that are kept, each used by one request at a time.

They are the HTTP library's own; its pool is not. For each request that one looks at every connection and every request
that waits, which a thousand charges at once turn into minutes.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Generic, TypeVar, cast
from urllib.parse import quote, urljoin, urlsplit

import httpcore

from . import transport
from .deadline import ClosingBackend, DeadlineBackend, Sending, sending
from .flow import Send
from .replies import Failure, Reply

CONNECTIONS = 32
"""At most so many at once. Each costs a handshake; and more of them at once do not make one processor faster."""

ConnectionT = TypeVar("ConnectionT", httpcore.HTTPConnection, httpcore.AsyncHTTPConnection)


class _Kept(Generic[ConnectionT]):
    """Idle connections by base URL; the one that was used last is used first."""

    def __init__(self) -> None:
        self.is_closed = False
        self._idle: dict[str, list[ConnectionT]] = {}
        self._lock = threading.Lock()

    def take(self, base_url: str) -> tuple[ConnectionT | None, list[ConnectionT]]:
        """Return a connection that is still good, if there is one, and those that are to be closed."""
        with self._lock:
            idle = self._idle.get(base_url, [])
            dead: list[ConnectionT] = []
            while idle:
                connection = idle.pop()
                if not connection.has_expired():
                    return connection, dead
                dead.append(connection)
            return None, dead

    def give_back(self, base_url: str, connection: ConnectionT) -> list[ConnectionT]:
        """Keep a connection that can be used again, and return those that are to be closed."""
        if not connection.is_idle():
            return [connection]
        with self._lock:
            if self.is_closed:
                return [connection]
            idle = self._idle.setdefault(base_url, [])
            idle.append(connection)
            # The oldest lie at the bottom, and would stay there for ever.
            return [idle.pop(0)] if idle[0].has_expired() else []

    def close(self) -> list[ConnectionT]:
        """Keep none any more, and return those that are to be closed."""
        with self._lock:
            self.is_closed = True
            idle = [connection for connections in self._idle.values() for connection in connections]
            self._idle.clear()
            return idle


class DirectSender:
    """Safe to share between threads."""

    def __init__(self) -> None:
        self._context = transport.ssl_context()
        self._backend = DeadlineBackend(httpcore.SyncBackend())
        self._kept: _Kept[httpcore.HTTPConnection] = _Kept()
        self._free = threading.Semaphore(CONNECTIONS)

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
                response = connection.handle_request(_request(step))
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
            _url(base_url, "").origin, self._context, transport.KEEP_SECONDS, network_backend=self._backend
        )

    def _read(self, response: httpcore.Response, left: Callable[[], float], received_at: float) -> Reply:
        reader = _reader(response, received_at)
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


class AsyncDirectSender:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._context = transport.ssl_context()
        self._backend = ClosingBackend(cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend()))
        self._kept: _Kept[httpcore.AsyncHTTPConnection] = _Kept()
        self._free = asyncio.Semaphore(CONNECTIONS)

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
                    response = await connection.handle_async_request(_request(step))
                    try:
                        reader = _reader(response, now())
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
            _url(base_url, "").origin, self._context, transport.KEEP_SECONDS, network_backend=self._backend
        )

    async def aclose(self) -> None:
        await _aclose(self._kept.close())


def _close(connections: list[httpcore.HTTPConnection]) -> None:
    for connection in connections:
        connection.close()


async def _aclose(connections: list[httpcore.AsyncHTTPConnection]) -> None:
    for connection in connections:
        await connection.aclose()


@lru_cache(maxsize=8)
def _parts(base_url: str) -> tuple[bytes, bytes, int | None, str, str]:
    """Return scheme, host, port, the path before the operation's own, and the header ``Host``."""
    parts = urlsplit(base_url)
    default = {"https": 443, "http": 80}[parts.scheme]
    port = None if parts.port == default else parts.port
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    # Segments such as ".." are folded, as any HTTP library does.
    folded = urlsplit(urljoin(base_url, parts.path)).path
    path = quote(folded, safe="/%:@!$&'()*+,;=~")
    return parts.scheme.encode(), host.encode(), port, path, shown if port is None else f"{shown}:{port}"


def _url(base_url: str, path: str) -> httpcore.URL:
    scheme, host, port, before, _ = _parts(base_url)
    return httpcore.URL(scheme=scheme, host=host, port=port, target=f"{before}{path}")


def _request(step: Send) -> httpcore.Request:
    operation = step.operation
    return httpcore.Request(
        operation.method,
        _url(step.base_url, operation.path),
        headers=[
            ("Host", _parts(step.base_url)[4]),
            *transport.headers(step).items(),
            *([] if operation.body is None else [("Content-Length", str(len(operation.body)))]),
        ],
        content=operation.body,
    )


def _reader(response: httpcore.Response, received_at: float) -> transport.ReplyReader:
    headers: dict[str, str] = {}
    for raw_name, raw_value in response.headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return transport.ReplyReader(response.status, headers, received_at)
