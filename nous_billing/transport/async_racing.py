"""The same as ``racing``, in a task."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections import deque

from .racing import STAGGER_SECONDS, Address, open_socket


async def connect_first(addresses: list[Address]) -> socket.socket:
    """Return a connection to the first address that answers.

    Args:
        addresses: In the order in which to try them; at least one.

    Raises:
        OSError: No address answers. The reason is that of the last attempt.
    """
    if len(addresses) == 1:
        return await _connect(addresses[0])
    waiting = deque(addresses)
    failure: BaseException = OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))
    attempts: set[asyncio.Task[socket.socket]] = set()
    try:
        while waiting or attempts:
            if waiting:
                attempts.add(asyncio.create_task(_connect(waiting.popleft())))
            ended, _ = await asyncio.wait(
                attempts, timeout=STAGGER_SECONDS if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            for attempt in ended:
                attempts.remove(attempt)
                error = attempt.exception()
                if error is None:
                    # The finally clause closes any other connection that succeeded at the same time.
                    attempts |= ended - {attempt}
                    return attempt.result()
                failure = error
        raise failure
    finally:
        for attempt in attempts:
            attempt.cancel()
            attempt.add_done_callback(_close_loser)


async def _connect(address: Address) -> socket.socket:
    sock = open_socket(address)
    try:
        await asyncio.get_running_loop().sock_connect(sock, address.sockaddr)
    except BaseException:
        sock.close()
        raise
    return sock


def _close_loser(attempt: asyncio.Task[socket.socket]) -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()
