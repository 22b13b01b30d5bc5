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
from typing import Any

import httpcore
import httpx

from .threads import start

deadline: ContextVar[float] = ContextVar("nous_billing_deadline")
"""When the call of this thread ends, on ``time.monotonic``."""


def observe_deadline(client: httpx.Client) -> None:
    """Make each socket operation of a client of ours end at ``deadline``."""
    for pool in _pools(client):
        pool._network_backend = DeadlineBackend(pool._network_backend)


def close_cut_handshakes(client: httpx.AsyncClient) -> None:
    """Close a connection whose TLS handshake is cut short by the deadline or by a cancelled task.

    The HTTP library closes it after an exception, but not after a cancellation.
    """
    for pool in _pools(client):
        pool._network_backend = ClosingBackend(pool._network_backend)


def _pools(client: httpx.Client | httpx.AsyncClient) -> list[Any]:
    # There is no public way to give the pool of an HTTP client a network backend that keeps the proxies of the
    # environment. A test fails when these attributes are gone.
    transports: list[Any] = [client._transport, *client._mounts.values()]  # pyright: ignore[reportPrivateUsage]
    return [transport._pool for transport in transports if transport is not None]


class ClosingBackend(httpcore.AsyncNetworkBackend):
    """Opens connections that close when their TLS handshake does not end."""

    def __init__(self, backend: httpcore.AsyncNetworkBackend) -> None:
        self._backend = backend

    async def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore.AsyncNetworkStream:
        return _closing(await self._backend.connect_tcp(*args, **kwargs))


def _closing(stream: httpcore.AsyncNetworkStream) -> httpcore.AsyncNetworkStream:
    start_tls = stream.start_tls

    async def start_tls_or_close(*args: Any, **kwargs: Any) -> httpcore.AsyncNetworkStream:
        try:
            return await start_tls(*args, **kwargs)
        except BaseException:
            await stream.aclose()
            raise

    stream.start_tls = start_tls_or_close  # type: ignore[method-assign]
    return stream


def _left(error_class: type[httpcore.TimeoutException]) -> float:
    left = deadline.get() - time.monotonic()
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
        self._stream.write(buffer, _left(httpcore.WriteTimeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, _left(httpcore.ConnectTimeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def close(self) -> None:
        self._stream.close()
