"""HTTP/1.1 over one connection, with h11 (sans-I/O): one implementation for both clients."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import h11

from .._secrets import SecretBytes, reveal
from . import sender as transport
from .endpoint import Target
from .wire import IO, Layer

if TYPE_CHECKING:
    from ..protocol.exchange import Send
    from ..protocol.replies import Reply

_MAX_HEAD_BYTES = 100 * 1024


class Disconnected(Exception):
    """The other side closed the connection instead of answering."""


class InFlightRequest:
    """One request in flight, and how far it got.

    Attributes:
        sent: Whether a byte of it may have left. A proxy's CONNECT and a TLS handshake do not count.
        reader: Collects the reply. None until its status has arrived.
        kept: Whether the connection had been used before.
    """

    def __init__(self, step: Send, target: Target, now: Callable[[], float]) -> None:
        self.sent = False
        self.reader: transport.ReplyReader | None = None
        self.kept = False
        self._step = step
        self._target = target
        self._now = now

    def check_not_late(self) -> None:
        """Refuse to let the first byte leave after the latest moment for it.

        Raises:
            TimeoutError: It has passed.
        """
        if self._now() > self._step.latest:
            raise TimeoutError

    def serialize(self, connection: h11.Connection) -> SecretBytes:
        """Return the bytes of the whole request, hidden from tracebacks.

        Raises:
            h11.LocalProtocolError: A header cannot be sent.
        """
        operation = self._step.operation
        body = operation.body
        length = () if body is None else (("Content-Length", str(len(reveal(body)))),)
        return SecretBytes(
            b"".join(
                part or b""
                for part in (
                    connection.send(
                        h11.Request(
                            method=operation.method,
                            target=f"{self._target.path}{operation.path}",
                            headers=[
                                ("Host", self._target.host_header),
                                *transport.headers(self._step).items(),
                                *length,
                            ],
                        )
                    ),
                    connection.send(h11.Data(data=reveal(body))) if body else b"",
                    connection.send(h11.EndOfMessage()),
                )
            )
        )

    def begin_reply(self, response: h11.Response) -> transport.ReplyReader:
        headers: dict[str, str] = {}
        for raw_name, raw_value in response.headers:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        self.reader = transport.ReplyReader(response.status_code, headers, self._now())
        self.reader.kept = self.kept
        return self.reader


class Http1:
    """HTTP/1.1 exchanges over one layer, one after the other."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD_BYTES)

    def start_next(self) -> bool:
        """Get ready for another exchange; return False if the last one did not end cleanly or left something unread."""
        if self._h11.our_state is not h11.DONE or self._h11.their_state is not h11.DONE or self.has_unread:
            return False
        self._h11.start_next_cycle()
        return True

    @property
    def has_unread(self) -> bool:
        """Whether bytes, or the end of the stream, follow the last reply: they would be taken for the next one."""
        return any(self._h11.trailing_data) or self._layer.has_unread

    def exchange(self, request: InFlightRequest) -> IO[Reply]:
        """Send a request and read its reply, up to ``MAX_REPLY_BYTES``.

        Raises:
            Disconnected: The other side closed before it answered.
            h11.ProtocolError: The request or the reply is not valid HTTP.
            TimeoutError: It is too late to send it.
        """
        data = request.serialize(self._h11)
        request.check_not_late()
        request.sent = True
        # The portal may have answered before it closed the connection, so the reply is still read.
        with suppress(OSError):
            yield from self._layer.write(data)
        event = yield from self._next_event()
        while not isinstance(event, h11.Response):
            event = yield from self._next_event()
        reader = request.begin_reply(event)
        wants_more = reader.wants_more()
        while wants_more:
            event = yield from self._next_event()
            wants_more = isinstance(event, h11.Data) and reader.wants_more(bytes(event.data))
        return reader.reply()

    def _next_event(self) -> IO[h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]]:
        while True:
            event = self._h11.next_event()
            if event is not h11.NEED_DATA:
                return event
            received = yield from self._layer.read()
            if not received and self._h11.their_state is h11.SEND_RESPONSE:
                raise Disconnected("the portal closed the connection without an answer")
            self._h11.receive_data(received)
