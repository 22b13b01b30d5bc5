"""Spans and metrics for OpenTelemetry; the extra ``[otel]``. Names and units are those of its stable HTTP conventions.

    client = BillingClient(observer=OpenTelemetryObserver())

A span for each purchase and each upgrade; in it, or in the span that is current, one for each request, whose
``traceparent`` is sent. Metrics: ``http.client.request.duration`` and ``nous_billing.purchase.duration``, in seconds;
``nous_billing.purchase.unknown`` and ``nous_billing.login.refreshes``.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import Token
from urllib.parse import urlsplit

try:
    from opentelemetry import context, metrics, propagate, trace
    from opentelemetry.context import (
        _SUPPRESS_HTTP_INSTRUMENTATION_KEY as SUPPRESS_HTTP,  # pyright: ignore[reportPrivateUsage]
    )
    from opentelemetry.trace import Span, SpanKind, Status, StatusCode
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        f"nous_billing.otel needs {_error.name}: install nous-billing[otel] from the index of nous-billing",
        name=_error.name,
    ) from _error

from ._version import __version__
from .events import (
    CallEnded,
    Event,
    ExchangeBegun,
    ExchangeEnded,
    LoginRefreshed,
    PurchaseAccepted,
    PurchaseBegun,
    PurchaseEnded,
    PurchaseEvent,
    PurchaseSent,
    PurchaseUncertain,
)

_NAME = "nous_billing"
# Those of the conventions, in seconds; and for purchases, which wait for a person's bank.
_REQUEST_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
_PURCHASE_BUCKETS = [0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300]
_PORTS = {"http": 80, "https": 443}

Attributes = dict[str, str | int]


class OpenTelemetryObserver:
    """An ``observer`` for clients of both kinds; one serves many.

    Args:
        tracer_provider: None: the global one.
        meter_provider: None: the global one.
    """

    def __init__(
        self,
        *,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
    ) -> None:
        self._tracer = trace.get_tracer(_NAME, __version__, tracer_provider)
        meter = metrics.get_meter(_NAME, __version__, meter_provider)
        self._requests = meter.create_histogram(
            "http.client.request.duration",
            "s",
            "Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=_REQUEST_BUCKETS,
        )
        self._settling = meter.create_histogram(
            "nous_billing.purchase.duration",
            "s",
            "Time from the beginning of a purchase to its known end.",
            explicit_bucket_boundaries_advisory=_PURCHASE_BUCKETS,
        )
        self._unknown = meter.create_counter(
            "nous_billing.purchase.unknown", "{purchase}", "Calls that ended without knowing whether money moved."
        )
        self._refreshes = meter.create_counter(
            "nous_billing.login.refreshes", "{refresh}", "Renewals of a login, failed ones included."
        )
        # By the number of the call, and of the exchange.
        self._purchases: dict[int, Span] = {}
        self._exchanges: dict[int, tuple[Span, Token[context.Context]]] = {}

    def __call__(self, event: Event) -> None:
        match event:
            case ExchangeEnded():
                self._end_exchange(event)
            case ExchangeBegun():
                self._begin_exchange(event)
            case LoginRefreshed():
                self._refreshes.add(1, {} if event.error is None else {"error.type": event.error})
            case CallEnded():
                self._end_purchase(event.call, event.error)
            case _:
                self._note_purchase(event)

    def request_headers(self, event: ExchangeBegun) -> Mapping[str, str]:
        """Return the headers of the trace, as the global propagator writes them."""
        carrier: dict[str, str] = {}
        span, _ = self._exchanges[event.exchange]
        propagate.inject(carrier, trace.set_span_in_context(span))
        return carrier

    def _begin_exchange(self, event: ExchangeBegun) -> None:
        attributes = {**_request(event), "url.full": f"{event.base_url}{event.path}"}
        if event.attempt > 1:
            attributes["http.request.resend_count"] = event.attempt - 1
        purchase = self._purchases.get(event.call)
        above = None if purchase is None else trace.set_span_in_context(purchase)
        span = self._tracer.start_span(event.method, above, SpanKind.CLIENT, attributes)
        # Records that are logged meanwhile belong to the span, and an instrumented HTTP library makes no second one.
        token = context.attach(context.set_value(SUPPRESS_HTTP, True, trace.set_span_in_context(span)))
        self._exchanges[event.exchange] = span, token

    def _end_exchange(self, event: ExchangeEnded) -> None:
        span, token = self._exchanges.pop(event.exchange)
        context.detach(token)
        outcome: Attributes = {} if event.status is None else {"http.response.status_code": event.status}
        failed = event.status is not None and event.status >= 400
        error = event.error or (str(event.status) if failed else None)
        if error is not None:
            outcome["error.type"] = error
            span.set_status(Status(StatusCode.ERROR))
        span.set_attributes(outcome)
        span.end()
        self._requests.record(event.milliseconds / 1000, {**_request(event), **outcome})

    def _note_purchase(self, event: PurchaseEvent) -> None:
        if isinstance(event, PurchaseBegun):
            self._end_purchase(event.call, None)
            self._purchases[event.call] = self._tracer.start_span("nous_billing.purchase")
        span = self._purchases.get(event.call, trace.INVALID_SPAN)
        span.set_attributes(_purchase(event))
        match event:
            case PurchaseSent():
                span.add_event("sent", {"nous_billing.attempt": event.attempt})
            case PurchaseAccepted():
                span.add_event("accepted")
            case PurchaseEnded():
                outcome = {"nous_billing.what": event.what, "nous_billing.status": event.status}
                span.set_attributes(
                    outcome if event.reason is None else {**outcome, "nous_billing.reason": event.reason}
                )
                if event.is_first:
                    self._settling.record(event.seconds, outcome)
            case PurchaseUncertain():
                span.set_status(Status(StatusCode.ERROR, "It is not known whether money moved."))
                self._unknown.add(1, {"nous_billing.what": event.what, "error.type": event.error or "unknown"})
            case _:
                pass

    def _end_purchase(self, call: int, error: str | None) -> None:
        span = self._purchases.pop(call, None)
        if span is not None:
            if error is not None:
                span.set_attribute("error.type", error)
                span.set_status(Status(StatusCode.ERROR))
            span.end()


def _request(event: ExchangeBegun) -> Attributes:
    address = urlsplit(event.base_url)
    return {
        "http.request.method": event.method,
        "server.address": address.hostname or "",
        "server.port": address.port or _PORTS[address.scheme],
    }


def _purchase(event: PurchaseEvent) -> Attributes:
    values = {
        "what": event.what,
        "key": event.key,
        "amount_usd": None if event.amount_usd is None else str(event.amount_usd),
        "organisation_id": event.organisation_id,
        "charge_id": event.charge_id,
    }
    return {f"nous_billing.{name}": value for name, value in values.items() if value is not None}
