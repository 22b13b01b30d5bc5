"""Write the trace of one purchase with a lost reply into docs/guide/observability.md; --check compares it.

The purchase is made at the mock portal, with a clock that does not wait. What differs from run to run (numbers,
durations, the portal's address and its ids) is written in a fixed way.
"""

import argparse
import logging
import re
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import cast

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from nous_billing import BillingClient, StaticToken
from nous_billing.mock import Fault, MockPortal
from nous_billing.otel import OpenTelemetryObserver

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/guide/observability.md"
KEY = "2f1c8e7a-0000-4000-8000-000000000000"
PORTAL = "https://portal.example"


class Clock:
    """Time that passes while somebody sleeps, for the portal too."""

    def __init__(self, portal: MockPortal) -> None:
        self._clock = portal.clock

    def monotonic(self) -> float:
        return self._clock.now()

    def time(self) -> float:
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        self._clock.advance(seconds)


def traced() -> tuple[str, str]:
    """The log and the spans of the purchase."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    portal = MockPortal()
    with logged() as log, portal.serve() as url, tempfile.TemporaryDirectory() as folder:
        observer = OpenTelemetryObserver(tracer_provider=provider)
        portal.inject(Fault.drop(acts=True), "post_charge")
        with BillingClient(
            StaticToken(portal.issue_token()), base_url=url, observer=observer, clock=Clock(portal)
        ) as client:
            client.buy_credits("50", idempotency_key=KEY, store=folder)
        charges = [str(charge.amount) for charge in portal.organisation.charges]
    assert charges == ["50"], charges
    texts = log.getvalue(), "\n".join(drawn(list(exporter.get_finished_spans()))) + "\n"
    log_text, spans = (steady(text.replace(url, PORTAL)) for text in texts)
    return wrapped(log_text), spans


def wrapped(text: str) -> str:
    """Break the lines of the log as a page shows them."""
    return "".join(
        f"{textwrap.fill(line, 80, subsequent_indent=' ' * 6, break_on_hyphens=False)}\n" for line in text.splitlines()
    )


@contextmanager
def logged() -> Iterator[StringIO]:
    logger, text = logging.getLogger("nous_billing"), StringIO()
    handler, level = logging.StreamHandler(text), logger.level
    handler.setFormatter(logging.Formatter("%(levelname)-5s %(message)s"))
    # Not the mock's, which has a logger below this one.
    handler.addFilter(lambda record: record.name == logger.name)
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield text
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def drawn(spans: list[ReadableSpan]) -> Iterator[str]:
    """The spans as a tree, each with its attributes and events."""
    spans.sort(key=lambda span: span.start_time or 0)
    above = {span.context.span_id: span for span in spans}
    for span in spans:
        indent = "  " if span.parent and span.parent.span_id in above else ""
        yield f"{indent}{span.name} [{span.status.status_code.name}]"
        parts = [
            f"{name}={value}" for name, value in sorted(cast("dict[str, str | int]", span.attributes or {}).items())
        ]
        yield from (f"{indent}    {part}" for part in parts)
        for event in span.events:
            yield f"{indent}    event {event.name} {dict(event.attributes or {}) or ''}".rstrip()


def steady(text: str) -> str:
    text = re.sub(r"\b(in|after) \d+ ms", r"\1 … ms", text)
    text = re.sub(r"(?<=server\.address=)127\.0\.0\.1", "portal.example", text)
    text = re.sub(r"(?<=server\.port=)\d+", "443", text)
    text = re.sub(r"\bafter [\d.]+ s", "after … s", text)
    charges: dict[str, str] = {}
    return re.sub(r"\bch_[\w-]+", lambda found: charges.setdefault(found[0], f"ch_{len(charges) + 1}"), text)


def written(page: str) -> str:
    for name, text in zip(("log", "spans"), traced(), strict=True):
        before, fence, rest = page.partition(f"<!-- {name}: make trace writes this -->\n```text\n")
        assert fence, f"The page has no place for the {name}."
        page = f"{before}{fence}{text}{rest[rest.index('```') :]}"
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare and write nothing")
    check = parser.parse_args().check
    page = PAGE.read_text(encoding="utf-8")
    new = written(page)
    if new == page:
        return
    if check:
        sys.exit(f"{PAGE.relative_to(ROOT)} shows another trace. Run: make trace")
    PAGE.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
