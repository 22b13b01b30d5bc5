"""Lengths of time, checked."""

from __future__ import annotations

from typing import TypeVar

from .._arguments import kind_of
from ..errors import BillingInvalidRequest

# A year. Systems refuse to wait much longer, each with an error of its own.
_LONGEST = 31_536_000

Seconds = TypeVar("Seconds", int, float)


def check_seconds(value: Seconds, name: str) -> Seconds:
    """Check a number of seconds, and return it.

    Raises:
        BillingInvalidRequest: It is not a number above 0 and at most a year (``error="invalid_timeout"``).
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= _LONGEST:
        # Python refuses to print an int of thousands of digits.
        is_short = isinstance(value, float) or (type(value) is int and abs(value) < 10**18)
        shown = repr(value) if is_short else kind_of(value)
        raise BillingInvalidRequest(
            f"{name} must be a number of seconds above 0 and at most {_LONGEST}, not {shown}.", error="invalid_timeout"
        )
    return value
