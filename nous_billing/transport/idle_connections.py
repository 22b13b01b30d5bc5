"""Connections that are kept, the one that was used last to be used first.

There is no lock. A signal handler, a fork or another thread could meet it: the operations on the list are atomic, and
who finds that another was faster looks again.
"""

from __future__ import annotations

from contextlib import suppress

from .connection import Connection
from .endpoint import Endpoint

CONNECTIONS = 100
"""At most so many at once. A charge may take seconds, and whoever waits for a connection uses up its deadline."""


class IdleConnections:
    """Idle connections, the one that was used last at the end."""

    def __init__(self) -> None:
        self.is_closed: bool = False
        self._idle: list[Connection] = []

    def take(self, endpoint: Endpoint) -> Connection | None:
        """Return a connection that is still good, if there is one, and close those that are not."""
        for connection in reversed(self._idle.copy()):
            if connection.endpoint == endpoint and self._remove(connection):
                if connection.may_be_used():
                    return connection
                connection.close()
        return None

    def give_back(self, connection: Connection) -> None:
        """Keep a connection that can be used again, or close it."""
        if self.is_closed or not connection.may_be_kept():
            connection.close()
            return
        self._idle.append(connection)
        # Those at the beginning may never be taken again.
        for oldest in self._idle.copy():
            if len(self._idle) <= CONNECTIONS and not oldest.has_expired:
                break
            self._close(oldest)
        if self.is_closed:
            self.close()

    def evict(self, endpoint: Endpoint) -> None:
        """Keep none to this endpoint: one that lay idle has failed, and the path may be dead."""
        for connection in self._idle.copy():
            if connection.endpoint == endpoint:
                self._close(connection)

    def close(self) -> None:
        """Keep none any more."""
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
