"""Sends requests over the SDK's own connections, in the running task."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import TypeVar

from .._secrets import reveal
from ..errors import BillingError
from ..protocol.exchange import Send
from ..protocol.replies import Failure, Reply
from . import idle_connections
from . import sender as transport
from .async_racing import connect_first
from .base_sender import Attempt, BaseSocketSender
from .connection import Connection, blocks, check_peer, prepare, secure
from .endpoint import Endpoint
from .proxies import ProxySetting
from .wire import IO, READ_BYTES

T = TypeVar("T")


class AsyncSocketSender(BaseSocketSender):
    """Belongs to one event loop. It uses bare sockets: an asyncio stream may hold bytes that nobody has read."""

    def __init__(self, ssl_context: ssl.SSLContext | None = None, proxy: ProxySetting = None) -> None:
        super().__init__(ssl_context, proxy)
        self._free = asyncio.Semaphore(idle_connections.CONNECTIONS)

    async def send(self, step: Send, seconds: float, now: Callable[[], float]) -> Reply | Failure:
        attempt: Attempt | None = None
        try:
            async with asyncio.timeout(seconds), self._free:
                attempt = self._attempt(step, now)
                try:
                    if attempt.connection is None:
                        attempt.connection = await self._open(attempt.endpoint)
                    connection = attempt.connection
                    return await perform(connection.socket, connection.http.exchange(attempt.request))
                finally:
                    attempt.end()
        except BillingError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is raised becomes a typed error
            return transport.TOO_MANY if attempt is None else attempt.failure(error)

    async def _open(self, endpoint: Endpoint) -> Connection:
        if blocks(endpoint):
            prepared = await asyncio.wrap_future(self._prepared(endpoint))
        else:
            prepared = prepare(endpoint, self._ssl_context)
        sock = await connect_first(prepared.addresses)
        try:
            check_peer(endpoint, sock)
            return Connection(sock, endpoint, await perform(sock, secure(endpoint, prepared.context)))
        except BaseException:
            sock.close()
            raise


async def perform(sock: socket.socket, io: IO[T]) -> T:
    """Perform the reads and writes that the generator asks for."""
    loop = asyncio.get_running_loop()
    try:
        data = next(io)
        while True:
            received = b""
            try:
                if data is None:
                    received = await loop.sock_recv(sock, READ_BYTES)
                else:
                    # A view: the variables of the event loop's own frames do not show its content.
                    await loop.sock_sendall(sock, memoryview(reveal(data)))
            except OSError as error:
                data = io.throw(error)
            else:
                data = io.send(received)
    except StopIteration as end:
        result: T = end.value
        return result
