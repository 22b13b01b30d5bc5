"""What both clients need of the HTTP library: one TLS context, requests, replies, and its failures in our terms."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import httpx

from ._version import __version__
from .flow import Send
from .replies import MAX_REPLY_BYTES, Failure, Reply

# Longer than the longest pause between two polls, or each slow poll would pay for a new connection.
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=60.0)

# A proxy would be handed the bearer token in clear.
NO_PROXY_FOR_LOOPBACK = {"all://localhost": None, "all://127.0.0.1": None, "all://[::1]": None}

_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
)

TOO_LATE = Failure("the time allowed for the call had passed before the request", sent=False, timed_out=True)


def ssl_context() -> ssl.SSLContext:
    """Return the one TLS context, with the system's certificate store; made anew where its environment changes."""
    return _ssl_context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def _ssl_context(cert_file: str | None, cert_dir: str | None) -> ssl.SSLContext:
    return ssl.create_default_context()


def build_request(step: Send, seconds: float, trace: Callable[[str, Mapping[str, Any]], object]) -> httpx.Request:
    """Build the request of a step; no operation of the HTTP library takes longer than so many seconds."""
    return httpx.Request(
        step.operation.method,
        f"{step.base_url}{step.operation.path}",
        # No variable holds these headers: a traceback may show the variables of a frame.
        headers={
            **step.operation.headers,
            **({} if step.credentials is None else {"Authorization": f"Bearer {step.credentials.access_token}"}),
            "Accept": "application/json",
            # Decompression could not be stopped at a size.
            "Accept-Encoding": "identity",
            "User-Agent": f"nous-billing/{__version__}",
        },
        content=step.operation.body,
        extensions={"timeout": httpx.Timeout(seconds).as_dict(), "trace": trace},
    )


class ReplyReader:
    """Collects the body of one response up to the limit; the loops that feed it differ, one is awaited."""

    def __init__(self, response: httpx.Response, received_at: float) -> None:
        self._response = response
        self._received_at = received_at
        # A transport without a network, as tests have, hands over responses that are read already.
        self._is_whole = response.is_stream_consumed
        self._body = bytearray(response.content if self._is_whole else b"")
        self._unreadable: str | None = None
        if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            self._unreadable = "is compressed, which was not asked for"

    def wants_more(self, chunk: bytes = b"") -> bool:
        """Take a chunk, and say whether to read on."""
        self._body += chunk[: MAX_REPLY_BYTES + 1 - len(self._body)]
        if len(self._body) > MAX_REPLY_BYTES:
            self._unreadable = f"is larger than {MAX_REPLY_BYTES} bytes"
        return self._unreadable is None and not self._is_whole

    def reply(self, failure: Failure | None = None) -> Reply:
        """Return what was read."""
        whole = failure is None and self._unreadable is None
        return Reply(
            status=self._response.status_code,
            headers=self._response.headers,
            body=bytes(self._body) if whole else b"",
            received_at=self._received_at,
            failure=failure,
            unreadable=self._unreadable,
        )


class Phases:
    """How far a request came, from what the HTTP library reports while it sends it."""

    def __init__(self, *, reported: bool) -> None:
        # Somebody else's transport may report nothing; its requests then may have been sent.
        self._connected = False
        self._sent = not reported

    def note(self, phase: str, info: Mapping[str, Any]) -> None:
        """Be told a phase, as the extension ``trace`` is."""
        self._connected = self._connected or phase == "connection.connect_tcp.started"
        # A proxy is asked for a tunnel first; the request itself has not left then.
        if phase.endswith(".send_request_headers.started") and info["request"].method != b"CONNECT":
            self._sent = True

    async def anote(self, phase: str, info: Mapping[str, Any]) -> None:
        """Be told a phase, in a task."""
        self.note(phase, info)

    def timed_out(self) -> Failure:
        """Return the failure of a deadline that passed."""
        return Failure("the time allowed for the call has passed", sent=self._sent, timed_out=True)

    def failure(self, error: Exception) -> Failure:
        """Say in our terms what the HTTP library raised. What is not certain not to have been sent may have been."""
        sent = self._sent and not isinstance(error, _NOT_SENT)
        if isinstance(error, httpx.TimeoutException):
            return Failure("the time allowed for the call has passed", sent=sent, timed_out=True)
        if isinstance(error, httpx.LocalProtocolError):
            # Its message quotes the header that it refuses, which may be the token's.
            return Failure("the request could not be written", sent=sent)
        # Frames of the HTTP library hold the request's headers.
        error.__cause__ = error.__context__ = None
        # The system's reason for a broken connection is lost on its way through asyncio.
        broken = isinstance(error, (httpx.ReadError, httpx.WriteError))
        return Failure(
            "the connection broke" if broken else str(error).rstrip(".") or type(error).__name__,
            sent=sent,
            stale=not self._connected and _is_disconnect(error),
            cause=error.with_traceback(None),
        )


def _is_disconnect(error: Exception) -> bool:
    # The HTTP library has one class for a connection that closed and for a reply that is garbage.
    return isinstance(error, (httpx.ReadError, httpx.WriteError)) or (
        isinstance(error, httpx.RemoteProtocolError) and str(error).startswith("Server disconnected")
    )
