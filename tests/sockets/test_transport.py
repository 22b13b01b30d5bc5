"""What the facade relies on in the HTTP library, beyond its documentation. Fails where a new version takes it away."""

import inspect
import ssl

import httpcore
import httpx
import pytest

from nous_billing import AsyncBillingClient, BillingClient, StaticToken, deadline, transport

from .harness import poll
from .raw_server import RawServer


@pytest.mark.parametrize("proxy", [None, "http://127.0.0.1:1"])
def test_the_pools_of_an_http_client_take_another_network_backend(proxy, monkeypatch):
    if proxy is not None:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
    with httpx.Client(mounts=transport.NO_PROXY_FOR_LOOPBACK) as client:
        pools = [each._pool for each in [client._transport, *client._mounts.values()] if each is not None]
        assert len(pools) == (1 if proxy is None else 2)
        assert all(isinstance(pool._network_backend, httpcore.NetworkBackend) for pool in pools)
        deadline.observe_deadline(client)
        assert all(type(pool._network_backend) is deadline.DeadlineBackend for pool in pools)
        # A connection is made with the backend that its pool has at that time.
        made = pools[0].create_connection(httpcore.Origin(b"http", b"localhost", 80))
        assert type(made._network_backend) is deadline.DeadlineBackend


def test_the_deadline_backend_implements_all_that_the_library_calls():
    stream = {name for name, _ in inspect.getmembers(httpcore.NetworkStream, inspect.isfunction)}
    assert stream <= set(vars(deadline._DeadlineStream))
    assert "connect_tcp" in vars(deadline.DeadlineBackend)
    for mine, theirs in (
        (deadline.DeadlineBackend.connect_tcp, httpcore.NetworkBackend.connect_tcp),
        (deadline._DeadlineStream.start_tls, httpcore.NetworkStream.start_tls),
    ):
        assert list(inspect.signature(mine).parameters) == list(inspect.signature(theirs).parameters)


def test_a_dead_connection_is_told_in_these_words(server):
    with RawServer() as other, httpx.Client(verify=transport.ssl_context()) as http:
        other.otherwise = server.otherwise
        http.get(other.url)
        other.otherwise = type(server.otherwise)(b"", "close")
        with pytest.raises(httpx.RemoteProtocolError, match=r"^Server disconnected"):
            http.get(other.url)


def test_the_library_reports_the_phases_of_a_request(server):
    phases = []
    with httpx.Client(verify=transport.ssl_context()) as http:
        for _ in range(2):
            http.get(server.url, extensions={"trace": lambda phase, info: phases.append(phase)})
    assert phases.count("connection.connect_tcp.started") == 1
    assert phases.count("http11.send_request_headers.started") == 2


@pytest.fixture
def contexts(monkeypatch):
    """The TLS contexts that are made."""
    made = []
    make = ssl.create_default_context

    def create_default_context(*args, **kwargs):
        made.append(make(*args, **kwargs))
        return made[-1]

    monkeypatch.setattr(ssl, "create_default_context", create_default_context)
    transport._ssl_context.cache_clear()
    yield made
    transport._ssl_context.cache_clear()


def test_one_tls_context_is_made_when_it_is_first_needed_and_shared(
    contexts, client_kind, server, monkeypatch, tmp_path
):
    clients = [client_kind.client(StaticToken("t"), base_url=server.url) for _ in range(3)]
    assert contexts == []
    for client in clients:
        poll(client)
    assert len(contexts) == 1
    assert transport.ssl_context() is contexts[0]
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    poll(client_kind.client(StaticToken("t"), base_url=server.url))
    assert len(contexts) == 2


@pytest.mark.parametrize("make", [BillingClient, AsyncBillingClient])
def test_a_client_that_makes_no_call_makes_no_http_client(make, contexts, monkeypatch):
    for name in ("Client", "AsyncClient"):
        monkeypatch.setattr(httpx, name, None)
    assert make(StaticToken("t"), base_url="https://portal.test")
    assert contexts == []


def test_the_tls_context_checks_certificates_and_names():
    context = transport.ssl_context()
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
