"""A connection, and how to make one over TCP. Both clients share this; only their reading and writing differ.

Closing a connection never waits, whatever ended the call: a deadline, a cancellation or an interrupt.
"""

from __future__ import annotations

import select
import socket
import ssl
import sys
import time
from contextlib import suppress
from typing import NamedTuple

from . import tls
from .endpoint import Endpoint, NotConnected, elsewhere, is_address, is_loopback_address
from .http1 import Http1
from .racing import Address, look_up
from .tunnel import tunnel
from .wire import IO, Layer, Tcp, Tls

KEEP_SECONDS = 50.0
"""Longer than a pause between polls, and shorter than the 60 s after which load balancers usually close."""


class Preparation(NamedTuple):
    """What a connection needs before it can be opened."""

    addresses: list[Address]
    context: ssl.SSLContext | None


def blocks(endpoint: Endpoint) -> bool:
    """Whether ``prepare`` may block: it looks a name up, or reads certificates."""
    return endpoint.needs_tls or not is_address(endpoint.first_hop[0])


def prepare(endpoint: Endpoint, given: ssl.SSLContext | None) -> Preparation:
    """Look the host up, and load a TLS context if the endpoint needs one. Has no timeout.

    Raises:
        NotConnected: The host cannot be found, or is another machine and the connection plain http, or the
            certificates cannot be read right now.
        BillingInvalidRequest: A variable names certificates that cannot be used.
    """
    try:
        context = tls.context(given) if endpoint.needs_tls else None
    except OSError as error:
        raise NotConnected(f"the certificates of this system cannot be read ({error.strerror or error})") from error
    host, port = endpoint.first_hop
    if is_address(host):
        address = (host, port, 0, 0) if ":" in host else (host, port)
        return Preparation([Address(socket.AF_INET6 if ":" in host else socket.AF_INET, address)], context)
    try:
        addresses = look_up(host, port)
    except (OSError, UnicodeError) as error:
        what = f"the host {host}" if endpoint.proxy is None else f"{endpoint}: the host {host}"
        raise NotConnected(f"{what} cannot be found ({error})") from error
    if endpoint.is_loopback:
        found = addresses[0].sockaddr[0]
        addresses = [each for each in addresses if is_loopback_address(each.sockaddr[0])]
        if not addresses:
            raise elsewhere(endpoint.host, found)
    return Preparation(addresses, context)


def check_peer(endpoint: Endpoint, sock: socket.socket) -> None:
    """Check that a connection ends on this machine where it must, before anything is sent over it.

    Raises:
        NotConnected: It ends on another.
        OSError: It has broken already.
    """
    if endpoint.is_loopback:
        address = sock.getpeername()[0]
        if not is_loopback_address(address):
            raise elsewhere(endpoint.host, address)


def secure(endpoint: Endpoint, context: ssl.SSLContext | None) -> IO[Layer]:
    """Set up the layers over a TCP connection: the proxy's tunnel, and TLS.

    Raises:
        ProxyRefused: The proxy refuses the tunnel.
        NotConnected: A certificate is not trusted, or the other side does not speak TLS.
    """
    layer: Layer = Tcp()
    if endpoint.proxy is not None:
        if endpoint.proxy.scheme == "https":
            layer = yield from _over_tls(layer, context, endpoint.proxy.host)
        yield from tunnel(layer, endpoint, endpoint.proxy)
    if endpoint.is_tls:
        layer = yield from _over_tls(layer, context, endpoint.host)
    return layer


def _over_tls(below: Layer, context: ssl.SSLContext | None, host: str) -> IO[Tls]:
    assert context is not None  # noqa: S101 - see needs_tls
    layer = Tls(below, context, host)
    try:
        yield from layer.handshake()
    except ssl.SSLError as error:
        explained = tls.explain(error, host)
        raise NotConnected(explained or f"no TLS connection to {host} ({error.reason or error.strerror})") from error
    return layer


class Connection:
    """A connection to an endpoint, for one exchange at a time."""

    def __init__(self, sock: socket.socket, endpoint: Endpoint, layer: Layer) -> None:
        self.socket = sock
        self.endpoint = endpoint
        self.http: Http1 = Http1(layer)
        self._idle_since = time.monotonic()

    def may_be_kept(self) -> bool:
        """Whether the last exchange ended cleanly and left nothing unread."""
        if not self.http.start_next() or _is_readable(self.socket):
            return False
        self._idle_since = time.monotonic()
        return True

    @property
    def has_expired(self) -> bool:
        return time.monotonic() - self._idle_since > KEEP_SECONDS

    def may_be_used(self) -> bool:
        """Whether it is still open and has nothing unread."""
        return not (self.has_expired or self.http.has_unread or _is_readable(self.socket))

    def close(self) -> None:
        # A reply that was read is valid even if closing fails.
        with suppress(OSError):
            self.socket.close()


def _is_readable(sock: socket.socket) -> bool:
    """Whether bytes have arrived or the other side has closed. Either makes an idle connection unusable."""
    if sys.platform == "win32":
        return bool(select.select([sock], [], [], 0)[0])
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
