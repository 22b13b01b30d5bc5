"""Tools that stand between a program and httpx: they see what goes through a client that was given.

What replaces the network, for a test or a recording, is not gone past by a client that was given none.
"""

import json
from unittest.mock import MagicMock

import httpcore2
import httpx
import httpx2
import pytest
import respx
import sentry_sdk
import vcr  # type: ignore[import-untyped]
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sentry_sdk.integrations.httpx import HttpxIntegration

import nous_billing as nb
from nous_billing import BillingClient, StaticToken
from tests.sockets.harness import charge, failure, poll

from .given import given

PORTAL = "https://portal.test"
ACCEPTED = {"chargeId": "ch_1"}

# With a client that is given, and with the SDK's own connections.
by_default = pytest.mark.parametrize("by_default", [False, True], ids=["given", "default"])


def client_of(kind, by_default, url=PORTAL):
    return kind.client(StaticToken("t"), base_url=url) if by_default else given(kind, httpx, url)


@by_default
def test_pytest_httpx_answers_instead_of_the_portal(by_default, client_kind, httpx_mock):
    httpx_mock.add_response(url=f"{PORTAL}/api/billing/charge", status_code=202, json=ACCEPTED)
    client = client_of(client_kind, by_default)
    assert charge(client, key="my-key").charge_id == "ch_1"
    (request,) = httpx_mock.get_requests()
    assert request.headers["idempotency-key"] == "my-key"
    assert json.loads(request.content) == {"amountUsd": 50.25}
    httpx_mock.add_exception(httpx.ConnectError("blocked"))
    assert failure(charge, client).outcome_unknown is False


@by_default
def test_respx_answers_instead_of_the_portal(by_default, client_kind):
    client = client_of(client_kind, by_default)
    with respx.mock:
        route = respx.post(f"{PORTAL}/api/billing/charge").respond(202, json=ACCEPTED)
        assert charge(client).charge_id == "ch_1"
    assert route.called


@by_default
def test_vcr_records_and_answers(by_default, client_kind, server, tmp_path):
    client = client_of(client_kind, by_default, server.url)
    for _ in range(2):
        with vcr.use_cassette(tmp_path / "cassette.yaml", record_mode="once", filter_headers=["authorization"]) as seen:
            assert poll(client).status == "pending"
    assert seen.play_count == 1
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("module", "cls", "replacement"),
    [
        ("httpx2._transports.default", "HTTPTransport", lambda self, request: httpx2.Response(202, json=ACCEPTED)),
        ("httpcore2._sync.connection_pool", "ConnectionPool", MagicMock(side_effect=httpcore2.ConnectError("blocked"))),
    ],
)
def test_what_replaces_the_network_of_httpx2_is_not_gone_past_either(module, cls, replacement, server, monkeypatch):
    monkeypatch.setattr(f"{module}.{cls}.handle_request", replacement)
    with BillingClient(StaticToken("t"), base_url=server.url) as client:
        if isinstance(replacement, MagicMock):
            assert failure(charge, client).outcome_unknown is False
        else:
            assert charge(client).charge_id == "ch_1"
    assert server.requests == []


def test_a_client_that_was_intercepted_sends_by_itself_again(client_kind, server, httpx_mock, monkeypatch):
    client = client_of(client_kind, True, server.url)
    httpx_mock.add_response(json={"status": "from-a-test"})
    assert poll(client).status == "from-a-test"
    monkeypatch.undo()
    assert poll(client).status == "pending"
    assert len(server.requests) == 1


@pytest.fixture
def spans():
    """What OpenTelemetry's instrumentation of httpx exports."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    yield exporter
    instrumentor.uninstrument()
    provider.shutdown()


def test_opentelemetry_sees_a_given_client_and_no_other(spans, client_kind, server):
    assert poll(client_of(client_kind, False, server.url)).status == "pending"
    (span,) = spans.get_finished_spans()
    assert span.attributes["http.status_code"] == 200
    assert "traceparent" in server.requests[0].headers
    # It looks on, and replaces nothing: the SDK's own connections are used.
    assert poll(client_of(client_kind, True, server.url)).status == "pending"
    assert len(spans.get_finished_spans()) == 1


def test_what_looks_on_does_not_hide_that_nothing_was_sent(spans, client_kind):
    error = failure(charge, client_of(client_kind, False, "http://127.0.0.1:1"))
    assert (type(error), error.outcome_unknown) == (nb.BillingNetworkError, False)


@pytest.fixture(scope="module")
def envelopes():
    """What Sentry's integration of httpx sends. It is installed once in a process, and never taken back."""
    kept = []

    class Kept(sentry_sdk.transport.Transport):
        def capture_envelope(self, envelope):
            kept.append(envelope)

    send = httpx.Client.send, httpx.AsyncClient.send
    sentry_sdk.init(
        dsn="http://key@127.0.0.1/1",
        transport=Kept,
        integrations=[HttpxIntegration()],
        default_integrations=False,
        auto_enabling_integrations=False,
        traces_sample_rate=1.0,
    )
    yield kept
    httpx.Client.send, httpx.AsyncClient.send = send
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(None)


def polled(clients):
    with sentry_sdk.start_transaction(name="a purchase"):
        for client in clients:
            poll(client)


async def apolled(clients):
    with sentry_sdk.start_transaction(name="a purchase"):
        for client in clients:
            await poll(client.awaited)


def test_sentry_sees_a_given_client_and_no_other(envelopes, client_kind, server):
    envelopes.clear()
    clients = [client_of(client_kind, by_default, server.url) for by_default in (False, True)]
    client_kind.run(apolled(clients)) if client_kind.is_async else polled(clients)
    (transaction,) = [item.payload.json for envelope in envelopes for item in envelope.items]
    assert [span["op"] for span in transaction["spans"]] == ["http.client"]
