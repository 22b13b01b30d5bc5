"""A server that answers with scripted bytes, keeps what it was sent, and ends a connection in every way there is."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self

Then = Literal["keep", "close", "reset", "hold"]


@dataclass(frozen=True)
class Request:
    """A request as it arrived, and the number of the connection that it came on."""

    connection: int
    raw: bytes

    @property
    def head(self) -> str:
        return self.raw.partition(b"\r\n\r\n")[0].decode("latin-1")

    @property
    def method(self) -> str:
        return self.head.split(" ")[0]

    @property
    def target(self) -> str:
        return self.head.split(" ")[1]

    @property
    def headers(self) -> dict[str, str]:
        lines = (line.partition(":") for line in self.head.split("\r\n")[1:])
        return {name.strip().lower(): value.strip() for name, _, value in lines}

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]


@dataclass(frozen=True)
class Answer:
    """Bytes to send, and what becomes of the connection. ``hold`` sends nothing more until the client hangs up.

    What is ``behind`` is sent after them, over TLS in a record of its own.
    """

    data: bytes = b""
    then: Then = "keep"
    behind: bytes = b""


def answer(
    status: int | str,
    body: Any = b"",
    headers: dict[str, str] | None = None,
    *,
    then: Then = "keep",
    content_type: str = "application/json",
) -> Answer:
    """Return a well-formed HTTP/1.1 reply. A body that is neither bytes nor text goes out as JSON."""
    if isinstance(body, str):
        body = body.encode()
    elif not isinstance(body, bytes):
        body = json.dumps(body).encode()
    lines = {"Content-Type": content_type, "Content-Length": str(len(body)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return Answer(f"HTTP/1.1 {status} Status\r\n{head}\r\n".encode("latin-1") + body, then)


Scripted = Answer | Callable[[Request], Answer]


class RawServer:
    """Listens on a loopback port. Answers from ``script``, first come first served, and then with ``otherwise``."""

    def __init__(self, otherwise: Scripted | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        self.otherwise: Scripted = otherwise or answer(200, {"status": "pending"})
        self.script: deque[Scripted] = deque()
        self.requests: list[Request] = []
        self.connections = 0
        self._hung_up: set[int] = set()
        self._changed = threading.Condition()
        self._open: dict[int, socket.socket] = {}
        self._stopping = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._tls = tls
        self.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{self.port}"
        self._threads = [threading.Thread(target=self._accept, name="raw-server", daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        # Closing a listener does not wake a thread that waits in accept().
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        self._threads[0].join()
        with self._changed:
            for connection in self._open.values():
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def hung_up(self, connection: int, within: float = 2.0) -> bool:
        """Whether the client closes this connection within so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: connection in self._hung_up, within)

    def say(self, connection: int, data: bytes) -> None:
        """Send bytes that nobody has asked for."""
        with self._changed:
            self._open[connection].sendall(data)

    def _accept(self) -> None:
        with self._listener:
            while True:
                connection, _ = self._listener.accept()
                if self._stopping:
                    connection.close()
                    return
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._changed:
                    self.connections += 1
                    number = self.connections
                    self._open[number] = connection
                thread = threading.Thread(target=self._serve, args=(connection, number), name="raw-server", daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            with connection, contextlib.suppress(OSError):
                if self._tls is None:
                    self._exchanges(connection, number)
                else:
                    with self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) as wrapped:
                        with self._changed:
                            self._open[number] = wrapped
                        wrapped.do_handshake()
                        self._exchanges(wrapped, number)
        finally:
            with self._changed:
                del self._open[number]
                self._hung_up.add(number)
                self._changed.notify_all()

    def _exchanges(self, connection: socket.socket, number: int) -> None:
        while self._exchange(connection, number):
            pass

    def _exchange(self, connection: socket.socket, number: int) -> bool:
        raw = _receive(connection)
        if raw is None:
            return False
        request = Request(number, raw)
        with self._changed:
            self.requests.append(request)
            scripted = self.script.popleft() if self.script else self.otherwise
        reply = scripted if isinstance(scripted, Answer) else scripted(request)
        connection.sendall(reply.data)
        connection.sendall(reply.behind)
        match reply.then:
            case "hold":
                while connection.recv(65536):
                    pass
            case "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return reply.then == "keep"


def _receive(connection: socket.socket) -> bytes | None:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return None
        data += chunk
    head, _, _ = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    while len(data) < len(head) + 4 + length:
        chunk = connection.recv(65536)
        if not chunk:
            return None
        data += chunk
    return data
