"""One exchange over HTTP, with no network: what is written, how far a request came, and what may follow it."""

from math import inf

import h11
import pytest

from nous_billing import Credentials
from nous_billing.protocol import operations
from nous_billing.protocol.exchange import Send
from nous_billing.protocol.replies import MAX_REPLY_BYTES
from nous_billing.transport.endpoint import target
from nous_billing.transport.http1 import Disconnected, Http1, InFlightRequest
from nous_billing.transport.wire import Tcp

from .io_script import ran

BASE = "https://portal.test/tenant"
HEAD = b"HTTP/1.1 202 Accepted\r\nContent-Length: %d\r\n\r\n"
ACCEPTED = HEAD % 2 + b"{}"
CHARGE = operations.post_charge("50.25", "key")


class Exchange:
    """One exchange after the other over one connection."""

    def __init__(self):
        self.layer = Tcp()
        self.http = Http1(self.layer)
        self.request = None

    def __call__(self, *reads, operation=CHARGE, credentials=Credentials("token-1"), latest=inf, **kwargs):  # noqa: B008
        step = Send(operation, BASE, credentials, 1.0, latest)
        self.request = InFlightRequest(step, target(BASE, None), lambda: 7.0)
        return ran(self.http.exchange(self.request), *reads, **kwargs)


@pytest.fixture
def exchange():
    return Exchange()


def test_a_request_is_one_write(exchange):
    outcome = exchange(ACCEPTED)
    head, _, body = outcome.written.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[:2] == [b"POST /tenant/api/billing/charge HTTP/1.1", b"Host: portal.test"]
    assert {b"Authorization: Bearer token-1", b"Idempotency-Key: key", b"Content-Length: 19"} <= set(lines)
    assert body == b'{"amountUsd": 50.25}'.replace(b" ", b"")
    assert outcome.unread == []


def test_a_request_without_a_body_or_a_token_has_no_header_for_it(exchange):
    written = exchange(ACCEPTED, operation=operations.get_billing_state(), credentials=None).written.lower()
    assert written.startswith(b"get /tenant/api/billing/state ")
    assert b"content-length" not in written
    assert b"authorization" not in written


def test_what_is_written_does_not_show_the_token(exchange):
    step = Send(CHARGE, BASE, Credentials("token-1"), 1.0)
    first = next(exchange.http.exchange(InFlightRequest(step, target(BASE, None), lambda: 7.0)))
    assert b"token-1" in first.reveal()
    assert "token-1" not in repr(first)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_reply_is_read_however_it_comes(size, exchange):
    data = b"HTTP/1.1 103 Early Hints\r\nX: 1\r\n\r\n" + ACCEPTED
    outcome = exchange(*[data[at : at + size] for at in range(0, len(data), size)])
    reply = outcome.result
    assert (reply.status, reply.body, reply.received_at, reply.failure) == (202, b"{}", 7.0, None)
    assert exchange.request.sent


def test_a_header_that_comes_twice_is_one_list(exchange):
    reply = exchange(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\ncontent-encoding: gzip\r\nContent-Length: 2\r\n\r\n"
    ).result
    assert reply.headers["content-encoding"] == "identity, gzip"
    assert reply.unreadable is not None


def test_no_more_than_the_limit_is_read(exchange):
    outcome = exchange(HEAD % (2 * MAX_REPLY_BYTES), b" " * MAX_REPLY_BYTES, b" ", b" ", b" ")
    assert (outcome.result.body, outcome.unread) == (b"", [b" ", b" "])
    assert outcome.result.unreadable is not None
    assert exchange.http.start_next() is False


@pytest.mark.parametrize("reads", [[b""], [b"HTTP/1.1 202 Acc", b""]])
def test_who_closes_instead_of_answering_is_told_from_who_breaks_off(reads, exchange):
    assert isinstance(exchange(*reads).error, Disconnected)
    assert (exchange.request.sent, exchange.request.reader) == (True, None)
    broken = Exchange()
    assert isinstance(broken(HEAD % 9 + b"{", b"").error, h11.RemoteProtocolError)
    assert broken.request.reader is not None


def test_who_answers_and_closes_without_reading_is_heard(exchange):
    reply = exchange(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", write_error=BrokenPipeError()).result
    assert reply.status == 503


def test_what_cannot_be_read_is_raised(exchange):
    error = ConnectionResetError()
    assert exchange(error).error is error


@pytest.mark.parametrize("junk", [b"garbage\r\n\r\n", b"HTTP/1.1 101 Switching\r\n\r\n", b"x" * 200_000])
def test_what_is_no_reply_is_refused(junk, exchange):
    assert isinstance(exchange(junk).error, h11.RemoteProtocolError)


def test_a_request_that_cannot_be_written_has_not_been_sent(exchange):
    broken = operations.Operation("GET", "/x", {"X": "a\r\nb"}, None, lambda payload, base_url: None)
    outcome = exchange(operation=broken)
    assert isinstance(outcome.error, h11.LocalProtocolError)
    assert (outcome.written, exchange.request.sent) == (b"", False)


@pytest.mark.parametrize(("latest", "sent"), [(6.9, False), (7.0, True)])
def test_nothing_leaves_after_the_latest_moment_for_it(latest, sent, exchange):
    outcome = exchange(ACCEPTED, latest=latest)
    assert (type(outcome.error) is TimeoutError, exchange.request.sent) == (not sent, sent)
    assert bool(outcome.written) is sent


def test_a_reply_may_be_followed_by_another_exchange(exchange):
    for _ in range(3):
        assert exchange(ACCEPTED).result.status == 202
        assert exchange.http.start_next() is True


@pytest.mark.parametrize(
    "reads",
    [
        # A second reply, which would answer the next request.
        [ACCEPTED + ACCEPTED],
        [ACCEPTED + b"H"],
        [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"],
        [b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\n\r\n", b"{}", b""],
        [b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n"],
    ],
)
def test_what_leaves_something_unread_or_is_to_be_closed_is_not_used_again(reads, exchange):
    assert exchange(*reads).result is not None
    assert exchange.http.start_next() is False


def test_what_lies_in_a_layer_below_is_unread_too(exchange):
    exchange(ACCEPTED)
    exchange.layer.has_unread = True
    assert exchange.http.has_unread
    assert exchange.http.start_next() is False
