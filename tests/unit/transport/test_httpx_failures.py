"""What a given client raises, in the facade's terms."""

import httpcore
import httpx
import httpx2
import pytest

from nous_billing._secrets import Secret
from nous_billing.transport.httpx_failures import failure_of, is_a


class ReadError(Exception):
    """Of the same name, and of somebody else."""


class ServerDisconnectedError(Exception):
    """What httpx-aiohttp raises a timeout from."""


class RaisedFrom:
    """An error and its cause, which ``failure_of`` takes away: each run needs it anew."""

    def __init__(self, error, cause):
        self.error = error
        self.cause = cause

    def anew(self):
        self.error.__cause__ = self.cause
        return self.error


@pytest.mark.parametrize(
    ("error", "timed_out", "stale"),
    [
        (httpx.ConnectError("refused"), False, False),
        (httpx.ReadTimeout("slow"), True, False),
        (httpx2.ReadTimeout("slow"), True, False),
        (TimeoutError(), True, False),
        (RaisedFrom(httpx.ConnectTimeout("slow"), httpcore.ConnectTimeout("slow")), True, False),
        (RaisedFrom(httpx.ConnectTimeout("lost"), ServerDisconnectedError()), False, False),
        (httpcore.ReadError("reset"), False, True),
        (httpx.ReadError("reset"), False, True),
        (httpx2.WriteError("reset"), False, True),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), False, True),
        (httpx.RemoteProtocolError("garbage"), False, False),
        (ReadError("odd"), False, False),
        (OSError(5, "odd"), False, False),
    ],
    ids=lambda value: type(value).__module__ + type(value).__name__ if isinstance(value, Exception) else None,
)
def test_a_failure_says_whether_time_was_up_and_whether_a_kept_connection_was_dead(error, timed_out, stale):
    error = error.anew() if isinstance(error, RaisedFrom) else error
    failure = failure_of(error, sent=True, kept=True)
    assert (failure.sent, failure.timed_out, failure.stale) == (True, timed_out, stale)
    failure = failure_of(error, sent=False, kept=False)
    assert (failure.sent, failure.stale) == (False, False)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (httpx.ReadTimeout("deadline"), "the time allowed for the call has passed"),
        # What these say differs between the two clients.
        (httpx.ReadError("[Errno 104] Connection reset by peer"), "the connection broke"),
        (httpx.WriteError(""), "the connection broke"),
        (httpx.ConnectError("..refused.."), "..refused"),
        (httpx.ConnectError("."), "ConnectError"),
        (OSError(), "OSError"),
        # It quotes the header that it refuses.
        (httpx.LocalProtocolError("Illegal header value b'secret'"), "the request could not be written"),
    ],
)
def test_a_failure_says_why(error, reason):
    assert failure_of(error, sent=True, kept=False).reason == reason


@pytest.mark.parametrize("error", [ValueError("x-nous-refresh-token: rt_1"), OSError(5, "odd", "rt_1")], ids=repr)
def test_an_error_that_quotes_a_secret_is_left_out(error):
    failure = failure_of(error, sent=True, kept=False, secrets=[Secret("rt_1")])
    assert (failure.reason, failure.cause) == (type(error).__name__, None)
    assert failure_of(error, sent=True, kept=False, secrets=[Secret("rt_2")]).cause is error


def test_an_error_of_a_module_within_a_library_is_the_librarys_too():
    inner = type("ReadError", (Exception,), {"__module__": "httpcore2._exceptions"})
    foreign = type("ReadError", (Exception,), {"__module__": "httpcore_like"})
    assert is_a(inner(), {"ReadError"})
    assert not is_a(foreign(), {"ReadError"})
