"""JSON for programs: money as the string that the portal would send, never a float."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import cast

from nous_billing import BillingError

from .endings import Ending


def to_json(members: Mapping[str, object]) -> str:
    """Write one object."""
    return json.dumps(_plain(members), indent=2)


def error_members(
    ending: Ending,
    sentence: str,
    *,
    error: BillingError | None = None,
    portal_url: str | None = None,
    again: str | None = None,
) -> dict[str, object]:
    """Return what programs are told of an error.

    Args:
        again: The command to run next.
    """
    return {
        "exit_code": int(ending),
        "message": sentence,
        "error": error.error if error else None,
        "status": error.status if error else None,
        "portal_url": portal_url,
        "run_next": again,
        "retry_after": error.retry_after if error else None,
        "outcome_unknown": error.outcome_unknown if error else ending is Ending.UNKNOWN,
    }


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        value = {name: each for name, each in asdict(value).items() if name != "raw"}
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in cast("Mapping[object, object]", value).items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = cast("Iterable[object]", value)
        return [_plain(each) for each in (sorted(map(str, items)) if isinstance(value, (set, frozenset)) else items)]
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, datetime) else value
