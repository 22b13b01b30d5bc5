"""Connections of httpcore that are kept, each used by one request at a time, and what goes over them.

The connections are the library's own; its pool is not. For each request that one looks at every connection and every
request that waits, which a thousand charges at once turn into minutes.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import httpcore

from ..protocol.exchange import Send
from . import sender as transport

CONNECTIONS = 100
"""At most so many at once. A charge may take seconds, and whoever waits for a connection uses up its deadline."""

ConnectionT = TypeVar("ConnectionT", httpcore.HTTPConnection, httpcore.AsyncHTTPConnection)


class IdleConnections(Generic[ConnectionT]):
    """Idle connections, the one that was used last at the end, from where they are taken."""

    def __init__(self) -> None:
        self.is_closed: bool = False
        self._idle: list[ConnectionT] = []
        self._lock = threading.Lock()

    def take(self, origin: httpcore.Origin) -> tuple[ConnectionT | None, list[ConnectionT]]:
        """Return a connection that is still good, if there is one, and those that are to be closed."""
        dead: list[ConnectionT] = []
        with self._lock:
            for connection in reversed(self._idle.copy()):
                if connection.can_handle_request(origin):
                    self._idle.remove(connection)
                    if not connection.has_expired():
                        return connection, dead
                    dead.append(connection)
        return None, dead

    def give_back(self, connection: ConnectionT) -> list[ConnectionT]:
        """Keep a connection that can be used again, and return those that are to be closed."""
        if not connection.is_available() or has_unread_bytes(connection):
            return [connection]
        done: list[ConnectionT] = []
        with self._lock:
            if self.is_closed:
                return [connection]
            self._idle.append(connection)
            # Those at the beginning may never be taken again.
            while len(self._idle) > CONNECTIONS or (len(self._idle) > 1 and self._idle[0].has_expired()):
                done.append(self._idle.pop(0))
        return done

    def evict(self, origin: httpcore.Origin) -> list[ConnectionT]:
        """Keep none to this origin, and return them: one that lay idle has failed, and the path may be dead."""
        with self._lock:
            doubtful = [each for each in self._idle if each.can_handle_request(origin)]
            self._idle = [each for each in self._idle if each not in doubtful]
            return doubtful

    def close(self) -> list[ConnectionT]:
        """Keep none any more, and return those that are to be closed."""
        with self._lock:
            self.is_closed = True
            idle, self._idle = self._idle, []
            return idle


def has_unread_bytes(connection: httpcore.HTTPConnection | httpcore.AsyncHTTPConnection) -> bool:
    """Whether the portal sent more than its reply, which would be taken for the next one.

    There is no public way to know. A test fails when these attributes are gone.
    """
    inner: Any = connection._connection  # pyright: ignore[reportPrivateUsage]
    unread, _ = inner._h11_state.trailing_data
    return bool(unread)


@lru_cache(maxsize=8)
def _parts(base_url: str) -> tuple[bytes, bytes, int | None, str, str]:
    """Return scheme, host, port, the path before the operation's own, and the header ``Host``."""
    parts = urlsplit(base_url)
    default = {"https": 443, "http": 80}[parts.scheme]
    port = None if parts.port == default else parts.port
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    return parts.scheme.encode(), host.encode(), port, parts.path, shown if port is None else f"{shown}:{port}"


def _url(base_url: str, path: str) -> httpcore.URL:
    scheme, host, port, before, _ = _parts(base_url)
    return httpcore.URL(scheme=scheme, host=host, port=port, target=f"{before}{path}")


@lru_cache(maxsize=8)
def origin(base_url: str) -> httpcore.Origin:
    """Return whom a connection is made to."""
    return _url(base_url, "").origin


def request(step: Send) -> httpcore.Request:
    """Return the request of a step."""
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


def reader(response: httpcore.Response, received_at: float) -> transport.ReplyReader:
    """Return what collects the body of a response."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in response.headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return transport.ReplyReader(response.status, headers, received_at)
