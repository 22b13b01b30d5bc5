"""How a proxy is asked for a connection, with no network."""

import pytest

from nous_billing._secrets import SecretBytes
from nous_billing.transport.endpoint import Endpoint
from nous_billing.transport.proxies import Proxy
from nous_billing.transport.tunnel import ProxyRefused, tunnel
from nous_billing.transport.wire import Tcp

from .io_script import ran

PORTAL = Endpoint(True, "portal.test", 443)
HTTP = Proxy("http", "proxy.test", 3128, "HTTPS_PROXY")
SOCKS = Proxy("socks5", "proxy.test", 1080, "ALL_PROXY")
LOGIN = {"username": SecretBytes(b"me"), "password": SecretBytes(b"secret")}
BOUND = b"\x00\x01\x7f\x00\x00\x01\x00\x50"


def asked(proxy, *reads, endpoint=PORTAL):
    return ran(tunnel(Tcp(), endpoint, proxy), *reads)


def one_by_one(data):
    return [data[at : at + 1] for at in range(len(data))]


@pytest.mark.parametrize(
    ("endpoint", "there"),
    [(PORTAL, b"portal.test:443"), (Endpoint(True, "::1", 8443), b"[::1]:8443")],
)
def test_an_http_proxy_is_asked_to_connect(endpoint, there):
    outcome = asked(HTTP, b"HTTP/1.1 200 Connection established\r\n\r\n", endpoint=endpoint)
    lines = outcome.written.split(b"\r\n")
    assert lines[:2] == [b"CONNECT %s HTTP/1.1" % there, b"Host: %s" % there]
    assert lines[2].startswith(b"User-Agent: nous-billing/")
    assert b"authorization" not in outcome.written.lower()
    assert outcome.error is None


def test_an_http_proxy_is_told_who_asks():
    written = asked(Proxy("http", "proxy.test", 1, "proxy=", **LOGIN), b"HTTP/1.1 200 OK\r\n\r\n").written
    assert b"Proxy-Authorization: Basic bWU6c2VjcmV0\r\n" in written


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 299 OK\r\nX: y\r\n\r\n"]
)
def test_an_http_proxy_may_answer_byte_by_byte(answer):
    assert asked(HTTP, *one_by_one(answer)).error is None


@pytest.mark.parametrize(
    ("reads", "reason"),
    [
        (
            [b"HTTP/1.1 407 Who are you?\r\n\r\n"],
            "asks for a user name and a password, or does not accept the ones given (HTTP 407)",
        ),
        ([b"HTTP/1.1 403 Forbidden\r\n\r\n"], "refused a connection to portal.test:443 (HTTP 403)"),
        ([b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n"], "refused a connection to portal.test:443 (HTTP 302)"),
        ([b""], "closed the connection"),
        ([b"HTTP/1.1 2", b""], "closed the connection"),
        ([b"garbage\r\n\r\n"], "did not answer as an HTTP proxy"),
        ([b"x" * 20_000], "did not answer as an HTTP proxy"),
        ([b"HTTP/1.1 200 OK\r\n\r\nforged"], "sent more than its reply"),
    ],
)
def test_an_http_proxy_that_does_not_connect_says_why(reads, reason):
    error = asked(HTTP, *reads).error
    assert isinstance(error, ProxyRefused)
    assert str(error) == f"the proxy proxy.test:3128 of HTTPS_PROXY {reason}"


@pytest.mark.parametrize(
    ("host", "address"),
    [("portal.test", b"\x03\x0bportal.test"), ("127.0.0.1", b"\x01\x7f\0\0\1"), ("::1", b"\x04" + b"\0" * 15 + b"\1")],
)
@pytest.mark.parametrize("bound", [BOUND, b"\x00\x03\x01x\x00\x50", b"\x00\x04" + b"\0" * 18])
def test_a_socks_proxy_is_asked_to_connect_and_may_answer_byte_by_byte(host, address, bound):
    outcome = asked(SOCKS, *one_by_one(b"\x05\x00\x05\x00" + bound), endpoint=Endpoint(True, host, 443))
    assert (outcome.error, outcome.unread) == (None, [])
    assert outcome.written == b"\x05\x01\x00" + b"\x05\x01\x00" + address + b"\x01\xbb"


def test_a_socks_proxy_is_told_who_asks_if_it_wants_to_know():
    proxy = Proxy("socks5h", "proxy.test", 1080, "proxy=", **LOGIN)
    wants, does_not = (
        asked(proxy, *answers, b"\x05\x00" + BOUND) for answers in ([b"\x05\x02", b"\x01\x00"], [b"\x05\x00"])
    )
    assert (wants.error, does_not.error) == (None, None)
    assert wants.written.startswith(b"\x05\x02\x00\x02" + b"\x01\x02me\x06secret" + b"\x05\x01")
    assert b"secret" not in does_not.written


@pytest.mark.parametrize(
    ("proxy", "reads", "reason"),
    [
        (SOCKS, [b""], "closed the connection"),
        (SOCKS, [b"\x05\xff"], "asks for a user name and a password"),
        (SOCKS, [b"\x05\x02"], "asks for a user name and a password"),
        (SOCKS, [b"\x05\x77"], "did not answer as a SOCKS5 proxy"),
        (SOCKS, [b"\x05\x00forged"], "did not answer as a SOCKS5 proxy"),
        (SOCKS, [b"\x05\x00", b"HTTP/1.1 400 Bad request\r\n\r\n"], "did not answer as a SOCKS5 proxy"),
        (SOCKS, [b"\x05\x00", b"\x05\x05" + BOUND], "refused a connection to portal.test:443 (connection refused)"),
        (
            Proxy("socks5", "proxy.test", 1080, "ALL_PROXY", **LOGIN),
            [b"\x05\x02", b"\x01\x01"],
            "refused the user name and the password",
        ),
    ],
)
def test_a_socks_proxy_that_does_not_connect_says_why(proxy, reads, reason):
    error = asked(proxy, *reads).error
    assert isinstance(error, ProxyRefused)
    assert str(error) == f"the proxy proxy.test:1080 of ALL_PROXY {reason}"


def test_what_asks_shows_no_password():
    proxy = Proxy("http", "proxy.test", 1, "proxy=", **LOGIN)
    first = next(tunnel(Tcp(), PORTAL, proxy))
    assert b"bWU6c2VjcmV0" in first.reveal()
    assert "bWU6c2VjcmV0" not in repr(first)
