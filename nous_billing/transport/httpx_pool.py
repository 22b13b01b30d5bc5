"""What the transports of a given client are, and what can be had of the connections in their pools.

There is no public way to either. A test fails where the attributes are gone; a request is then sent as with any other
transport.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, cast

from .endpoint import NotConnected, elsewhere, is_loopback_address
from .given_client import LIBRARIES
from .interception import is_defined_in

HAS_PROXY = "the http_client has a proxy for plain http, which is for this machine only"

_EXPIRED = float("-inf")


def transport_for(http: Any, url: Any) -> Any:
    """Return the transport that a request goes through, if it is the library's own for the network, else None."""
    found = _transport(http, url)
    modules = (sys.modules.get(f"{library}._transports.default") for library in LIBRARIES)
    own = [each for module in modules if module for each in (module.HTTPTransport, module.AsyncHTTPTransport)]
    return found if type(found) in own else None


def _transport(http: Any, url: Any) -> Any:
    find: Any = getattr(http, "_transport_for_url", None)
    return None if find is None else find(url)


def is_replaced(transport: Any) -> bool:
    """Whether what sends is not the library's: a test answers instead, for one."""
    names = ("handle_request", "handle_async_request")
    module = sys.modules[f"{type(transport).__module__}._transports.default"]
    scopes: list[Any] = [transport.__class__.__dict__, transport.__dict__]
    methods = [scope[name] for scope in scopes for name in names if name in scope]
    return not all(is_defined_in(module, method) for method in methods)


def is_overridden(http: Any) -> bool:
    """Whether a client sends in a way of its own, which need not be that of its transports."""
    send = http.send
    # What only looks on wraps the library's.
    while hasattr(send, "__wrapped__"):
        send = send.__wrapped__
    modules = (sys.modules.get(f"{library}._client") for library in LIBRARIES)
    return not any(module is not None and is_defined_in(module, send) for module in modules)


def retire_idle(http: Any, url: Any, *, every: bool) -> None:
    """Have the pool close idle connections to the portal before the next request: those with anything unread, or all.

    The pool itself looks only at what the system holds unread.
    """
    try:
        pool = _transport(http, url)._pool
        # While it is held, the pool gives no connection to another thread.
        with pool._optional_thread_lock:
            reserved = [each.connection for each in pool._requests]
            for connection in pool.connections:
                if connection.is_idle() and not any(connection is each for each in reserved):
                    inner = _innermost(connection)
                    goes_there = (inner._origin.scheme, inner._origin.host) == (url.raw_scheme, url.raw_host)
                    if goes_there and (every or _has_unread(inner) or is_elsewhere(url, inner._network_stream)):
                        inner._expire_at = _EXPIRED
    except AttributeError:
        return


def has_proxy(http: Any, url: Any) -> bool:
    """Whether a client is known to send a request through a proxy: its transport is the library's, or derived of it."""
    return hasattr(getattr(_transport(http, url), "_pool", None), "_proxy_url")


def refusal(url: Any, phase: str, info: Mapping[str, Any]) -> tuple[NotConnected, Any] | None:
    """Return why plain http must go no further, by what is reported, and the stream to close, if any.

    A transport of somebody else's reports it too where it sends through the library's.
    """
    if url.scheme != "http":
        return None
    if phase == "connection.connect_tcp.complete" and is_elsewhere(url, info["return_value"]):
        return elsewhere(url.host, peer(info["return_value"])), info["return_value"]
    if phase.endswith(".setup_socks5_connection.started"):
        return NotConnected(HAS_PROXY), info["stream"]
    # A proxy of HTTP is sent a whole address, or a host and a port to connect to.
    if phase.endswith(".send_request_headers.started") and not info["request"].url.target.startswith(b"/"):
        return NotConnected(HAS_PROXY), None
    return None


def is_elsewhere(url: Any, stream: Any) -> bool:
    """Whether a connection for plain http is known to end on another machine."""
    address = peer(stream) if url.scheme == "http" else ""
    return address != "" and not is_loopback_address(address)


def peer(stream: Any) -> str:
    """Return the IP address at the other end of a connection; empty where it has none or is not known."""
    address = stream.get_extra_info("server_addr")
    return str(cast("tuple[object, ...]", address)[0]) if isinstance(address, tuple) else ""


def _innermost(connection: Any) -> Any:
    while hasattr(connection, "_connection"):
        connection = connection._connection
    return connection


def _has_unread(connection: Any) -> bool:
    """Whether something came behind the last reply, in any buffer above the system's."""
    parser = getattr(connection, "_h11_state", None)
    tls = connection._network_stream.get_extra_info("ssl_object")
    if (parser is not None and parser.trailing_data[0]) or (tls is not None and tls.pending()):
        return True
    # In a task there are the streams of anyio, one upon the other.
    stream = getattr(connection._network_stream, "_stream", None)
    while stream is not None:
        encrypted, protocol = getattr(stream, "_read_bio", None), getattr(stream, "_protocol", None)
        if (encrypted is not None and encrypted.pending) or (protocol is not None and protocol.read_queue):
            return True
        stream = getattr(stream, "transport_stream", None)
    return False
