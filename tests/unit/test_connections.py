"""Which connections are kept, which is used next, and how an address becomes a request."""

import httpcore
import pytest

from nous_billing import Credentials, connections, operations
from nous_billing.async_direct import AsyncDirectSender
from nous_billing.direct import DirectSender
from nous_billing.flow import Send

BASE = "https://portal.test"


class Connection:
    def __init__(self, *, available=True, expired=False):
        self.available = available
        self.expired = expired

    def is_available(self):
        return self.available

    def has_expired(self):
        return self.expired


def test_the_connection_that_was_used_last_is_used_first():
    kept = connections.Kept()
    assert kept.take(BASE) == (None, [])
    first, second = Connection(), Connection()
    assert kept.give_back(BASE, first) == []
    assert kept.give_back(BASE, second) == []
    assert kept.take(BASE) == (second, [])
    assert kept.take(BASE) == (first, [])
    assert kept.take(BASE) == (None, [])


def test_a_connection_to_one_portal_is_not_used_for_another():
    kept = connections.Kept()
    kept.give_back(BASE, Connection())
    assert kept.take("https://other.test") == (None, [])


def test_what_cannot_be_used_again_is_to_be_closed():
    kept = connections.Kept()
    broken = Connection(available=False)
    assert kept.give_back(BASE, broken) == [broken]
    good, old = Connection(), Connection()
    kept.give_back(BASE, good)
    kept.give_back(BASE, old)
    old.expired = True
    assert kept.take(BASE) == (good, [old])


def test_the_oldest_does_not_lie_at_the_bottom_for_ever():
    kept = connections.Kept()
    old, new = Connection(), Connection()
    kept.give_back(BASE, old)
    old.expired = True
    assert kept.give_back(BASE, new) == [old]
    assert kept.take(BASE) == (new, [])


def test_a_connection_that_comes_back_after_the_end_is_to_be_closed():
    kept = connections.Kept()
    idle, late = Connection(), Connection()
    kept.give_back(BASE, idle)
    assert kept.close() == [idle]
    assert kept.is_closed
    assert kept.give_back(BASE, late) == [late]


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
        ("https://portal.test/a/../b%20c", "https://portal.test/b%20c/api/billing/state", "portal.test"),
        ('https://portal.test/"x"', "https://portal.test/%22x%22/api/billing/state", "portal.test"),
    ],
)
def test_an_address_becomes_a_request(base_url, url, host):
    request = connections.request(Send(operations.get_billing_state(), base_url, Credentials("t"), 1.0))
    assert bytes(request.url) == url.encode()
    assert request.headers[0] == (b"Host", host.encode())
    assert (b"Authorization", b"Bearer t") in request.headers
    assert b"Content-Length" not in dict(request.headers)


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
