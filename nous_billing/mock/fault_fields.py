"""Faults from JSON, as the control interface takes them."""

import json
from collections.abc import Mapping
from typing import Any

from .faults import Fault


def read_fault(fields: Mapping[str, Any]) -> Fault:
    """The fault that these fields describe. Raises ValueError for one that cannot be."""
    options = {name: value for name, value in fields.items() if name not in {"operation", "times"}}
    kind = options.pop("kind")
    if kind == "reply":
        options.setdefault("status", 200)
        options["body"] = _text(options.get("body", ""))
    elif kind in {"raw", "twice"} and "body" in options:
        options["data" if kind == "raw" else "second"] = _text(options.pop("body")).encode()
    if "delay" in options:
        options["delay"] = float(options["delay"])
    if "retryAfter" in options:
        options["retry_after"] = options.pop("retryAfter")
    try:
        fault: Fault = getattr(Fault, kind)(**options)
    except TypeError:
        raise ValueError(
            f"A fault {kind!r} cannot have all of these fields, or lacks one: {', '.join(fields)}."
        ) from None
    return fault


def _text(body: object) -> str:
    return body if isinstance(body, str) else json.dumps(body, default=_refuse_fraction)


def _refuse_fraction(value: object) -> object:
    raise ValueError(f"The body has the number {value}. Send a body with fractions as text, which keeps its digits.")
