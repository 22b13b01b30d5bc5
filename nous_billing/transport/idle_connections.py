"""Idle connections, kept for reuse. The most recently used is reused first.

There is no lock: a signal handler or a fork could find it held. Each operation on the list is atomic, and a caller that
loses a race looks again.
"""

from __future__ import annotations

from contextlib import suppress

from .connection import Connection
from .endpoint import Endpoint

CONNECTIONS = 100
"""The most connections at once. A charge may take seconds, and waiting for a free connection uses up the deadline."""


class IdleConnections:
    """Idle connections, the most recently used last."""

    def __init__(self) -> None:
        self.is_closed: bool = False
        self._idle: list[Connection] = []

    def take(self, endpoint: Endpoint) -> Connection | None:
        """Return a usable connection, or None. Close those that can no longer be used."""
        for connection in reversed(self._idle.copy()):
            if connection.endpoint == endpoint and self._remove(connection):
                if connection.may_be_used():
                    return connection
                connection.close()
        return None

    def give_back(self, connection: Connection) -> None:
        """Keep a connection if it can be reused, or close it."""
        if self.is_closed or not connection.may_be_kept():
            connection.close()
            return
        self._idle.append(connection)
        # The oldest may never be taken again, so nothing else would close them.
        for oldest in self._idle.copy():
            if len(self._idle) <= CONNECTIONS and not oldest.has_expired:
                break
            self._close(oldest)
        if self.is_closed:
            self.close()

    def evict(self, endpoint: Endpoint) -> None:
        """Close all idle connections to an endpoint: one of them failed, so the path may be dead."""
        for connection in self._idle.copy():
            if connection.endpoint == endpoint:
                self._close(connection)

    def close(self) -> None:
        """Close all idle connections, and keep no more."""
        self.is_closed = True
        for connection in self._idle.copy():
            self._close(connection)

    def _close(self, connection: Connection) -> None:
        if self._remove(connection):
            connection.close()

    def _remove(self, connection: Connection) -> bool:
        with suppress(ValueError):
            self._idle.remove(connection)
            return True
        return False
