"""The proxies of the environment: loopback goes round them, and none of them ever sees the token."""

import contextlib
import socket
import threading

import pytest
import trustme

import nous_billing as nb
from nous_billing import StaticToken
from tests.sockets.harness import CALLS, charge, failure, poll, read
from tests.sockets.raw_server import Answer, RawServer, answer

TOKEN = "canary-token"
VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"]


class Tunnel:
    """A proxy that lets CONNECT through to one port, whatever host was asked for, and keeps what it was asked."""

    def __init__(self, port):
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.asked = []
        self.passed = b""
        self._sockets = [self._listener]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        self._stopping = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stopping = True
        with contextlib.suppress(OSError):
            socket.create_connection(self._listener.getsockname()).close()
        self._threads[0].join()
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for sock in self._sockets:
            sock.close()

    def _accept(self):
        while True:
            inner, _ = self._listener.accept()
            self._sockets.append(inner)
            if self._stopping:
                return
            head = b""
            while b"\r\n\r\n" not in head:
                head += inner.recv(65536)
            self.asked.append(head)
            outer = socket.create_connection(("127.0.0.1", self._port))
            self._sockets.append(outer)
            inner.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            for pair in ((inner, outer), (outer, inner)):
                thread = threading.Thread(target=self._pump, args=pair, daemon=True)
                self._threads.append(thread)
                thread.start()

    def _pump(self, source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self.passed += data
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


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
def test_a_proxy_passes_the_call_on_without_seeing_the_token(variable, client_kind, mock_portal, monkeypatch, tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("portal.test").private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    both = str(tmp_path / "both.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    mock_portal.stop()
    with mock_portal.serve(ssl_certfile=both, ssl_keyfile=both) as url:
        port = int(url.rpartition(":")[2])
        with Tunnel(port) as proxy:
            monkeypatch.setenv(variable, proxy.url)
            token = mock_portal.issue_token()
            client = client_kind.client(StaticToken(token), base_url=f"https://portal.test:{port}")
            assert charge(client).charge_id == mock_portal.organisation.charges[0].id
            assert read(client).portal_url == f"https://portal.test:{port}/billing?topup=open"
            client.close()
    (asked,) = proxy.asked
    assert asked.startswith(f"CONNECT portal.test:{port} HTTP/1.1\r\n".encode())
    assert b"authorization" not in asked.lower()
    assert len(proxy.passed) > 500
    assert token.encode() not in asked + proxy.passed
    assert mock_portal.requests[0].headers["authorization"] == f"Bearer {token}"


@pytest.mark.parametrize("operation", list(CALLS))
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


@pytest.mark.parametrize(
    "setting", ["ftp://proxy.test:21", "socks5://127.0.0.1:1080", "http://proxy.test:port", "http://[", "http://a b"]
)
def test_a_proxy_setting_that_cannot_be_used_is_a_typed_error(setting, client_kind, server, monkeypatch):
    monkeypatch.setenv("ALL_PROXY", setting)
    client = client_kind.client(StaticToken(TOKEN), base_url="https://portal.test", timeout=0.5)
    for call in CALLS.values():
        error = failure(call, client)
        assert isinstance(error, nb.BillingNetworkError)
        assert (error.error, error.outcome_unknown) == ("network_error", False)
    # For a call to loopback it may be refused or have no say.
    loopback = client_kind.client(StaticToken(TOKEN), base_url=server.url)
    with contextlib.suppress(nb.BillingNetworkError):
        assert poll(loopback).status == "pending"


def test_no_proxy_is_heeded(client_kind, server, monkeypatch):
    with RawServer() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "nowhere.invalid")
        failure(read, client_kind.client(StaticToken(TOKEN), base_url="https://nowhere.invalid"))
        assert proxy.connections == 0
