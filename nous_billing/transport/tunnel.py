"""Tunnels through a proxy: CONNECT and SOCKS5, without I/O. Nothing of the request itself is sent here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import h11

from .._secrets import SecretBytes, reveal
from .._version import __version__
from .endpoint import Endpoint, authority
from .proxies import Proxy
from .wire import IO, Layer

_MAX_HEAD_BYTES = 16 * 1024


class ProxyRefused(Exception):
    """A proxy refused the tunnel; the message is the end of a sentence."""


def tunnel(layer: Layer, endpoint: Endpoint, proxy: Proxy) -> IO[None]:
    """Ask a proxy for a tunnel to an endpoint, over the connection to the proxy.

    Raises:
        ProxyRefused: The proxy refuses it.
    """
    if proxy.scheme.startswith("socks"):
        yield from _socks5(layer, endpoint, proxy)
    else:
        yield from _connect(layer, endpoint, proxy)


def _connect(layer: Layer, endpoint: Endpoint, proxy: Proxy) -> IO[None]:
    """RFC 9110, 9.3.6."""
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD_BYTES)
    there = authority(endpoint.host, endpoint.port)
    headers = [("Host", there), ("User-Agent", f"nous-billing/{__version__}")]
    # No variable holds the request: a traceback may show the variables of this frame.
    yield from layer.write(
        SecretBytes(http.send(h11.Request(method="CONNECT", target=there, headers=[*headers, *_login(proxy)])) or b"")
    )
    http.send(h11.EndOfMessage())
    try:
        while not isinstance(event := http.next_event(), h11.Response):
            if event is h11.NEED_DATA:
                received = yield from layer.read()
                if not received:
                    raise _refused(proxy, "closed the connection")
                http.receive_data(received)
    except h11.ProtocolError:
        raise _refused(proxy, "did not answer as an HTTP proxy") from None
    if event.status_code == 407:
        raise _refused(proxy, "asks for a user name and a password, or does not accept the ones given (HTTP 407)")
    if not 200 <= event.status_code < 300:
        raise _refused(proxy, f"refused a connection to {there} (HTTP {event.status_code})")
    # Nothing was sent to the portal yet that it could answer.
    if http.trailing_data[0]:
        raise _refused(proxy, "sent more than its reply")


def _login(proxy: Proxy) -> list[tuple[str, str]]:
    return [] if proxy.authorization is None else [("Proxy-Authorization", proxy.authorization.reveal().decode())]


def _socks5(layer: Layer, endpoint: Endpoint, proxy: Proxy) -> IO[None]:
    """RFC 1928 and RFC 1929. The proxy looks up the host name."""
    from socksio import ProtocolError, socks5

    socks: Any = socks5.SOCKS5Connection()
    methods = [socks5.SOCKS5AuthMethod.NO_AUTH_REQUIRED]
    if proxy.username is not None:
        methods.append(socks5.SOCKS5AuthMethod.USERNAME_PASSWORD)

    # Takes a function: no variable holds a request, which may have the password.
    def ask(request: Callable[[], Any], size: Callable[[bytes], int] = lambda _: 2) -> IO[Any]:
        socks.send(request())
        yield from layer.write(SecretBytes(socks.data_to_send()))
        received = b""
        while len(received) < size(received):
            data = yield from layer.read()
            if not data:
                raise _refused(proxy, "closed the connection")
            received += data
        return socks.receive_data(received)  # Refuses a longer reply.

    try:
        method = (yield from ask(lambda: socks5.SOCKS5AuthMethodsRequest(methods))).method
        if method not in methods:
            raise _refused(proxy, "asks for a user name and a password")
        if method == socks5.SOCKS5AuthMethod.USERNAME_PASSWORD:
            answer = yield from ask(
                lambda: socks5.SOCKS5UsernamePasswordRequest(reveal(proxy.username), reveal(proxy.password))
            )
            if not answer.success:
                raise _refused(proxy, "refused the user name and the password")
        to = (endpoint.host, endpoint.port)
        command = partial(socks5.SOCKS5CommandRequest.from_address, socks5.SOCKS5Command.CONNECT, to)
        code = (yield from ask(command, _reply_size)).reply_code
    except ProtocolError:
        raise _refused(proxy, "did not answer as a SOCKS5 proxy") from None
    if code != socks5.SOCKS5ReplyCode.SUCCEEDED:
        reason = code.name.replace("_", " ").lower()
        raise _refused(proxy, f"refused a connection to {authority(endpoint.host, endpoint.port)} ({reason})")


def _reply_size(received: bytes) -> int:
    """Return how long the reply to a command is, by its address type: IPv4, a name, IPv6."""
    if len(received) < 5:
        return 5
    return {1: 10, 3: 7 + received[4], 4: 22}.get(received[3], 5)


def _refused(proxy: Proxy, what: str) -> ProxyRefused:
    return ProxyRefused(f"the proxy {authority(proxy.host, proxy.port)} of {proxy.name} {what}")
