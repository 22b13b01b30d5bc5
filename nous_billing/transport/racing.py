"""Connects to the first address of a host that answers (Happy Eyeballs, RFC 8305).

IPv6 and IPv4 addresses alternate. The next attempt begins when one fails, or after a quarter of a second beside it. The
first connection wins, and the others are closed.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import time
from collections import deque
from itertools import zip_longest
from typing import Any, NamedTuple

STAGGER_SECONDS = 0.25

_IN_PROGRESS = frozenset({0, errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", 0)})


class Address(NamedTuple):
    """One address of a host, as ``socket.connect`` takes it."""

    family: int
    sockaddr: Any


def look_up(host: str, port: int) -> list[Address]:
    """Return the addresses of a host in the order in which to try them. Blocks, and has no timeout.

    Raises:
        OSError, UnicodeError: The host has no address.
    """
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return interleaved(list(dict.fromkeys(Address(info[0], info[4]) for info in infos)))


def interleaved(addresses: list[Address]) -> list[Address]:
    """Alternate the address families, beginning with the preferred one."""
    families: dict[int, list[Address]] = {}
    for address in addresses:
        families.setdefault(address.family, []).append(address)
    return [each for turn in zip_longest(*families.values()) for each in turn if each is not None]


def open_socket(address: Address) -> socket.socket:
    """Return a non-blocking socket for an address, not connected yet."""
    sock = socket.socket(address.family, socket.SOCK_STREAM)
    sock.setblocking(False)
    # A request is one write, so waiting to fill a packet gains nothing.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def connect_first(addresses: list[Address], deadline: float) -> socket.socket:
    """Return a connection to the first address that answers.

    Args:
        addresses: In the order in which to try them; at least one.
        deadline: On ``time.monotonic``.

    Raises:
        TimeoutError: No address answered before the deadline.
        OSError: No address answers. The reason is that of the last attempt.
    """
    waiting = deque(addresses)
    failure = OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or selector.get_map():
                if waiting:
                    try:
                        _begin(waiting.popleft(), selector)
                    except OSError as error:
                        failure = error
                        continue
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                for key, _ in selector.select(min(left, STAGGER_SECONDS) if waiting else left):
                    sock: Any = key.fileobj
                    selector.unregister(sock)
                    code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if not code:
                        connected: socket.socket = sock
                        return connected
                    sock.close()
                    failure = OSError(code, os.strerror(code))
            raise failure
        finally:
            for key in list(selector.get_map().values()):
                loser: Any = key.fileobj
                loser.close()


def _begin(address: Address, selector: selectors.BaseSelector) -> None:
    sock = open_socket(address)
    try:
        code = sock.connect_ex(address.sockaddr)
        if code not in _IN_PROGRESS:
            raise OSError(code, os.strerror(code))
        selector.register(sock, selectors.EVENT_WRITE)
    except BaseException:
        sock.close()
        raise
