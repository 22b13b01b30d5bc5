"""A deadline for a whole call.

The HTTP library's timeouts are for each operation: a server that drips bytes could hold a call for ever. So each
operation of the synchronous client on a socket gets what is left of the whole call. A task has ``asyncio.timeout``,
which only needs help where it cuts a TLS handshake.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpcore

from .._threads import start


@dataclass(slots=True)
class InFlightRequest:
    """One request on its way.

    Attributes:
        deadline: When the call ends, on ``time.monotonic``; the synchronous client's socket operations observe it.
        sent: Whether a byte of a request may have left; the handshake of TLS is none.
    """

    deadline: float
    sent: bool = False


current_request: ContextVar[InFlightRequest] = ContextVar("nous_billing_current_request")
"""The request of this thread or task."""


class ClosingBackend(httpcore.AsyncNetworkBackend):
    """Opens connections that close when their TLS handshake does not end, and that note what is sent.

    The HTTP library closes one after an exception, but not after a cancellation.
    """

    def __init__(self, backend: httpcore.AsyncNetworkBackend) -> None:
        self._backend = backend

    async def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore.AsyncNetworkStream:
        return _ClosingStream(await self._backend.connect_tcp(*args, **kwargs))


class _ClosingStream(httpcore.AsyncNetworkStream):
    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        current_request.get().sent = True
        await self._stream.write(buffer, timeout)

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        try:
            return _ClosingStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))
        except BaseException:
            await self._stream.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    async def aclose(self) -> None:
        await self._stream.aclose()


def _left(error_class: type[httpcore.TimeoutException]) -> float:
    left = current_request.get().deadline - time.monotonic()
    if left <= 0:
        raise error_class("deadline")
    return left


def _look_up(host: str, port: int, seconds: float) -> list[str]:
    """Return the addresses of a host. The system's look-up knows no deadline: a thread may be left with it."""

    def look_up() -> list[str]:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(info[4][0]) for info in infos))

    try:
        return start(look_up, name="nous-billing-look-up", daemon=True).result(seconds)
    except TimeoutError:
        raise httpcore.ConnectTimeout("deadline") from None
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"the host {host} cannot be found ({error})") from error


class DeadlineBackend(httpcore.NetworkBackend):
    """Opens connections that observe the deadline."""

    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._backend = backend

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = _look_up(host, port, _left(httpcore.ConnectTimeout))
        while True:
            address = addresses.pop(0)
            left = _left(httpcore.ConnectTimeout)
            # An address that swallows packets must leave time for the next.
            share = left / (len(addresses) + 1)
            try:
                stream = self._backend.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not addresses:
                    raise
            else:
                return _DeadlineStream(stream)


class _DeadlineStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        left = _left(httpcore.WriteTimeout)
        current_request.get().sent = True
        self._stream.write(buffer, left)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, _left(httpcore.ConnectTimeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def close(self) -> None:
        self._stream.close()
