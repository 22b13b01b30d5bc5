"""Plain http goes to this machine only, whatever a name is looked up as and wherever a connection ends."""

import json
import socket

import pytest

import nous_billing as nb
from nous_billing import StaticToken, StoredLogin
from nous_billing.transport import async_socket_sender, racing, socket_sender
from nous_billing.transport.connection import check_peer
from nous_billing.transport.endpoint import Endpoint, is_loopback_address
from nous_billing.transport.proxies import Proxy
from tests.sockets.harness import charge, failure, read

from .given import both_libraries, given, transport

ELSEWHERE = "192.0.2.1"


@pytest.fixture
def connects(monkeypatch):
    """What the SDK connects to; nothing leaves this machine."""
    tried = []
    for module in (socket_sender, async_socket_sender):

        def connect_first(addresses, *arguments, real=module.connect_first):
            tried.extend(each.sockaddr[0] for each in addresses)
            assert ELSEWHERE not in tried
            return real(addresses, *arguments)

        monkeypatch.setattr(module, "connect_first", connect_first)
    return tried


@pytest.fixture
def found(monkeypatch):
    """Have ``localhost`` looked up as these addresses."""
    real = socket.getaddrinfo

    def find(*addresses):
        def look_up(host, port, *arguments, **more):
            if host != "localhost":
                return real(host, port, *arguments, **more)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

        monkeypatch.setattr(racing.socket, "getaddrinfo", look_up)

    return find


@pytest.fixture
def far(monkeypatch):
    """Have every connection end on another machine, as far as the system tells."""
    return lambda address=(ELSEWHERE, 80): monkeypatch.setattr(
        socket.socket, "getpeername", lambda self: address, raising=False
    )


def local(server):
    return server.url.replace("127.0.0.1", "localhost")


def assert_refused(error, host="localhost"):
    assert (type(error), error.outcome_unknown, error.error) == (nb.BillingNetworkError, False, "network_error")
    assert str(error) == (
        f"Could not reach the portal: {host} is at {ELSEWHERE}, on another machine, and plain http is for this one "
        "only. Nothing was charged."
    )


def test_a_name_that_is_another_machine_is_not_connected_to(client_kind, server, found, connects):
    found(ELSEWHERE)
    assert_refused(failure(charge, client_kind.client(StaticToken("t"), base_url=local(server))))
    assert (connects, server.connections) == ([], 0)


def test_of_several_addresses_only_those_of_this_machine_are_connected_to(client_kind, server, found, connects):
    found(ELSEWHERE, "127.0.0.1")
    failure(charge, client_kind.client(StaticToken("t"), base_url=local(server)))
    assert connects == ["127.0.0.1"]
    assert len(server.requests) == 1


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_nothing_is_sent_over_a_connection_that_ends_elsewhere(host, client_kind, server, far):
    far()
    base_url = server.url.replace("127.0.0.1", host)
    assert_refused(failure(charge, client_kind.client(StaticToken("t"), base_url=base_url)), host)
    assert server.requests == []


def test_a_stored_address_is_held_to_the_same(client_kind, server, found, connects, tmp_path):
    found(ELSEWHERE)
    url, login = local(server), {"refresh_token": "rt"}
    (tmp_path / "login.json").write_text(json.dumps({"active_portal": url, "portals": {url: login}}))
    error = failure(read, client_kind.client(StoredLogin(tmp_path / "login.json")))
    assert type(error) is nb.BillingNetworkError
    assert ELSEWHERE in str(error)
    assert (connects, server.connections) == ([], 0)


@both_libraries
def test_a_given_client_sends_nothing_over_a_connection_that_ends_elsewhere(library, client_kind, server, far):
    client = given(client_kind, library, local(server))
    far()
    assert_refused(failure(charge, client))
    assert server.requests == []


@both_libraries
@pytest.mark.parametrize("is_derived", [False, True])
def test_a_connection_of_a_given_client_that_ends_elsewhere_is_not_used_again(
    is_derived, library, client_kind, server, far
):
    kind = getattr(library, "AsyncHTTPTransport" if client_kind.is_async else "HTTPTransport")
    client = given(
        client_kind, library, local(server), transport=type("Derived", (kind,), {})() if is_derived else None
    )
    failure(read, client)
    assert len(server.requests) == 1
    far()
    failure(read, client)
    assert len(server.requests) == 1


@both_libraries
@pytest.mark.parametrize(
    ("made", "scheme"),
    [
        *((made, scheme) for made in ("by the client", "derived", "wrapped") for scheme in ("http", "socks5")),
        ("wrapped, with a connection", "http"),
    ],
)
def test_a_given_client_sends_plain_http_through_no_proxy(made, scheme, library, client_kind, server):
    base_url, proxy = "http://localhost:1", server.url.replace("http", scheme)
    derived = type(
        "Derived", (getattr(library, "AsyncHTTPTransport" if client_kind.is_async else "HTTPTransport"),), {}
    )
    arguments = {"proxy": proxy}
    if made == "derived":
        arguments = {"transport": derived(proxy=proxy)}
    if "wrapped" in made:
        arguments = {
            "transport": transport(client_kind, library, lambda asked, send: send(asked), derived(proxy=proxy))
        }
    client = given(client_kind, library, base_url, **arguments)
    if made == "wrapped, with a connection":
        client_kind.run(client_kind._https[-1].get(base_url))
        server.requests.clear()
    error = failure(charge, client)
    assert str(error) == (
        "Could not reach the portal: the http_client has a proxy for plain http, which is for this machine only. "
        "Nothing was charged."
    )
    assert (error.outcome_unknown, server.requests) == (False, [])
    if "wrapped" not in made:
        assert server.connections == 0


@both_libraries
def test_a_connection_with_no_address_is_taken_at_its_word(library, client_kind, server, far):
    far("/run/portal.sock")
    failure(charge, given(client_kind, library, local(server)))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("address", "is_here"),
    [
        ("127.0.0.1", True),
        ("127.255.255.255", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:127.9.9.9", True),
        ("126.255.255.255", False),
        ("128.0.0.0", False),
        ("::2", False),
        ("::", False),
        ("0.0.0.0", False),
        ("::ffff:192.0.2.1", False),
        ("::127.0.0.1", False),
        ("fe80::1%lo", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_this_machine_is_127_0_0_0_8_and_1(address, is_here):
    assert is_loopback_address(address) is is_here


def test_only_plain_http_without_a_proxy_is_held_to_this_machine():
    proxy = Proxy("http", "proxy.test", 80, "proxy=")
    endpoints = [Endpoint(False, "h", 80), Endpoint(True, "h", 80), Endpoint(False, "h", 80, proxy)]
    assert [each.is_loopback for each in endpoints] == [True, False, False]
    for each in endpoints[1:]:
        check_peer(each, None)


def test_a_connection_that_broke_before_it_was_checked_is_not_taken_for_sent(client_kind, server, monkeypatch):
    def broken(self):
        raise OSError(107, "not connected")

    monkeypatch.setattr(socket.socket, "getpeername", broken, raising=False)
    error = failure(charge, client_kind.client(StaticToken("t"), base_url=server.url))
    assert (type(error), error.outcome_unknown, server.requests) == (nb.BillingNetworkError, False, [])
