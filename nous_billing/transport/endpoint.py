"""Where a request goes: the parts of a base URL, and the host that a connection is made to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from .proxies import Proxy


class NotConnected(Exception):
    """No connection could be made; the message is the end of a sentence. Nothing of the request was sent."""


def elsewhere(host: str, address: str) -> NotConnected:
    """Return the error for a host that plain http must not go to."""
    return NotConnected(f"{host} is at {address}, on another machine, and plain http is for this one only")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host, and the proxy on the way to it, if any. Requests to equal endpoints share connections."""

    is_tls: bool
    host: str
    port: int
    proxy: Proxy | None = None

    @property
    def first_hop(self) -> tuple[str, int]:
        """Host and port that TCP connects to."""
        return (self.host, self.port) if self.proxy is None else (self.proxy.host, self.proxy.port)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine may be at the other end: over plain http, the token is not encrypted."""
        return not self.is_tls and self.proxy is None

    @property
    def needs_tls(self) -> bool:
        return self.is_tls or (self.proxy is not None and self.proxy.scheme == "https")

    def __str__(self) -> str:
        host, port = self.first_hop
        shown = authority(host, port)
        return shown if self.proxy is None else f"the proxy {shown} of {self.proxy.name}"


@dataclass(frozen=True, slots=True)
class Target:
    """The parts of a base URL.

    Attributes:
        host_header: The value of ``Host``.
        path: The prefix of each operation's own path.
    """

    endpoint: Endpoint
    host_header: str
    path: str


@lru_cache(maxsize=8)
def target(base_url: str, proxy: Proxy | None) -> Target:
    """Split a base URL that ``check_base_url`` has accepted."""
    parts = urlsplit(base_url)
    is_tls = parts.scheme == "https"
    default = 443 if is_tls else 80
    host, port = parts.hostname or "", parts.port or default
    shown = authority(host, port)
    return Target(
        Endpoint(is_tls, host, port, proxy), shown.removesuffix(f":{default}") if port == default else shown, parts.path
    )


def authority(host: str, port: int) -> str:
    """Return host and port as HTTP writes them.

    Examples:
        >>> authority("::1", 443)
        '[::1]:443'
    """
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback_address(address: str) -> bool:
    """Whether an IP address is this machine's own.

    Examples:
        >>> is_loopback_address("127.8.9.1"), is_loopback_address("::ffff:127.0.0.1"), is_loopback_address("192.0.2.1")
        (True, True, False)
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return (mapped or found).is_loopback


def is_address(host: str) -> bool:
    """Whether it is an IP address, which needs no look-up."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return "%" not in host
