"""Sends requests over the SDK's own connections, in the calling thread."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

from .._secrets import reveal
from ..errors import BillingError
from ..protocol.exchange import Send
from ..protocol.replies import Failure, Reply
from . import idle_connections
from . import sender as transport
from .base_sender import BaseSocketSender
from .connection import Connection, blocks, check_peer, prepare, secure
from .endpoint import Endpoint
from .proxies import ProxySetting
from .racing import connect_first
from .wire import IO, READ_BYTES

T = TypeVar("T")


class SocketSender(BaseSocketSender):
    """Safe to share between threads."""

    def __init__(self, ssl_context: ssl.SSLContext | None = None, proxy: ProxySetting = None) -> None:
        super().__init__(ssl_context, proxy)
        # No semaphore: an interrupt inside one, which is written in Python, could leave it held for ever.
        self._permits: SimpleQueue[None] = SimpleQueue()
        for _ in range(idle_connections.CONNECTIONS):
            self._permits.put(None)

    def send(self, step: Send, seconds: float, now: Callable[[], float]) -> Reply | Failure:
        deadline = time.monotonic() + seconds
        try:
            self._permits.get(timeout=seconds)
        except Empty:
            return transport.TOO_MANY
        try:
            return self._send(step, deadline, now)
        finally:
            self._permits.put(None)

    def _send(self, step: Send, deadline: float, now: Callable[[], float]) -> Reply | Failure:
        attempt = self._attempt(step, now)
        try:
            if attempt.connection is None:
                attempt.connection = self._open(attempt.endpoint, deadline)
            connection = attempt.connection
            return perform(connection.socket, connection.http.exchange(attempt.request), deadline)
        except BillingError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is raised becomes a typed error
            return attempt.failure(error)
        finally:
            attempt.end()

    def _open(self, endpoint: Endpoint, deadline: float) -> Connection:
        if blocks(endpoint):
            # The system's look-up has no timeout, so a thread may outlive this call.
            prepared = self._prepared(endpoint).result(deadline - time.monotonic())
        else:
            prepared = prepare(endpoint, self._ssl_context)
        sock = connect_first(prepared.addresses, deadline)
        try:
            check_peer(endpoint, sock)
            return Connection(sock, endpoint, perform(sock, secure(endpoint, prepared.context), deadline))
        except BaseException:
            sock.close()
            raise


def perform(sock: socket.socket, io: IO[T], deadline: float) -> T:
    """Read and write what is asked for, until the deadline.

    Raises:
        TimeoutError: It has passed.
    """
    if deadline <= time.monotonic():
        raise TimeoutError
    try:
        data = next(io)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            sock.settimeout(left)
            received = b""
            try:
                if data is None:
                    received = sock.recv(READ_BYTES)
                else:
                    sock.sendall(reveal(data))
            except TimeoutError:
                raise
            except OSError as error:
                data = io.throw(error)
            else:
                data = io.send(received)
    except StopIteration as end:
        result: T = end.value
        return result
