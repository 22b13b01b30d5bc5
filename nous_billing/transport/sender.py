"""What all senders share: request headers, reading replies, and translating failures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from .._secrets import SecretBytes, reveal
from ..protocol.exchange import Send
from ..protocol.replies import MAX_REPLY_BYTES, Failure, Reply
from ..protocol.request_headers import USER_AGENT

TOO_LATE = Failure("the time allowed for the call passed before the request could be sent", sent=False, timed_out=True)
TOO_MANY = Failure(
    "the time allowed for the call passed while other calls used all connections", sent=False, timed_out=True
)


class Sender(Protocol):
    """Sends requests in the calling thread."""

    @property
    def is_closed(self) -> bool: ...

    def send(self, step: Send, seconds: float, now: Callable[[], float]) -> Reply | Failure:
        """Send the request of a step once, within so many seconds."""
        ...

    def close(self) -> None: ...


class AsyncSender(Protocol):
    """Sends requests in the running task."""

    @property
    def is_closed(self) -> bool: ...

    def send(self, step: Send, seconds: float, now: Callable[[], float]) -> Awaitable[Reply | Failure]:
        """Send the request of a step once, within so many seconds."""
        ...

    def close(self) -> None: ...


def moves_money(step: Send) -> bool:
    """Whether a request needs a connection of its own."""
    return step.operation.moves_money


def headers(step: Send) -> dict[str, str]:
    """Return the request headers. No variable may hold them: a traceback may show the variables of a frame."""
    return {
        "User-Agent": USER_AGENT,
        **step.headers,
        **{name: reveal(value) for name, value in step.operation.headers.items()},
        **({} if step.credentials is None else {"Authorization": f"Bearer {step.credentials.secret.reveal()}"}),
        "Accept": step.operation.accept,
        # A compressed body could exceed any limit when it is expanded.
        "Accept-Encoding": "identity",
    }


class ReplyReader:
    """Collects the body of one response, up to ``MAX_REPLY_BYTES``.

    Attributes:
        kept: Whether the connection had been used before, where that is known.
    """

    def __init__(self, status: int, headers: Mapping[str, str], received_at: float, body: bytes | None = None) -> None:
        """``headers`` has lower-case names; ``body`` is given if it has been read completely."""
        self._status = status
        self._headers = headers
        self._received_at = received_at
        self.kept: bool | None = None
        self._is_whole = body is not None
        # No variable holds bytes: Ctrl-C may come between two chunks, and a tracer show the attributes of objects.
        self._chunks = [SecretBytes(body or b"")]
        self._size = len(body or b"")
        self._unreadable: str | None = None
        if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            self._unreadable = "is compressed, which was not asked for"

    def wants_more(self, chunk: bytes = b"") -> bool:
        """Add a chunk, and return whether to read on."""
        self._chunks.append(SecretBytes(chunk[: MAX_REPLY_BYTES + 1 - self._size]))
        self._size = min(self._size + len(chunk), MAX_REPLY_BYTES + 1)
        if self._size > MAX_REPLY_BYTES:
            self._unreadable = f"is larger than {MAX_REPLY_BYTES} bytes"
        return self._unreadable is None and not self._is_whole

    def reply(self, failure: Failure | None = None) -> Reply:
        """Return the reply as far as it was read."""
        whole = failure is None and self._unreadable is None
        return Reply(
            status=self._status,
            headers=self._headers,
            body=SecretBytes(b"".join(each.reveal() for each in self._chunks) if whole else b""),
            received_at=self._received_at,
            failure=failure,
            unreadable=self._unreadable,
            kept=self.kept,
        )


def timed_out(*, sent: bool) -> Failure:
    """Return the failure for a deadline that has passed."""
    return Failure("the time allowed for the call has passed", sent=sent, timed_out=True)
