"""The layers of a connection, TCP and TLS, without I/O.

Whatever reads or writes is a generator. It yields the bytes to write, or None to ask for a read, and is sent the bytes
read: ``b""`` at the end of the stream. ``socket_sender`` and ``async_socket_sender`` perform the I/O.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Generator
from typing import TypeAlias, TypeVar

from .._secrets import SecretBytes, reveal

T = TypeVar("T")

IO: TypeAlias = Generator[bytes | SecretBytes | None, bytes, T]

READ_BYTES = 64 * 1024


class Tcp:
    """The lowest layer: plain bytes."""

    has_unread = False

    def write(self, data: bytes | SecretBytes) -> IO[None]:
        yield data

    def read(self) -> IO[bytes]:
        return (yield None)


class Tls:
    """TLS over another layer, such as plain TCP or the TLS connection to a proxy."""

    def __init__(self, below: Layer, context: ssl.SSLContext, host: str) -> None:
        self._below = below
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        # Only HTTP/1.1 is implemented, whatever the caller's context offers.
        context.set_alpn_protocols(["http/1.1"])
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)

    @property
    def has_unread(self) -> bool:
        """Whether unread bytes remain: decrypted, still encrypted, or in a layer below."""
        return bool(self._tls.pending() or self._incoming.pending or self._below.has_unread)

    def handshake(self) -> IO[None]:
        """Perform the TLS handshake.

        Raises:
            ssl.SSLError: The handshake failed, for example because the certificate is not trusted.
        """
        yield from self._do(self._tls.do_handshake)

    def write(self, data: bytes | SecretBytes) -> IO[None]:
        yield from self._do(lambda: self._tls.write(reveal(data)))

    def read(self) -> IO[bytes]:
        try:
            return (yield from self._do(lambda: self._tls.read(READ_BYTES)))
        except ssl.SSLEOFError:
            # Many servers close the connection without a TLS close_notify.
            return b""

    def _do(self, operation: Callable[[], T]) -> IO[T]:
        while True:
            try:
                result = operation()
            except ssl.SSLWantReadError:
                yield from self._flush()
                data = yield from self._below.read()
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            else:
                yield from self._flush()
                return result

    def _flush(self) -> IO[None]:
        if self._outgoing.pending:
            yield from self._below.write(self._outgoing.read())


Layer: TypeAlias = Tcp | Tls
