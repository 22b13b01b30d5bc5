"""The hosts that are reached without a proxy: loopback, and those that ``NO_PROXY`` lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    # Importing it adds milliseconds to the first call, and most hosts are names.
    from ipaddress import IPv4Address, IPv6Address

    _Address: TypeAlias = IPv4Address | IPv6Address

# A string, so that it is compiled only if there is a proxy. An IPv6 address without brackets has no port.
_ENTRY = r"(?P<host>\[.*\]|[^:]*|.*:.*:.*)(:(?P<port>[0-9]{1,5}))?"


def is_loopback(host: str) -> bool:
    """Whether a host (in lower case) is this machine."""
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def has_host(no_proxy: str, host: str, port: int) -> bool:
    """Whether the value of ``NO_PROXY`` lists a host (in lower case). An entry that cannot be parsed matches nothing.

    Examples:
        >>> has_host("[::1], .example.com, 10.0.0.0/8", "portal.example.com", 443)
        True
        >>> has_host("portal.example.com:8443", "portal.example.com", 443)
        False
    """
    address = _address(host)
    return any(_matches(entry, host, port, address) for entry in re.split(r"[,\s]+", no_proxy.lower()))


def _matches(entry: str, host: str, port: int, address: _Address | None) -> bool:
    match = re.fullmatch(_ENTRY, entry)
    if match is None or match["port"] not in (None, str(port)):
        return False
    name = match["host"].replace("[", "").replace("]", "")
    if name == "*":
        return True
    if address is None:
        suffix = name.removeprefix("*").strip(".")
        return suffix != "" and f".{host}".endswith(f".{suffix}")
    from ipaddress import ip_network

    try:
        return address in ip_network(name, strict=False)
    except ValueError:
        return False


def _address(host: str) -> _Address | None:
    if ":" not in host and not host.replace(".", "").isdigit():
        return None
    from ipaddress import IPv6Address, ip_address

    try:
        address = ip_address(host)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
