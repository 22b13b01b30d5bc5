"""What the HTTP libraries raise in the facade's terms."""

import httpcore
import httpx
import pytest

from nous_billing.transport import sender as transport


class ConnectError(Exception):
    """Of the same name, and of somebody else."""


@pytest.mark.parametrize(
    ("error", "sent", "timed_out", "stale"),
    [
        (httpcore.ConnectError("refused"), False, False, False),
        (httpx.ConnectError("refused"), False, False, False),
        (httpcore.ConnectTimeout("slow"), False, True, False),
        (httpcore.PoolTimeout("slow"), False, True, False),
        (httpcore.ReadTimeout("slow"), True, True, False),
        (httpcore.ReadError("reset"), True, False, True),
        (httpx.ReadError("reset"), True, False, True),
        (httpcore.WriteError("reset"), True, False, True),
        (httpcore.RemoteProtocolError("Server disconnected without sending a response."), True, False, True),
        (httpcore.RemoteProtocolError("garbage"), True, False, False),
        (ConnectError("odd"), True, False, False),
        (OSError(5, "odd"), True, False, False),
    ],
    ids=lambda value: type(value).__module__ + type(value).__name__ if isinstance(value, Exception) else None,
)
def test_what_is_not_certain_not_to_have_been_sent_may_have_been(error, sent, timed_out, stale):
    failure = transport.failure_of(error, sent=True, kept=True)
    assert (failure.sent, failure.timed_out, failure.stale) == (sent, timed_out, stale)
    assert transport.failure_of(error, sent=False, kept=True).sent is False
    assert transport.failure_of(error, sent=True, kept=False).stale is False


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (httpcore.ReadTimeout("deadline"), "the time allowed for the call has passed"),
        # What these say differs between the two clients.
        (httpcore.ReadError("[Errno 104] Connection reset by peer"), "the connection broke"),
        (httpcore.WriteError(""), "the connection broke"),
        (httpcore.ConnectError("..refused.."), "..refused"),
        (httpcore.ConnectError("no Xmas "), "no Xmas "),
        (httpcore.RemoteProtocolError("X"), "X"),
        (httpcore.ConnectError("."), "ConnectError"),
        (OSError(), "OSError"),
    ],
)
def test_a_failure_says_why(error, reason):
    assert transport.failure_of(error, sent=True, kept=False).reason == reason


def test_an_error_of_a_module_within_the_library_is_the_librarys_too():
    inner = type("ReadError", (Exception,), {"__module__": "httpcore._exceptions"})
    foreign = type("ReadError", (Exception,), {"__module__": "httpcore_like"})
    assert transport.is_a(inner(), {"ReadError"})
    assert not transport.is_a(foreign(), {"ReadError"})


def test_a_message_that_may_quote_a_header_is_not_handed_on():
    error = httpcore.LocalProtocolError("Illegal header value b'secret'")
    for sent in (True, False):
        failure = transport.failure_of(error, sent=sent, kept=False)
        assert (failure.reason, failure.sent, failure.cause) == ("the request could not be written", sent, None)
