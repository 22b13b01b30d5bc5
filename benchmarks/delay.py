"""A proxy that adds a round trip to what passes through it, in a process of its own.

Each direction takes half of it. The first bytes of a connection take a whole one more, as the handshake of TCP would.
"""

import asyncio
import json
import sys
from collections import deque
from collections.abc import Callable


class Side(asyncio.Protocol):
    """One end of a connection; hands what it reads to the other end, later."""

    def __init__(self, one_way: float, before_first: float) -> None:
        self._one_way = one_way
        self._before_first = before_first
        self._transport: asyncio.WriteTransport | None = None
        self._early: deque[bytes] = deque()
        self._opens_at = 0.0
        self.other: Side | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self._opens_at = asyncio.get_running_loop().time() + self._before_first
        while self._early:
            transport.write(self._early.popleft())

    def data_received(self, data: bytes) -> None:
        assert self.other is not None
        self._later(self.other.write, data)

    def connection_lost(self, error: Exception | None) -> None:
        if self.other is not None:
            self._later(self.other.close)

    def write(self, data: bytes) -> None:
        if self._transport is None:
            self._early.append(data)
        else:
            self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _later(self, action: Callable[..., object], *args: bytes) -> None:
        loop = asyncio.get_running_loop()
        loop.call_at(max(loop.time(), self._opens_at) + self._one_way, action, *args)


async def serve(port: int, round_trip: float) -> None:
    loop = asyncio.get_running_loop()
    connecting: set[asyncio.Task[object]] = set()

    def accept() -> Side:
        near, far = Side(round_trip / 2, round_trip), Side(round_trip / 2, 0.0)
        near.other, far.other = far, near
        task = loop.create_task(loop.create_connection(lambda: far, "127.0.0.1", port))
        connecting.add(task)
        task.add_done_callback(connecting.discard)
        return near

    server = await loop.create_server(accept, "127.0.0.1", 0, backlog=2048)
    print(json.dumps([server.sockets[0].getsockname()[1]]), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
