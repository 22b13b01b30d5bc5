"""Which spans and metrics events become, to the last attribute: dashboards and alarms are made of their names."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from nous_billing import events
from nous_billing._version import __version__
from nous_billing.otel import OpenTelemetryObserver

BEGUN: dict[str, Any] = {"call": 1, "what": "credits", "key": "k"}
WHOLE: dict[str, Any] = {**BEGUN, "amount_usd": Decimal("50.10"), "organisation_id": "org_1", "charge_id": "ch_1"}
KEY = {"nous_billing.what": "credits", "nous_billing.key": "k"}
ATTRIBUTES = {
    **KEY,
    "nous_billing.amount_usd": "50.10",
    "nous_billing.organisation_id": "org_1",
    "nous_billing.charge_id": "ch_1",
}
ASKED: dict[str, Any] = {
    "call": 1,
    "exchange": 7,
    "method": "GET",
    "base_url": "https://portal.test",
    "path": "/api/x",
    "attempt": 1,
}
ANSWERED: dict[str, Any] = {
    **ASKED,
    "status": 200,
    "error": None,
    "milliseconds": 250.0,
    "request_id": None,
    "connection": "new",
    "was_sent": True,
}
SERVER = {"http.request.method": "GET", "server.address": "portal.test", "server.port": 443}
URL = {"url.full": "https://portal.test/api/x"}


class Seen:
    def __init__(self):
        self._spans, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.observer = OpenTelemetryObserver(tracer_provider=tracers, meter_provider=MeterProvider([self._reader]))

    def tell(self, *told):
        for event in told:
            self.observer(event)

    @property
    def spans(self):
        return self._spans.get_finished_spans()

    @property
    def metrics(self):
        (resource,) = self._reader.get_metrics_data().resource_metrics
        (scope,) = resource.scope_metrics
        assert (scope.scope.name, scope.scope.version) == ("nous_billing", __version__)
        return {metric.name: metric for metric in scope.metrics}


@pytest.fixture
def seen():
    return Seen()


def test_the_metrics_have_the_names_units_and_bounds_of_the_conventions(seen):
    seen.tell(
        events.ExchangeBegun(**ASKED),
        events.ExchangeEnded(**ANSWERED),
        events.PurchaseBegun(**BEGUN, is_continued=False),
        events.PurchaseEnded(**BEGUN, status="settled", reason=None, seconds=3.5),
        events.PurchaseEnded(**BEGUN, status="settled", reason=None, seconds=4.5, is_first=False),
        events.PurchaseUncertain(**BEGUN, error=None),
        events.LoginRefreshed(call=1, base_url="https://portal.test", error=None),
        events.LoginRefreshed(call=1, base_url="https://portal.test", error="invalid_grant"),
    )
    found = seen.metrics
    assert {name: (metric.unit, metric.description) for name, metric in found.items()} == {
        "http.client.request.duration": ("s", "Duration of HTTP client requests."),
        "nous_billing.purchase.duration": ("s", "Time from the beginning of a purchase to its known end."),
        "nous_billing.purchase.unknown": ("{purchase}", "Calls that ended without knowing whether money moved."),
        "nous_billing.login.refreshes": ("{refresh}", "Renewals of a login, failed ones included."),
    }
    (request,) = found["http.client.request.duration"].data.data_points
    assert (request.attributes, request.sum) == ({**SERVER, "http.response.status_code": 200}, 0.25)
    assert (request.explicit_bounds[0], request.explicit_bounds[-1]) == (0.005, 10)
    (purchase,) = found["nous_billing.purchase.duration"].data.data_points
    outcome = {"nous_billing.what": "credits", "nous_billing.status": "settled"}
    assert (purchase.attributes, purchase.sum, purchase.explicit_bounds[-1]) == (outcome, 3.5, 300)
    (unknown,) = found["nous_billing.purchase.unknown"].data.data_points
    assert (unknown.attributes, unknown.value) == ({"nous_billing.what": "credits", "error.type": "unknown"}, 1)
    refreshes = [(dict(p.attributes), p.value) for p in found["nous_billing.login.refreshes"].data.data_points]
    assert refreshes == [({}, 1), ({"error.type": "invalid_grant"}, 1)]


@pytest.mark.parametrize(
    ("told", "attributes", "happened", "status"),
    [
        ([events.PurchaseSent(**WHOLE, attempt=2)], ATTRIBUTES, [("sent", {"nous_billing.attempt": 2})], "UNSET"),
        ([events.PurchaseAccepted(**WHOLE)], ATTRIBUTES, [("accepted", {})], "UNSET"),
        (
            [events.PurchaseEnded(**WHOLE, status="failed", reason="card_declined", seconds=1)],
            {**ATTRIBUTES, "nous_billing.status": "failed", "nous_billing.reason": "card_declined"},
            [],
            "UNSET",
        ),
        (
            [events.PurchaseUncertain(**WHOLE, error="network_error")],
            ATTRIBUTES,
            [],
            "ERROR: It is not known whether money moved.",
        ),
        ([events.CallEnded(call=1, error="BillingNetworkError")], {"error.type": "BillingNetworkError"}, [], "ERROR"),
        ([events.CallEnded(call=2, error="BillingNetworkError")], {}, [], "UNSET"),
    ],
)
def test_a_purchase_is_a_span(told, attributes, happened, status, seen):
    seen.tell(events.PurchaseBegun(**BEGUN, is_continued=False), *told, events.CallEnded(call=1))
    (span,) = seen.spans
    assert (span.name, dict(span.attributes)) == ("nous_billing.purchase", {**KEY, **attributes})
    assert [(event.name, dict(event.attributes)) for event in span.events] == happened
    described = f": {span.status.description}" if span.status.description else ""
    assert f"{span.status.status_code.name}{described}" == status


def test_the_next_purchase_of_a_call_ends_the_span_before(seen):
    for key in ("a", "b"):
        seen.tell(events.PurchaseBegun(call=1, what="credits", key=key, is_continued=True))
    assert [span.attributes["nous_billing.key"] for span in seen.spans] == ["a"]
    seen.tell(events.CallEnded(call=1))
    assert [span.attributes["nous_billing.key"] for span in seen.spans] == ["a", "b"]


@pytest.mark.parametrize(
    ("changes", "attributes", "status"),
    [
        ({}, {"http.response.status_code": 200}, "UNSET"),
        ({"status": 399}, {"http.response.status_code": 399}, "UNSET"),
        ({"status": 400}, {"http.response.status_code": 400, "error.type": "400"}, "ERROR"),
        ({"status": None, "error": "timeout"}, {"error.type": "timeout"}, "ERROR"),
        ({"status": 200, "error": "timeout"}, {"http.response.status_code": 200, "error.type": "timeout"}, "ERROR"),
        ({"attempt": 3}, {"http.response.status_code": 200, "http.request.resend_count": 2}, "UNSET"),
        (
            {"base_url": "http://[::1]"},
            {
                "http.response.status_code": 200,
                "server.address": "::1",
                "server.port": 80,
                "url.full": "http://[::1]/api/x",
            },
            "UNSET",
        ),
    ],
)
def test_a_request_is_a_span(changes, attributes, status, seen):
    ended = replace(events.ExchangeEnded(**ANSWERED), **changes)
    seen.tell(events.ExchangeBegun(**{name: getattr(ended, name) for name in ASKED}), ended)
    (span,) = seen.spans
    assert (span.name, span.kind.name, span.parent) == ("GET", "CLIENT", None)
    assert dict(span.attributes) == {**SERVER, **URL, **attributes}
    assert span.status.status_code.name == status
