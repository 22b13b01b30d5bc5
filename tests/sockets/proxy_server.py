"""A proxy on loopback: HTTP's CONNECT or SOCKS5, in clear or over TLS, with or without a login."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import threading
from collections.abc import Callable
from typing import Literal, Self


class ProxyServer:
    """Passes every connection on to one port, whatever host was asked for.

    Args:
        port: Of what lies behind the proxy.
        kind: What is spoken to it.
        tls: Its certificate, if it is spoken to over TLS.
        login: User name and password that it wants, with a colon between.
        breaks: Whether to break the n-th tunnel off, from 1 on, when something is first sent through it.
    """

    def __init__(
        self,
        port: int,
        *,
        kind: Literal["http", "socks5"] = "http",
        tls: ssl.SSLContext | None = None,
        login: str | None = None,
        breaks: Callable[[int], bool] = lambda number: False,
    ) -> None:
        self.asked: list[bytes] = []
        self.passed = b""
        self.open = 0
        self._port = port
        self._login = login
        self._breaks = breaks
        self._handshake = self._http if kind == "http" else self._socks5
        self._tls = tls
        self._scheme = "socks5" if kind == "socks5" else "http" if tls is None else "https"
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @property
    def url(self) -> str:
        return f"{self._scheme}://{'' if self._login is None else f'{self._login}@'}127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._tunnel, "127.0.0.1", 0, ssl=self._tls, backlog=1000)
        self.port: int = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopping.wait()
        server.close()
        tunnels = asyncio.all_tasks() - {asyncio.current_task()}
        for each in tunnels:
            each.cancel()
        await asyncio.gather(*tunnels, return_exceptions=True)
        # A transport is closed in the turns of the loop that follow.
        await asyncio.sleep(0.01)

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
                if await self._handshake(reader, writer):
                    await self._pass_on(reader, writer)
        finally:
            writer.close()
            self.open -= 1

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._breaks(len(self.asked)):
            await reader.read(1)
            return
        inner = await asyncio.open_connection("127.0.0.1", self._port)
        await asyncio.gather(self._pump(reader, inner[1]), self._pump(inner[0], writer))

    async def _http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head)
        login = self._login is not None and base64.b64encode(self._login.encode())
        if login and b"Proxy-Authorization: Basic " + login not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return False
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return True

    async def _socks5(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        _, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        method = 0 if self._login is None else 2
        writer.write(bytes([5, method if method in methods else 255]))
        if method == 2 and method in methods:
            _, size = await reader.readexactly(2)
            user = await reader.readexactly(size)
            password = await reader.readexactly((await reader.readexactly(1))[0])
            is_right = f"{user.decode()}:{password.decode()}" == self._login
            writer.write(bytes([1, not is_right]))
            if not is_right:
                return False
        self.asked.append(await reader.readexactly(5))
        self.asked[-1] += await reader.readexactly(self.asked[-1][4] + 2)
        writer.write(b"\x05\x00\x00\x01" + bytes(6))
        return True

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, ssl.SSLError):
                while data := await source.read(65536):
                    # Enough to look for a token in.
                    self.passed = (self.passed + data)[:100_000]
                    target.write(data)
                    await target.drain()
        finally:
            target.close()
