"""Connections of httpcore that are kept, each used by one request at a time, and what goes over them.

The connections are the library's own; its pool is not. For each request that one looks at every connection and every
request that waits, which a thousand charges at once turn into minutes.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Generic, TypeVar
from urllib.parse import quote, urljoin, urlsplit

import httpcore

from . import transport
from .flow import Send

CONNECTIONS = 32
"""At most so many at once. Each costs a handshake; and more of them at once do not make one processor faster."""

ConnectionT = TypeVar("ConnectionT", httpcore.HTTPConnection, httpcore.AsyncHTTPConnection)


class Kept(Generic[ConnectionT]):
    """Idle connections by base URL; the one that was used last is used first."""

    def __init__(self) -> None:
        self.is_closed: bool = False
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
        if not connection.is_available():
            return [connection]
        with self._lock:
            if self.is_closed:
                return [connection]
            idle = self._idle.setdefault(base_url, [])
            idle.append(connection)
            # The oldest lie at the bottom, and would stay there for ever.
            return [idle.pop(0)] if len(idle) > 1 and idle[0].has_expired() else []

    def close(self) -> list[ConnectionT]:
        """Keep none any more, and return those that are to be closed."""
        with self._lock:
            self.is_closed = True
            idle = [connection for connections in self._idle.values() for connection in connections]
            self._idle.clear()
            return idle


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
