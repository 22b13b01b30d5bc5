"""What the transport returns, a reply or a failure, and how to decode JSON without floats."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from decimal import Context, Decimal, InvalidOperation, localcontext
from math import ceil
from typing import Any, NoReturn

from .._secrets import SecretBytes, reveal

MAX_REPLY_BYTES = 1024 * 1024

_STRICT = Context(traps=[InvalidOperation])


@dataclass(frozen=True, slots=True)
class Failure:
    """The transport got no complete reply.

    Attributes:
        reason: What happened, as the end of a sentence.
        sent: Whether the request may have reached the portal.
        timed_out: Whether the deadline passed.
        stale: Whether a reused connection turned out to be dead.
        cause: The transport's own exception, or None.
        kept: Whether the connection had been used before. None where there was none, or that is not known.
    """

    reason: str
    sent: bool
    timed_out: bool = False
    stale: bool = False
    cause: BaseException | None = None
    kept: bool | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, possibly with a body that could not be read.

    Attributes:
        headers: By lower-case name.
        received_at: Seconds since 1970, for ``Retry-After`` dates.
        failure: What interrupted the body, or None.
        unreadable: Why the body was not read (too large, compressed), or None.
        kept: As for a ``Failure``.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes | SecretBytes = field(repr=False)
    received_at: float
    failure: Failure | None = None
    unreadable: str | None = None
    kept: bool | None = None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


_UNKNOWN_OUTCOME = " The {} may have been made: try again with the same idempotency key, never a new one."
_OUTCOMES = (
    _UNKNOWN_OUTCOME.format("charge"),
    _UNKNOWN_OUTCOME.format("upgrade"),
    " Nothing was charged.",
    " Nothing was sent.",
    " Nothing more was sent.",
    " Nothing more was charged.",
    " No payment failed.",
)


def decode_json(body: bytes | SecretBytes) -> Any:
    """Decode one JSON document, with fractions as ``Decimal`` and never as float.

    Raises:
        ValueError: It is not JSON in UTF-8, is nested too deeply, or has a number that is too long.
    """
    try:
        # A byte order mark must not lose a charge id.
        return json.loads(reveal(body).decode("utf-8-sig"), parse_float=_decimal, parse_constant=_refuse_constant)
    except (RecursionError, InvalidOperation) as error:
        raise ValueError("the JSON is nested too deeply or has a number that is too long") from error


def _decimal(text: str) -> Decimal:
    # The caller's own decimal context may silently turn a huge number into a NaN.
    with localcontext(_STRICT):
        return Decimal(text)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def retry_after(reply: Reply) -> int | None:
    """Read ``Retry-After``, seconds or an HTTP date, as whole seconds from now; None if it is neither."""
    value = reply.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return int(value)
    from email.utils import parsedate_to_datetime  # Slow to import, and a date is rare.

    try:
        date = parsedate_to_datetime(value)
        # The oldest of the three HTTP date formats (asctime) names no zone. All three are in UTC.
        seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - reply.received_at
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max(0, ceil(seconds))


def unknown_outcome(what: str) -> str:
    """Return what ends the message of a request with a key that may have taken effect: a charge, or an upgrade."""
    return _UNKNOWN_OUTCOME.format(what)


def without_outcome(message: str) -> str:
    """Return a message without its sentence on the outcome, for a purchase of which another request knows more."""
    for outcome in _OUTCOMES:
        message = message.removesuffix(outcome)
    return message
