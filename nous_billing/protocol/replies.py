"""How a reply of the portal is read: one JSON decode, and every refusal as its typed error."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC
from decimal import Context, Decimal, InvalidOperation, localcontext
from math import ceil
from typing import Any, NoReturn

from .. import errors
from ..errors import BillingError
from ..portal import portal_link
from .decoding import field_types, read_scalar
from .error_codes import CLASSES, REFUSALS

MAX_REPLY_BYTES = 1024 * 1024

_STRICT = Context(traps=[InvalidOperation])


@dataclass(frozen=True, slots=True)
class Failure:
    """The transport could not bring a whole reply.

    Attributes:
        reason: What happened, as the end of a sentence.
        sent: Whether the request may have reached the portal.
        timed_out: Whether the deadline passed.
        stale: Whether a kept-alive connection turned out to be dead.
        cause: The transport's own exception, or None.
    """

    reason: str
    sent: bool
    timed_out: bool = False
    stale: bool = False
    cause: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, perhaps with a body that could not be read.

    Attributes:
        headers: By lower-case name.
        received_at: Seconds since 1970, for ``Retry-After`` dates.
        failure: What broke the body off, or None.
        unreadable: Why the body was not read (too large, compressed), or None.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    received_at: float
    failure: Failure | None = None
    unreadable: str | None = None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


UNKNOWN_OUTCOME = " The charge may have been made: try again with the same idempotency key, never a new one."

_FAILS_CLOSED = frozenset({"temporarily_unavailable", "stripe_unavailable"})


def decode_json(body: bytes) -> Any:
    """Decode one JSON document without a float in it.

    Raises:
        ValueError: It is no JSON in UTF-8, or nested or long beyond reason.
    """
    try:
        # A byte order mark is no reason to lose a charge id.
        return json.loads(body.decode("utf-8-sig"), parse_float=_decimal, parse_constant=_refuse_constant)
    except (RecursionError, InvalidOperation) as error:
        raise ValueError("JSON beyond reason") from error


def _decimal(text: str) -> Decimal:
    # In the caller's own context a number beyond reason may become a NaN without a word.
    with localcontext(_STRICT):
        return Decimal(text)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def error_from_reply(reply: Reply, base_url: str, *, is_charge: bool) -> BillingError:
    """Return the typed error for a reply that is no success: by its status first, then by its code."""
    payload = _refusal_payload(reply)
    code = _text(payload, "error")
    error_class = _error_class(reply.status, code)
    if error_class is errors.BillingResponseError:
        code = code or "endpoint_unavailable"
    unknown = is_charge and _may_have_charged(reply.status, code)
    message = _text(payload, "message") or _default_message(reply, code)
    error = error_class(
        f"{message}{UNKNOWN_OUTCOME}" if unknown else message,
        status=reply.status,
        error=code,
        portal_url=portal_link(base_url, payload.get("portalUrl")),
        retry_after=_retry_after(reply),
        payload=payload,
        outcome_unknown=unknown,
    )
    for name, (kind, _) in field_types(error_class, excluding=BillingError).items():
        with suppress(KeyError, TypeError, ValueError, BillingError):
            setattr(error, name, read_scalar(kind, payload[_camel(name)]))
    return error


def _error_class(status: int, code: str | None) -> type[BillingError]:
    known_status, known_class, _ = REFUSALS.get(code or "", (0, BillingError, ""))
    if known_status == status:
        return known_class
    return CLASSES.get(status, errors.BillingServerError if status >= 500 else errors.BillingResponseError)


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


def _may_have_charged(status: int, code: str | None) -> bool:
    # The portal's own 503 fails closed. Any other is a proxy's, which may have lost the reply of a charge that was
    # made. A redirect says nothing of what happened before it.
    return status < 400 or (status >= 500 and not (status == 503 and code in _FAILS_CLOSED))


def _default_message(reply: Reply, code: str | None) -> str:
    if code in REFUSALS:
        return REFUSALS[code][2]
    status = reply.status
    if 300 <= status < 400:
        return f"The portal's address answers with a redirect ({status}), which is not followed. Check the base URL."
    if code == "endpoint_unavailable":
        return f"There is no billing at this address (HTTP {status}). Check the base URL."
    if status >= 500:
        return f"The portal is failing (HTTP {status}). Try again shortly."
    return f"The portal refused the request ({code or f'HTTP {status}'})."


def _refusal_payload(reply: Reply) -> dict[str, Any]:
    try:
        payload = decode_json(reply.body)
    except ValueError:
        return {}
    return payload if isinstance(payload, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def _text(payload: Mapping[str, Any], key: str) -> str | None:
    value = payload.get(key)
    return value if isinstance(value, str) and value.strip() else None


def _retry_after(reply: Reply) -> int | None:
    """Read ``Retry-After``, seconds or an HTTP date, as whole seconds from now; None where it is neither."""
    value = reply.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return int(value)
    from email.utils import parsedate_to_datetime  # Loads much of the email package; a date is rare.

    try:
        date = parsedate_to_datetime(value)
        # Of the three forms of an HTTP date the oldest names no zone; all are in UTC.
        seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - reply.received_at
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max(0, ceil(seconds))
