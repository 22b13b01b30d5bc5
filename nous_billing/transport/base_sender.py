"""What the blocking and the asyncio sender share: everything but reading and writing."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial

import h11

from .._threads import SharedWork
from ..protocol.exchange import Send
from ..protocol.replies import Failure, Reply
from . import sender as transport
from .connection import Connection, Preparation, prepare
from .endpoint import Endpoint, NotConnected, target
from .http1 import Disconnected, InFlightRequest
from .idle_connections import IdleConnections
from .proxies import ProxySetting, proxy_for
from .tunnel import ProxyRefused


class BaseSocketSender:
    """The SDK's own connections, and how a request uses one."""

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
        """Prepare a connection in a thread (single-flight: concurrent calls share one look-up).

        Not in an event loop's own executor, whose threads a hanging resolver would use up.
        """
        return self._preparing.under_way(endpoint) or self._preparing.begin(
            endpoint, partial(prepare, endpoint, self._ssl_context)
        )

    def close(self) -> None:
        """Close idle connections now, and each busy one when its request ends."""
        self._idle.close()


class Attempt:
    """One request, and the connection that carries it.

    Attributes:
        connection: The connection that carries it, or None while it has none.
    """

    def __init__(self, idle: IdleConnections, endpoint: Endpoint, request: InFlightRequest, *, alone: bool) -> None:
        self.endpoint = endpoint
        self.request = request
        # A charge never reuses a connection: bytes of another exchange could answer it, or it could be dead.
        self.connection: Connection | None = None if alone else idle.take(endpoint)
        self._was_kept = request.kept = self.connection is not None
        self._alone = alone
        self._idle = idle

    def end(self) -> None:
        """Keep the connection if it can be reused, or close it. Never waits."""
        if self.connection is None:
            return
        if self._alone:
            self.connection.close()
        else:
            self._idle.give_back(self.connection)

    def failure(self, error: Exception) -> Reply | Failure:
        """Return what is known of a request that failed."""
        failure = replace(self._explained(error), kept=None if self.connection is None else self._was_kept)
        if self._was_kept:
            self._idle.evict(self.endpoint)
        # If the status has arrived, it says more than the failure to read the rest.
        return failure if self.request.reader is None else self.request.reader.reply(failure)

    def _explained(self, error: Exception) -> Failure:
        sent = self.request.sent
        # Behind a proxy it may be the portal that was not reached.
        connection = f"connection {'to' if self.endpoint.proxy is None else 'through'} {self.endpoint}"
        # A TimeoutError with an errno comes from the system: the other side has been silent for minutes.
        if isinstance(error, TimeoutError) and error.errno is None:
            late = "" if self.connection is not None else f" before there was a {connection}"
            return Failure(f"the time allowed for the call has passed{late}", sent=sent, timed_out=True)
        if isinstance(error, h11.LocalProtocolError):
            # Its message quotes the refused header, which may hold the token.
            return Failure("the request could not be written", sent=sent)
        broken = isinstance(error, (OSError, Disconnected))
        if isinstance(error, (NotConnected, ProxyRefused, Disconnected, h11.ProtocolError)):
            reason = str(error).rstrip(".")
        elif self.connection is None:
            reason = f"no {connection} ({_system_reason(error)})"
        else:
            reason = "the connection broke" if broken else type(error).__name__
        # Its frames hold the request's headers.
        error.__context__ = None
        return Failure(reason, sent=sent, stale=self._was_kept and broken, cause=error.with_traceback(None))


def _system_reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno:
        # An event loop replaces the system's text with its own.
        return os.strerror(error.errno)
    return str(error) or type(error).__name__
