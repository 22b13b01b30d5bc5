"""Spans and metrics, and what is in none of what can be seen from outside."""

import importlib
import logging
import sys
from collections.abc import Mapping

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.httpx import AsyncOpenTelemetryTransport, SyncOpenTelemetryTransport
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from nous_billing import StoredLogin
from nous_billing.mock import Fault
from nous_billing.otel import OpenTelemetryObserver
from tests.registry import KEY

from .harness import charge, failure, poll, read
from .shop import Shop
from .test_secrets import records  # noqa: F401 - a fixture


class Seen:
    """An observer, and the spans and metrics that it made. Keeps the events too."""

    def __init__(self):
        self._exporter, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        meters = MeterProvider([self._reader])
        self.observer = OpenTelemetryObserver(tracer_provider=self.provider, meter_provider=meters)

    @property
    def spans(self):
        return sorted(self._exporter.get_finished_spans(), key=lambda span: span.start_time)

    def metrics(self):
        """Of each metric the points: their attributes, and how often."""
        data = self._reader.get_metrics_data()
        found = [metric for each in data.resource_metrics for scope in each.scope_metrics for metric in scope.metrics]
        return {
            metric.name: [
                (dict(p.attributes), p.count if hasattr(p, "count") else p.value) for p in metric.data.data_points
            ]
            for metric in found
        }


@pytest.fixture
def seen():
    return Seen()


@pytest.fixture
def shop(client_kind, mock_portal, tmp_path):
    return Shop(client_kind, mock_portal, tmp_path)


def test_a_purchase_is_a_span_with_one_in_it_for_each_request_whose_traceparent_is_sent(shop, seen):
    shop.portal.inject(Fault.drop(acts=True), "post_charge")
    assert shop.press(shop.client(observer=seen.observer)).status == "settled"
    purchase, *requests = seen.spans
    assert (purchase.name, purchase.status.status_code.name, purchase.parent) == (
        "nous_billing.purchase",
        "UNSET",
        None,
    )
    assert purchase.attributes["nous_billing.status"] == "settled"
    assert [event.name for event in purchase.events] == ["sent", "sent", "accepted"]
    assert {span.parent.span_id for span in requests} == {purchase.context.span_id}
    assert {span.kind for span in requests} == {SpanKind.CLIENT}
    # The last part are flags.
    sent = [request.headers["traceparent"].rpartition("-")[0] for request in shop.portal.requests]
    assert sent == [f"00-{s.context.trace_id:032x}-{s.context.span_id:016x}" for s in requests]
    lost, again = (span for span in requests if span.name == "POST")
    host, port = shop.portal.url.removeprefix("http://").split(":")
    server = {"http.request.method": "POST", "server.address": host, "server.port": int(port)}
    url = {"url.full": f"{shop.portal.url}/api/billing/charge"}
    assert dict(lost.attributes) == {**server, **url, "error.type": "network_error"}
    assert dict(again.attributes) == {
        **server,
        **url,
        "http.request.resend_count": 1,
        "http.response.status_code": 202,
    }
    metrics = seen.metrics()
    assert ({**server, "error.type": "network_error"}, 1) in metrics["http.client.request.duration"]
    assert ({**server, "http.response.status_code": 202}, 1) in metrics["http.client.request.duration"]
    settled = {"nous_billing.what": "credits", "nous_billing.status": "settled"}
    assert metrics["nous_billing.purchase.duration"] == [(settled, 1)]
    assert "nous_billing.purchase.unknown" not in metrics


def test_a_call_that_ends_without_an_answer_counts_as_unknown(shop, seen):
    shop.portal.inject(Fault.html(502, acts=True), "post_charge")
    error = failure(charge, shop.client(observer=seen.observer))
    purchase, request = seen.spans
    assert (purchase.status.status_code.name, purchase.attributes["error.type"]) == ("ERROR", type(error).__name__)
    assert (request.status.status_code.name, request.attributes["error.type"]) == ("ERROR", "502")
    ((attributes, count),) = seen.metrics()["nous_billing.purchase.unknown"]
    assert (attributes["nous_billing.what"], count) == ("credits", 1)


def test_each_purchase_that_is_resumed_has_a_span(shop, seen):
    client = shop.client()
    for key in ("a", "b"):
        client.begin_purchase("11", idempotency_key=key, store=shop.folder)
    shop.client(observer=seen.observer).resume_purchases(shop.folder)
    found = {s.attributes["nous_billing.key"]: s for s in seen.spans if s.name == "nous_billing.purchase"}
    assert {key: span.attributes["nous_billing.status"] for key, span in found.items()} == {
        "a": "settled",
        "b": "settled",
    }


def test_a_request_outside_a_purchase_is_in_the_span_that_is_current(shop, seen):
    tracer = seen.provider.get_tracer("application")
    with tracer.start_as_current_span("work") as work:
        read(shop.client(observer=seen.observer))
        assert trace.get_current_span() is work
    assert [(span.name, span.parent and span.parent.span_id) for span in seen.spans] == [
        ("work", None),
        ("GET", work.context.span_id),
    ]


def test_an_instrumented_client_of_the_callers_makes_no_second_span(client_kind, shop, seen):
    if client_kind.is_async:
        transport = AsyncOpenTelemetryTransport(httpx.AsyncHTTPTransport(), tracer_provider=seen.provider)
    else:
        transport = SyncOpenTelemetryTransport(httpx.HTTPTransport(), tracer_provider=seen.provider)
    http = client_kind.http_client(transport=transport)
    poll(shop.client(observer=seen.observer, http_client=http))
    (span,) = seen.spans
    assert shop.portal.requests[-1].headers["traceparent"].split("-")[2] == f"{span.context.span_id:016x}"
    # Without the observer it makes its own.
    poll(shop.client(http_client=http))
    assert len(seen.spans) == 2


# --- Secrets

COOKIE, PASSWORD = "canary-cookie", "canary-password"


def texts(value):
    if isinstance(value, Mapping):
        return "".join(texts(key) + texts(each) for key, each in value.items())
    return f"{value}{value!r}"


@pytest.mark.usefixtures("approved_at_once")
@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
def test_no_record_event_span_or_metric_has_a_secret(level, shop, seen, records, tmp_path):  # noqa: F811
    logging.getLogger("nous_billing").setLevel(level)
    events, portal = [], shop.portal

    class Both:
        request_headers = staticmethod(seen.observer.request_headers)

        def __call__(self, event):
            events.append(event)
            seen.observer(event)

    login = StoredLogin(tmp_path / "login.json", portal_base_url=portal.url)
    codes = []

    def approve(code):
        codes.append(code)
        portal.approve_device(code.user_code)

    login.login(approve)
    proxied = shop.client(login, base_url=None, observer=Both(), proxy=f"http://user:{PASSWORD}@127.0.0.1:9")
    client = shop.client(login, base_url=None, observer=Both())
    cookie = {"set-cookie": f"session={COOKIE}", "x-request-id": "req_1"}
    portal.inject(Fault.reply(401, {"error": "invalid_token"}, cookie), "get_billing_state")
    portal.inject(Fault.drop(acts=True), "post_charge")
    portal.inject(Fault.reply(502, "<html>", cookie), "get_charge_status")
    shop.press(client)
    for fault in (Fault.reply(403, {"error": "role_required"}, cookie), Fault.raw(b"garbage")):
        portal.inject(fault, "post_charge")
        failure(charge, client, key=f"{fault.kind}-key")
    read(proxied)
    tokens = {request.headers.get("authorization", "Bearer none").split()[1] for request in portal.requests}
    refresh = {request.headers[name] for request in portal.requests for name in request.headers if "refresh" in name}
    device = {
        part.split(b"=")[1].decode() for r in portal.requests for part in r.body.split(b"&") if b"device_code=" in part
    }
    assert len(tokens) > 2
    assert refresh
    assert device
    secrets = {COOKIE, PASSWORD, *refresh, *device, *tokens - {"none"}}
    shown = "".join(f"{r.getMessage()}{r.args!r}{vars(r)!r}" for r in records.records if r.name == "nous_billing")
    shown += "".join(texts(event) for event in events)
    shown += "".join(span.to_json() for span in seen.spans) + repr(seen.metrics())
    assert KEY in shown
    assert "req_1" in shown
    assert {secret for secret in secrets if secret in shown} == set()
    assert "nous_billing.login.refreshes" in seen.metrics()
    login.close()


def test_without_opentelemetry_the_extra_is_named(monkeypatch):
    monkeypatch.delitem(sys.modules, "nous_billing.otel")
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ModuleNotFoundError, match=r"otel needs opentelemetry: install nous-billing\[otel\]"):
        importlib.import_module("nous_billing.otel")
