"""Which connections are kept, which is used next, and how an address becomes a request."""

import string
from types import SimpleNamespace

import httpcore
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nous_billing import BillingInvalidRequest, Credentials
from nous_billing.portal import check_base_url
from nous_billing.protocol import operations
from nous_billing.protocol.exchange import Send
from nous_billing.transport import connection_pool as connections
from nous_billing.transport.async_httpcore_sender import AsyncDirectSender
from nous_billing.transport.httpcore_sender import DirectSender

BASE = "https://portal.test"
HERE = connections.origin(BASE)
ELSEWHERE = connections.origin("https://other.test")


class Connection:
    """Of the HTTP library's, what is asked of one."""

    def __init__(self, *, to=HERE, available=True, expired=False, unread=b""):
        self.to = to
        self.available = available
        self.expired = expired
        self._connection = SimpleNamespace(_h11_state=SimpleNamespace(trailing_data=(unread, False)))

    def can_handle_request(self, origin):
        return origin == self.to

    def is_available(self):
        return self.available

    def has_expired(self):
        return self.expired


def test_the_connection_that_was_used_last_is_used_first():
    kept = connections.IdleConnections()
    assert kept.take(HERE) == (None, [])
    first, second = Connection(), Connection()
    assert kept.give_back(first) == []
    assert kept.give_back(second) == []
    assert kept.take(HERE) == (second, [])
    assert kept.take(HERE) == (first, [])
    assert kept.take(HERE) == (None, [])


def test_a_connection_to_one_portal_is_not_used_for_another():
    kept = connections.IdleConnections()
    here = Connection()
    kept.give_back(here)
    kept.give_back(Connection(to=ELSEWHERE))
    assert kept.take(HERE) == (here, [])
    assert kept.take(HERE) == (None, [])


def test_two_base_urls_of_one_portal_share_connections():
    assert connections.origin(f"{BASE}:443/tenant") == HERE
    assert connections.origin(f"{BASE}:8443") != HERE


@pytest.mark.parametrize("useless", [{"available": False}, {"unread": b"HTTP/1.1 202"}])
def test_what_cannot_be_used_again_is_to_be_closed(useless):
    kept = connections.IdleConnections()
    connection = Connection(**useless)
    assert kept.give_back(connection) == [connection]
    assert kept.take(HERE) == (None, [])


def test_what_was_kept_for_too_long_is_to_be_closed_when_it_would_be_used():
    kept = connections.IdleConnections()
    good, old = Connection(), Connection()
    kept.give_back(good)
    kept.give_back(old)
    old.expired = True
    assert kept.take(HERE) == (good, [old])


def test_what_was_kept_for_too_long_is_to_be_closed_though_it_is_never_used_again():
    kept = connections.IdleConnections()
    old = [Connection(to=ELSEWHERE), Connection()]
    for each in old:
        kept.give_back(each)
    for each in old:
        each.expired = True
    new = Connection()
    assert kept.give_back(new) == old
    assert kept.take(HERE) == (new, [])


def test_the_one_that_was_just_used_is_not_asked_whether_it_was_kept_for_too_long():
    # To ask is a system call, which each request would pay for.
    asked = []

    class Asked(Connection):
        def has_expired(self):
            asked.append(self)
            return True

    assert connections.IdleConnections().give_back(Asked()) == []
    assert asked == []


def test_no_more_are_kept_than_are_used(monkeypatch):
    monkeypatch.setattr(connections, "CONNECTIONS", 2)
    kept = connections.IdleConnections()
    first, second, third = (Connection(to=origin) for origin in (ELSEWHERE, HERE, HERE))
    assert [kept.give_back(each) for each in (first, second, third)] == [[], [], [first]]


def test_none_to_a_portal_is_kept_that_is_in_doubt():
    kept = connections.IdleConnections()
    doubtful, other = [Connection(), Connection()], Connection(to=ELSEWHERE)
    for each in (*doubtful, other):
        kept.give_back(each)
    assert kept.evict(HERE) == doubtful
    assert kept.take(HERE) == (None, [])
    assert kept.take(ELSEWHERE) == (other, [])


def test_a_connection_that_comes_back_after_the_end_is_to_be_closed():
    kept = connections.IdleConnections()
    idle, late = Connection(), Connection()
    kept.give_back(idle)
    assert kept.close() == [idle]
    assert kept.is_closed
    assert kept.give_back(late) == [late]


def test_a_sender_says_that_it_was_closed():
    sender = DirectSender()
    assert not sender.is_closed
    sender.close()
    assert sender.is_closed


async def _closed(sender):
    before = sender.is_closed
    await sender.aclose()
    return before, sender.is_closed


async def test_so_does_that_of_a_task():
    assert await _closed(AsyncDirectSender()) == (False, True)


@pytest.mark.parametrize(
    ("base_url", "url", "host"),
    [
        ("https://portal.test", "https://portal.test/api/billing/state", "portal.test"),
        ("https://Portal.test:443", "https://portal.test/api/billing/state", "portal.test"),
        ("http://localhost:3000", "http://localhost:3000/api/billing/state", "localhost:3000"),
        ("http://[::1]:80", "http://::1/api/billing/state", "[::1]"),
        ("http://[::1]:8080", "http://::1:8080/api/billing/state", "[::1]:8080"),
        ("https://portal.test//a/b%20c", "https://portal.test//a/b%20c/api/billing/state", "portal.test"),
    ],
)
def test_an_address_becomes_a_request(base_url, url, host):
    request = connections.request(Send(operations.get_billing_state(), base_url, Credentials("t"), 1.0))
    assert bytes(request.url) == url.encode()
    assert request.headers[0] == (b"Host", host.encode())
    assert (b"Authorization", b"Bearer t") in request.headers
    assert b"Content-Length" not in dict(request.headers)


@given(st.text(string.printable, max_size=12))
def test_a_base_url_that_is_taken_arrives_as_it_is_written_and_as_another_library_writes_it(path):
    try:
        base_url = check_base_url(f"{BASE}/{path}", "base_url")
    except BillingInvalidRequest:
        return
    request = connections.request(Send(operations.get_billing_state(), base_url, None, 1.0))
    assert request.url.target.decode() == f"{base_url.removeprefix(BASE)}/api/billing/state"
    assert request.url.target == httpx.URL(f"{base_url}/api/billing/state").raw_path


def test_a_body_has_its_length():
    operation = operations.post_charge("50.25", "key")
    headers = dict(connections.request(Send(operation, BASE, None, 1.0)).headers)
    assert headers[b"Content-Length"] == b"19"
    assert b"Authorization" not in headers


def test_a_header_that_comes_twice_is_one_list():
    response = httpcore.Response(200, headers=[("Content-Encoding", "identity"), ("content-encoding", "gzip")])
    reply = connections.reader(response, 0.0).reply()
    assert reply.headers == {"content-encoding": "identity, gzip"}
    assert reply.unreadable is not None
