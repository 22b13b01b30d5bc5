"""What the facade relies on in the HTTP library, beyond its documentation. Fails where a new version takes it away."""

import inspect
import ssl
import subprocess
import sys

import httpcore
import httpx
import pytest

from nous_billing import (
    AsyncBillingClient,
    BillingClient,
    StaticToken,
)
from nous_billing.transport import deadline
from nous_billing.transport import httpx_senders as through_httpx
from nous_billing.transport import sender as transport
from tests.sockets.harness import poll
from tests.sockets.raw_server import RawServer


@pytest.mark.parametrize("proxy", [None, "http://127.0.0.1:1"])
@pytest.mark.parametrize(
    ("make", "backend", "origin"),
    [
        (through_httpx.proxied_sender, deadline.DeadlineBackend, httpcore.Origin(b"http", b"localhost", 80)),
        (through_httpx.proxied_async_sender, deadline.ClosingBackend, httpcore.Origin(b"http", b"localhost", 80)),
    ],
)
def test_the_pools_of_an_http_client_take_another_network_backend(make, backend, origin, proxy, monkeypatch):
    if proxy is not None:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
    pools = through_httpx.pools(make()._http)
    assert len(pools) == (1 if proxy is None else 2)
    assert all(type(pool._network_backend) is backend for pool in pools)
    # What is replaced is one of the library's, and a connection is made with the one that its pool has at that time.
    assert isinstance(pools[0]._network_backend._backend, (httpcore.NetworkBackend, httpcore.AsyncNetworkBackend))
    assert type(pools[0].create_connection(origin)._network_backend) is backend


def test_the_deadline_backend_implements_all_that_the_library_calls():
    for theirs, mine in (
        (httpcore.NetworkStream, deadline._DeadlineStream),
        (httpcore.AsyncNetworkStream, deadline._ClosingStream),
    ):
        stream = {name for name, _ in inspect.getmembers(theirs, inspect.isfunction)}
        assert stream <= set(vars(mine))
    assert "connect_tcp" in vars(deadline.DeadlineBackend)
    for mine, theirs in (
        (deadline.DeadlineBackend.connect_tcp, httpcore.NetworkBackend.connect_tcp),
        (deadline._DeadlineStream.start_tls, httpcore.NetworkStream.start_tls),
        (deadline._ClosingStream.start_tls, httpcore.AsyncNetworkStream.start_tls),
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
def test_a_client_that_makes_no_call_makes_no_tls_context(make, contexts):
    assert make(StaticToken("t"), base_url="https://portal.test")
    assert contexts == []


def test_the_tls_context_checks_certificates_and_names():
    context = transport.ssl_context()
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_a_first_call_loads_neither_httpx_nor_an_event_loop(server):
    code = (
        "import sys; from nous_billing import BillingClient, StaticToken; "
        f"print(BillingClient(StaticToken('t'), base_url={server.url!r}).get_charge_status('ch_1').status); "
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("pending")
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "httpcore" in loaded
    # Each would take as long to load as the answer itself.
    assert {"httpx", "asyncio", "attr", "attrs", "click", "rich"}.isdisjoint(loaded)
