"""The proxies of the environment: loopback goes round them, and none of them ever sees the token."""

import ssl
import time

import pytest
import trustme

import nous_billing as nb
from nous_billing import StaticToken
from nous_billing.transport import idle_connections
from tests.documented import CALLS, OPERATIONS
from tests.sockets.harness import charge, failure, poll, read
from tests.sockets.proxy_server import ProxyServer
from tests.sockets.raw_server import Answer, RawServer, answer

TOKEN = "canary-token"
VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"]


@pytest.fixture
def portal(mock_portal, authority, monkeypatch, tmp_path):
    """The mock portal over TLS, at portal.test; the proxies of these tests lead to it."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("portal.test").private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    both = str(tmp_path / "both.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    mock_portal.stop()
    with mock_portal.serve(ssl_certfile=both, ssl_keyfile=both) as url:
        mock_portal.port = int(url.rpartition(":")[2])
        yield mock_portal


def there(portal):
    return f"https://portal.test:{portal.port}"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("variable", VARIABLES)
def test_loopback_goes_round_every_proxy(variable, host, client_kind, server, monkeypatch):
    with RawServer() as proxy:
        monkeypatch.setenv(variable, proxy.url)
        client = client_kind.client(StaticToken(TOKEN), base_url=f"http://{host}:{server.port}")
        assert poll(client).status == "pending"
        assert proxy.connections == 0
    assert len(server.requests) == 1


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
def test_a_proxy_passes_the_call_on_without_seeing_the_token(variable, client_kind, portal, monkeypatch):
    with ProxyServer(portal.port) as proxy:
        monkeypatch.setenv(variable, proxy.url)
        token = portal.issue_token()
        client = client_kind.client(StaticToken(token), base_url=there(portal))
        assert charge(client).charge_id == portal.organisation.charges[0].id
        assert read(client).portal_url == f"{there(portal)}/billing?topup=open"
        client.close()
    # A charge has a tunnel of its own.
    asked = b"".join(proxy.asked)
    assert asked.count(f"CONNECT portal.test:{portal.port} HTTP/1.1\r\n".encode()) == len(proxy.asked) == 2
    assert b"authorization" not in asked.lower()
    assert len(proxy.passed) > 500
    assert token.encode() not in asked + proxy.passed
    assert portal.requests[0].headers["authorization"] == f"Bearer {token}"


def over_tls(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.mark.parametrize("login", [None, "me:secret"])
@pytest.mark.parametrize(("kind", "is_secure"), [("http", False), ("http", True), ("socks5", False)])
def test_tunnels_are_kept_for_polls_and_closed_in_the_end(kind, login, is_secure, client_kind, portal, authority):
    with ProxyServer(portal.port, kind=kind, login=login, tls=over_tls(authority) if is_secure else None) as proxy:
        client = client_kind.client(StaticToken(portal.issue_token()), base_url=there(portal), proxy=proxy.url)
        for _ in range(3):
            assert poll(client).status == "pending"
        assert (len(proxy.asked), proxy.open) == (1, 1)
        charge(client)
        assert len(proxy.asked) == 2
        client.close()
        assert closes(proxy)


def closes(proxy):
    """Whether all tunnels of a proxy are closed, soon."""
    for _ in range(200):
        if not proxy.open:
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("login", ["", "me:wrong@"])
@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_a_proxy_that_wants_a_login_says_so(kind, login, client_kind, portal, monkeypatch):
    with ProxyServer(portal.port, kind=kind, login="me:secret") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("me:secret@", login))
        error = failure(charge, client_kind.client(StaticToken(TOKEN), base_url=there(portal)))
        assert (type(error), error.outcome_unknown) == (nb.BillingNetworkError, False)
        assert f"the proxy 127.0.0.1:{proxy.port} of HTTPS_PROXY" in str(error)
        assert "user name and a password" in str(error) or "user name and the password" in str(error)
        assert "wrong" not in str(error)
        assert closes(proxy)


def test_a_proxy_whose_certificate_is_not_trusted_is_named(client_kind, portal):
    with ProxyServer(portal.port, tls=over_tls(trustme.CA())) as proxy:
        error = failure(charge, client_kind.client(StaticToken(TOKEN), base_url=there(portal), proxy=proxy.url))
        assert (type(error), error.outcome_unknown) == (nb.BillingNetworkError, False)
        assert "the certificate of 127.0.0.1 was refused" in str(error)
        assert proxy.asked == []


def test_handshakes_that_fail_behind_a_proxy_cost_nothing(client_kind, portal, monkeypatch):
    monkeypatch.setattr(idle_connections, "CONNECTIONS", 2)
    with ProxyServer(portal.port, breaks=lambda number: number <= 6) as proxy:
        client = client_kind.client(StaticToken(portal.issue_token()), base_url=there(portal), proxy=proxy.url)
        for _ in range(6):
            error = failure(charge, client)
            assert (type(error), error.outcome_unknown) == (nb.BillingNetworkError, False)
            assert "no TLS connection to portal.test" in str(error)
        assert closes(proxy)
        assert charge(client).charge_id == portal.organisation.charges[0].id


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("status", [400, 403, 407, 502, 503])
def test_a_proxy_that_refuses_has_passed_nothing_on(status, operation, client_kind, server, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    server.otherwise = answer(status, "<h1>no</h1>", content_type="text/html")
    client = client_kind.client(StaticToken(TOKEN), base_url="https://portal.test")
    error = failure(CALLS[operation], client)
    assert (type(error), error.error, error.outcome_unknown) == (nb.BillingNetworkError, "network_error", False)
    assert {request.method for request in server.requests} == {"CONNECT"}
    assert TOKEN.encode() not in b"".join(request.raw for request in server.requests)


@pytest.mark.parametrize("data", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\nno TLS here"])
def test_a_proxy_that_breaks_off_is_a_typed_error_and_sees_no_token(data, client_kind, server, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    server.otherwise = Answer(data, "close")
    error = failure(charge, client_kind.client(StaticToken(TOKEN), base_url="https://portal.test"))
    assert (type(error), error.error) == (nb.BillingNetworkError, "network_error")
    # The charge itself never left: only the question for a tunnel did.
    assert error.outcome_unknown is False
    assert {request.method for request in server.requests} == {"CONNECT"}


def test_a_proxy_that_never_answers_is_left_at_the_deadline(client_kind, server, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    server.otherwise = Answer(b"", "hold")
    error = failure(charge, client_kind.client(StaticToken(TOKEN), base_url="https://portal.test"), timeout=0.2)
    assert (type(error), error.outcome_unknown) == (nb.BillingTimeout, False)


def test_a_proxy_that_is_not_there_has_passed_nothing_on(client_kind, monkeypatch):
    with RawServer() as gone:
        url = gone.url
    monkeypatch.setenv("ALL_PROXY", url)
    error = failure(charge, client_kind.client(StaticToken(TOKEN), base_url="https://portal.test"))
    assert (type(error), error.outcome_unknown) == (nb.BillingNetworkError, False)


@pytest.mark.parametrize("setting", ["ftp://proxy.test:21", "http://proxy.test:port", "http://[", "http://a b"])
def test_a_proxy_setting_that_cannot_be_used_is_an_error_of_its_own_and_no_outage(
    setting, client_kind, server, monkeypatch
):
    monkeypatch.setenv("ALL_PROXY", setting)
    client = client_kind.client(StaticToken(TOKEN), base_url="https://portal.test", timeout=0.5)
    for call in CALLS.values():
        error = failure(call, client)
        assert (type(error), error.error, error.outcome_unknown) == (nb.BillingInvalidRequest, "invalid_proxy", False)
        assert "ALL_PROXY" in str(error)
    # At once: it will not pass by itself.
    started = time.monotonic()
    failure(client.wait_for_charge, "ch_1", cap=60)
    assert time.monotonic() - started < 1
    # For a call to loopback it has no say.
    assert poll(client_kind.client(StaticToken(TOKEN), base_url=server.url)).status == "pending"


def test_no_proxy_is_heeded(client_kind, server, monkeypatch):
    with RawServer() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "nowhere.invalid")
        failure(read, client_kind.client(StaticToken(TOKEN), base_url="https://nowhere.invalid"))
        assert proxy.connections == 0
