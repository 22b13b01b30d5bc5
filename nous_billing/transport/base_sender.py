"""What the senders for a thread and for a task share: all but reading and writing."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

import h11

from .._threads import SharedWork
from ..protocol.exchange import Send
from ..protocol.replies import Failure, Reply
from . import sender as transport
from .connection import Connection, NotConnected, Preparation, prepare
from .endpoint import Endpoint, target
from .http1 import Disconnected, InFlightRequest
from .idle_connections import IdleConnections
from .proxies import ProxySetting, proxy_for
from .tunnel import ProxyRefused


class BaseSocketSender:
    """Connections of the SDK's own, and what a request does with one."""

    def __init__(self, ssl_context: ssl.SSLContext | None, proxy: ProxySetting) -> None:
        self._ssl_context = ssl_context
        self._proxy: ProxySetting = proxy
        self._idle = IdleConnections()
        self._preparing: SharedWork[Preparation] = SharedWork("nous-billing-look-up")

    @property
    def is_closed(self) -> bool:
        return self._idle.is_closed

    def _attempt(self, step: Send, now: Callable[[], float]) -> Attempt:
        to = target(step.base_url, proxy_for(step.base_url, self._proxy))
        return Attempt(self._idle, to.endpoint, InFlightRequest(step, to, now), alone=transport.moves_money(step))

    def _prepared(self, endpoint: Endpoint) -> Future[Preparation]:
        """Have found out in a thread what has to be known.

        Not in an event loop's own threads, which a resolver that hangs would use up.
        """
        return self._preparing.under_way(endpoint) or self._preparing.begin(
            endpoint, partial(prepare, endpoint, self._ssl_context)
        )

    def close(self) -> None:
        """Close the connections that are idle, and each that is in use when its request has ended."""
        self._idle.close()


class Attempt:
    """One request, and the connection that carries it.

    Attributes:
        connection: The one it travels on; until it has one, None.
    """

    def __init__(self, idle: IdleConnections, endpoint: Endpoint, request: InFlightRequest, *, alone: bool) -> None:
        self.endpoint = endpoint
        self.request = request
        # Where money moves nothing that another exchange left behind may answer, and no idle connection may die.
        self.connection: Connection | None = None if alone else idle.take(endpoint)
        self._was_kept = self.connection is not None
        self._alone = alone
        self._idle = idle

    def end(self) -> None:
        """Keep the connection, if it can be used again, or close it. Never waits."""
        if self.connection is None:
            return
        if self._alone:
            self.connection.close()
        else:
            self._idle.give_back(self.connection)

    def failure(self, error: Exception) -> Reply | Failure:
        """Say what became of a request that failed."""
        failure = self._explained(error)
        if self._was_kept:
            self._idle.evict(self.endpoint)
        # Where the status has come it says more than the failure to read on.
        return failure if self.request.reader is None else self.request.reader.reply(failure)

    def _explained(self, error: Exception) -> Failure:
        sent = self.request.sent
        # One with a number is the system's: the other side has been silent for minutes.
        if isinstance(error, TimeoutError) and error.errno is None:
            late = "" if self.connection is not None else f" before there was a connection to {self.endpoint}"
            return Failure(f"the time allowed for the call has passed{late}", sent=sent, timed_out=True)
        if isinstance(error, h11.LocalProtocolError):
            # Its message quotes the header that it refuses, which may be the token's.
            return Failure("the request could not be written", sent=sent)
        broken = isinstance(error, (OSError, Disconnected))
        if isinstance(error, (NotConnected, ProxyRefused, Disconnected, h11.ProtocolError)):
            reason = str(error).rstrip(".")
        elif self.connection is None:
            reason = f"no connection to {self.endpoint} ({_system_reason(error)})"
        else:
            reason = "the connection broke" if broken else type(error).__name__
        # Its frames hold the request's headers.
        error.__context__ = None
        return Failure(reason, sent=sent, stale=self._was_kept and broken, cause=error.with_traceback(None))


def _system_reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno:
        # An event loop puts words of its own in its place.
        return os.strerror(error.errno)
    return str(error) or type(error).__name__
