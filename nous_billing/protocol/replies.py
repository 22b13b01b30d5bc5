"""What the transport brings: a reply, with one JSON decode, or a failure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from decimal import Context, Decimal, InvalidOperation, localcontext
from math import ceil
from typing import Any, NoReturn

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

_OUTCOMES = (
    UNKNOWN_OUTCOME,
    " Nothing was charged.",
    " Nothing was sent.",
    " Nothing more was sent.",
    " Nothing failed.",
)
"""Ends the message of a request with a key that may have been acted on."""


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


def retry_after(reply: Reply) -> int | None:
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


def without_outcome(message: str) -> str:
    """Return what went wrong with a request, without what that says of the money: another request says more."""
    for outcome in _OUTCOMES:
        message = message.removesuffix(outcome)
    return message
