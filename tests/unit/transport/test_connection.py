"""What is known before a connection is made, what is made on it, and when it may be used again."""

import socket
import ssl

import pytest

from nous_billing import BillingInvalidRequest
from nous_billing.protocol.exchange import Send
from nous_billing.transport import connection, tls
from nous_billing.transport.connection import Connection, blocks, prepare, secure
from nous_billing.transport.endpoint import Endpoint, NotConnected, target
from nous_billing.transport.http1 import InFlightRequest
from nous_billing.transport.proxies import Proxy
from nous_billing.transport.racing import Address
from nous_billing.transport.wire import Tcp

from .io_script import ran
from .test_http1 import ACCEPTED, BASE, CHARGE

PROXY = Proxy("http", "proxy.test", 3128, "HTTPS_PROXY")
LOOPBACK = Endpoint(False, "127.0.0.1", 80)
PORTAL = Endpoint(True, "portal.test", 443)


@pytest.fixture
def no_look_up(monkeypatch):
    def getaddrinfo(*arguments, **more):
        raise AssertionError(arguments)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.usefixtures("no_look_up")
@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", Address(socket.AF_INET, ("127.0.0.1", 80))),
        ("::1", Address(socket.AF_INET6, ("::1", 80, 0, 0))),
    ],
)
def test_an_address_without_tls_needs_no_thread(host, address):
    endpoint = Endpoint(False, host, 80)
    assert blocks(endpoint) is False
    assert prepare(endpoint, None) == ([address], None)


@pytest.mark.parametrize("endpoint", [Endpoint(False, "localhost", 80), Endpoint(True, "127.0.0.1", 443), PORTAL])
def test_all_else_may_take_its_time(endpoint):
    assert blocks(endpoint) is True


@pytest.mark.parametrize("proxy", [None, PROXY])
def test_what_is_looked_up_is_the_first_hop(proxy, monkeypatch):
    asked = []

    def getaddrinfo(*arguments, **more):
        asked.append((arguments, more))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.9", 1))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    context = ssl.create_default_context()
    found = prepare(Endpoint(True, "portal.test", 443, proxy), context)
    assert found == ([Address(socket.AF_INET, ("127.0.0.9", 1))], context)
    first_hop = ("portal.test", 443) if proxy is None else ("proxy.test", 3128)
    assert asked == [(first_hop, {"type": socket.SOCK_STREAM})]


@pytest.mark.parametrize(
    ("endpoint", "what"),
    [
        (Endpoint(False, "portal.test", 80), "the host portal.test"),
        (Endpoint(False, "portal.test", 80, PROXY), "the proxy proxy.test:3128 of HTTPS_PROXY: the host proxy.test"),
    ],
)
@pytest.mark.parametrize("error", [OSError("no such name"), UnicodeError("no such name")])
def test_a_host_that_cannot_be_found_is_named(endpoint, what, error, monkeypatch):
    def getaddrinfo(*arguments, **more):
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(NotConnected) as caught:
        prepare(endpoint, None)
    assert str(caught.value) == f"{what} cannot be found (no such name)"
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    ("error", "raises", "reason"),
    [
        (
            OSError(24, "Too many open files"),
            NotConnected,
            "the certificates of this system cannot be read (Too many open files)",
        ),
        (OSError("odd"), NotConnected, "the certificates of this system cannot be read (odd)"),
        (BillingInvalidRequest("mend it", error="invalid_tls_setting"), BillingInvalidRequest, "mend it"),
    ],
)
def test_certificates_that_cannot_be_used_say_why(error, raises, reason, monkeypatch):
    def context(given):
        raise error

    monkeypatch.setattr(tls, "context", context)
    with pytest.raises(raises) as caught:
        prepare(PORTAL, None)
    assert str(caught.value).startswith(reason)


def test_plain_http_is_tcp_alone():
    assert isinstance(ran(secure(LOOPBACK, None)).result, Tcp)


def test_a_proxy_is_asked_before_tls_begins():
    context = ssl.create_default_context()
    endpoint = Endpoint(True, "portal.test", 443, PROXY)
    outcome = ran(secure(endpoint, context), b"HTTP/1.1 200 OK\r\n\r\n", b"no TLS here")
    asked, _, hello = outcome.written.partition(b"\r\n\r\n")
    assert asked.startswith(b"CONNECT portal.test:443 ")
    assert b"portal.test" in hello
    assert isinstance(outcome.error, NotConnected)
    assert str(outcome.error) == "no TLS connection to portal.test (WRONG_VERSION_NUMBER)"


def test_a_proxy_that_is_spoken_to_over_tls_is_asked_in_secret():
    proxy = Proxy("https", "proxy.test", 443, "HTTPS_PROXY")
    outcome = ran(secure(Endpoint(True, "portal.test", 443, proxy), ssl.create_default_context()), b"")
    assert b"CONNECT" not in outcome.written
    assert b"proxy.test" in outcome.written
    assert str(outcome.error).startswith("no TLS connection to proxy.test (")


def test_a_certificate_that_is_refused_is_explained(monkeypatch):
    monkeypatch.setattr(tls, "explain", lambda error, host: f"{type(error).__name__} for {host}")
    outcome = ran(secure(PORTAL, ssl.create_default_context()), b"no TLS here")
    assert str(outcome.error) == "SSLError for portal.test"


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connected = Connection(ours, LOOPBACK, Tcp())
        request = InFlightRequest(Send(CHARGE, BASE, None, 1.0), target(BASE, None), lambda: 7.0)
        assert ran(connected.http.exchange(request), ACCEPTED).result.status == 202
        yield connected, theirs


def test_a_connection_may_be_used_again(pair):
    connected, _ = pair
    assert connected.may_be_kept()
    assert connected.may_be_used()


def hang_up(theirs):
    theirs.close()


def say_more(theirs):
    theirs.sendall(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("happens", [hang_up, say_more])
@pytest.mark.parametrize("platform", ["linux", "win32"])
def test_one_with_something_unread_in_the_system_is_neither_kept_nor_used(happens, platform, pair, monkeypatch):
    monkeypatch.setattr(connection.sys, "platform", platform)
    connected, theirs = pair
    assert connected.may_be_used()
    happens(theirs)
    assert not connected.may_be_used()
    assert not connected.may_be_kept()


def test_one_with_something_unread_in_the_parser_is_neither_kept_nor_used(pair):
    connected, _ = pair
    connected.http._h11.receive_data(b"HTTP")
    assert not connected.may_be_used()
    assert not connected.may_be_kept()


def test_one_that_is_in_the_middle_of_a_reply_is_not_kept():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert not Connection(ours, LOOPBACK, Tcp()).may_be_kept()


@pytest.mark.parametrize(("pause", "expired"), [(30, False), (51, True)])
def test_a_connection_outlives_a_pause_between_polls(pause, expired, pair, monkeypatch):
    connected, _ = pair
    moment = connection.time.monotonic() + 1000
    monkeypatch.setattr(connection.time, "monotonic", lambda: moment)
    assert connected.may_be_kept()
    moment += pause
    assert (connected.has_expired, connected.may_be_used()) == (expired, not expired)


def test_one_that_cannot_be_closed_keeps_nobody():
    class Broken:
        def close(self):
            raise OSError("closing")

    Connection(Broken(), LOOPBACK, Tcp()).close()
