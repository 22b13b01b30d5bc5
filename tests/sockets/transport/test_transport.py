"""What is loaded and asked for when a connection is made, and what is relied on in the HTTP library of a caller."""

import subprocess
import sys

import httpx
import pytest

from nous_billing import AsyncBillingClient, BillingClient, StaticToken
from nous_billing.transport import tls
from tests.sockets.harness import charge, failure, poll
from tests.sockets.raw_server import RawServer, answer


def test_a_dead_connection_is_told_in_these_words(server):
    with RawServer() as other, httpx.Client() as http:
        other.otherwise = server.otherwise
        http.get(other.url)
        other.otherwise = type(server.otherwise)(b"", "close")
        with pytest.raises(httpx.RemoteProtocolError, match=r"^Server disconnected"):
            http.get(other.url)


def test_the_library_reports_the_phases_of_a_request(server):
    phases = []
    with httpx.Client() as http:
        for _ in range(2):
            http.get(server.url, extensions={"trace": lambda phase, info: phases.append(phase)})
    assert phases.count("connection.connect_tcp.started") == 1
    assert phases.count("http11.send_request_headers.started") == 2


@pytest.fixture
def contexts(monkeypatch):
    """Whether a TLS context was given, each time that one is asked for."""
    asked = []
    real = tls.context

    def context(given):
        asked.append(given is not None)
        return real(given)

    monkeypatch.setattr(tls, "context", context)
    return asked


def test_a_tls_context_is_asked_for_with_each_new_connection_over_tls(contexts, client_kind, server, tls_server):
    plain = client_kind.client(StaticToken("t"), base_url=server.url)
    poll(plain)
    assert contexts == []
    client = client_kind.client(StaticToken("t"), base_url=tls_server.url)
    tls_server.script += [tls_server.otherwise, tls_server.otherwise, answer(202, {"chargeId": "ch_1"})]
    for call in (poll, poll, charge):
        call(client)
    assert contexts == [False, False]


def test_a_given_context_is_used_and_no_other(contexts, client_kind, tls_server, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    refused = failure(poll, client_kind.client(StaticToken("t"), base_url=tls_server.url))
    assert "was refused: its authority is not trusted here" in str(refused)
    client = client_kind.client(StaticToken("t"), base_url=tls_server.url, ssl_context=tls_server.trusting)
    assert poll(client).status == "pending"
    assert contexts == [False, True]


@pytest.mark.parametrize("make", [BillingClient, AsyncBillingClient])
def test_a_client_that_makes_no_call_asks_for_no_context(make, contexts):
    assert make(StaticToken("t"), base_url="https://portal.test")
    assert contexts == []


def test_a_first_call_loads_neither_httpx_nor_an_event_loop(server):
    code = (
        "import sys; from nous_billing import BillingClient, StaticToken; "
        f"print(BillingClient(StaticToken('t'), base_url={server.url!r}).get_charge_status('ch_1').status); "
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("pending")
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "h11" in loaded
    # Each would take as long to load as the answer itself.
    assert {"httpx", "httpcore", "anyio", "asyncio", "attr", "attrs", "click", "rich"}.isdisjoint(loaded)
