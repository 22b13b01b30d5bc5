"""What a given client raises, in our terms."""

from __future__ import annotations

from collections.abc import Sequence

from .._secrets import Secret
from ..protocol.replies import Failure
from .sender import timed_out

NOT_SENT = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "PoolTimeout",
        "ProxyError",
        "UnsupportedProtocol",
        "LocalProtocolError",
        "InvalidURL",
    }
)
"""What the libraries raise before a byte of a request has left."""

_LIBRARIES = ("httpx", "httpx2", "httpcore", "httpcore2")


def failure_of(error: Exception, *, sent: bool, kept: bool, secrets: Sequence[Secret] = ()) -> Failure:
    """Say in our terms what an HTTP library, or the event loop's deadline, raised.

    Args:
        error: What was raised.
        sent: Whether a byte of the request may have left.
        kept: Whether it went out on a connection that was open already.
        secrets: What the request had of them. An error that quotes one is left out of the failure.
    """
    if _is_timeout(error):
        return timed_out(sent=sent)
    if is_a(error, {"LocalProtocolError"}):
        # Its message quotes the header that it refuses, which may be the token's.
        return Failure("the request could not be written", sent=sent)
    if any(secret.reveal() in f"{error} {error!r}" for secret in secrets):
        return Failure(type(error).__name__, sent=sent, stale=kept and _is_disconnect(error))
    # Frames of the HTTP library hold the request's headers, and so do its errors.
    error.__cause__ = error.__context__ = None
    for name in ("_request", "response"):
        if hasattr(error, name):
            setattr(error, name, None)
    # The system's reason for a broken connection is lost on its way through asyncio.
    broken = is_a(error, {"ReadError", "WriteError"})
    return Failure(
        "the connection broke" if broken else str(error).rstrip(".") or type(error).__name__,
        sent=sent,
        stale=kept and _is_disconnect(error),
        cause=error.with_traceback(None),
    )


def is_a(error: BaseException, names: frozenset[str] | set[str]) -> bool:
    """Whether it is an exception of one of these names, of one of the libraries, whose names are the same."""
    return any(
        each.__name__ in names and each.__module__.partition(".")[0] in _LIBRARIES for each in type(error).__mro__
    )


def _is_timeout(error: Exception) -> bool:
    # httpx-aiohttp calls each lost connection a timeout; the cause says what it was.
    cause = error.__cause__
    late = cause is None or "timeout" in type(cause).__name__.lower()
    return isinstance(error, TimeoutError) or (late and is_a(error, {"TimeoutException"}))


def _is_disconnect(error: Exception) -> bool:
    # The libraries have one class for a connection that closed and for a reply that is garbage.
    return is_a(error, {"ReadError", "WriteError"}) or (
        is_a(error, {"RemoteProtocolError"}) and str(error).startswith("Server disconnected")
    )
