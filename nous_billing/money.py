"""Dollars: ``Decimal`` in, ``Decimal`` out, never through a binary float on the way."""

from __future__ import annotations

import json
import re
from decimal import Context, Decimal
from typing import cast

from ._arguments import kind_of, wrong_type
from .errors import BillingInvalidRequest

Amount = Decimal | int | str | float
"""What a caller may give as dollars. A float is taken only where its shortest form is a whole number of cents."""

MAX_AMOUNT_USD = Decimal(1_000_000)
"""The contract's greatest request amount, in dollars."""

# A fixed pattern and length come before Decimal(): it also reads "1e999999999", and any arithmetic on that never ends.
_WIRE_MONEY = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_WIRE_MONEY_LENGTH = 32
_GIVEN_MONEY = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,16})?")
_CENT = Decimal("0.01")
# The caller's own decimal context may have any precision and trap anything.
_EXACT = Context(prec=64, traps=[])


def parse_usd(text: str) -> Decimal:
    """Read money as the portal writes it: a decimal string, not fixed to two places, perhaps negative.

    Args:
        text: Dollars, such as ``"142.5"``.

    Raises:
        BillingInvalidRequest: It is no such string (``error="invalid_amount"``).

    Examples:
        >>> parse_usd("142.5")
        Decimal('142.5')
    """
    if not isinstance(text, str):
        raise wrong_type("text", "a string such as '142.5'", text, "invalid_amount")
    if len(text) <= _WIRE_MONEY_LENGTH and _WIRE_MONEY.fullmatch(text):
        return Decimal(text)
    raise BillingInvalidRequest(f"Not a decimal number of dollars: {_shown(text)}.", error="invalid_amount")


def format_usd(amount: Decimal) -> str:
    """Write dollars for a person, with two places or as many more as the amount has.

    Raises:
        BillingInvalidRequest: It is no Decimal, or not finite (``error="invalid_amount"``).

    Examples:
        >>> format_usd(Decimal("1142.5")), format_usd(Decimal("-0.005"))
        ('$1,142.50', '-$0.005')
    """
    if not isinstance(amount, Decimal):
        raise wrong_type("amount", "a Decimal", amount, "invalid_amount")
    exact = _exact(amount)
    if exact is None:
        raise BillingInvalidRequest(f"Not a sum of money: {_shown(amount)}.", error="invalid_amount")
    places = max(2, -cast("int", exact.as_tuple().exponent))
    return f"{'-' if amount < 0 else ''}${amount.copy_abs():,.{places}f}"


def is_sum_of_money(amount: Decimal) -> bool:
    """Whether ``format_usd`` can write an amount: it is finite, and has no more digits than money of the portal.

    >>> is_sum_of_money(Decimal("-0.005")), is_sum_of_money(Decimal("1E+1000"))
    (True, False)
    """
    return _exact(amount) is not None


def _exact(amount: Decimal) -> Decimal | None:
    """Return a sum of money without trailing zeros; None for what is no such sum."""
    if not amount.is_finite() or abs(amount.adjusted()) > _WIRE_MONEY_LENGTH:
        return None
    exact = amount.normalize(_EXACT)
    return exact if exact == amount else None


def check_amount(amount: Amount | None, name: str = "The amount", *, may_be_zero: bool = False) -> Decimal:
    """Return dollars to send, exactly as given, or refuse them, such as before a person is asked to confirm them.

    Args:
        amount: Dollars: more than 0, at most 1,000,000, in whole cents.
        name: What the message calls it.
        may_be_zero: Whether 0 is taken, too.

    Raises:
        BillingInvalidRequest: ``error="invalid_amount"``.

    Examples:
        >>> check_amount("50.25")
        Decimal('50.25')
    """
    value = _given_decimal(amount)
    if value is None or not value.is_finite():
        # Whoever gave a string may have typed it.
        kinds = "such as 50.25" if isinstance(amount, str) else "as a Decimal, an int or a string such as '50.25'"
        raise BillingInvalidRequest(f"{name} must be dollars {kinds}, not {_shown(amount)}.", error="invalid_amount")
    if value.is_signed() or value > MAX_AMOUNT_USD or (value == 0 and not may_be_zero):
        raise BillingInvalidRequest(
            f"{name} must be {'at least' if may_be_zero else 'more than'} 0 and at most {MAX_AMOUNT_USD:,} dollars, "
            f"not {_shown(amount)}.",
            error="invalid_amount",
        )
    if value != value.quantize(_CENT, context=_EXACT):
        raise BillingInvalidRequest(
            f"{name} must be a whole number of cents, not {_shown(amount)}.", error="invalid_amount"
        )
    # Not even memory has room for all the zeros that a Decimal can have.
    return value if cast("int", value.as_tuple().exponent) >= -_WIRE_MONEY_LENGTH else without_trailing_zeros(value)


def without_trailing_zeros(amount: Decimal) -> Decimal:
    """Return the same sum in its shortest form, so that "50" and "50.00" become the same bytes.

    >>> without_trailing_zeros(Decimal("50.00"))
    Decimal('50')
    """
    return Decimal(f"{amount.normalize(_EXACT):f}")


def encode_json(body: object) -> bytes:
    """Write JSON in which each ``Decimal`` is the number that it says, digit for digit.

    Raises:
        BillingInvalidRequest: It contains itself, or is nested too deeply (``error="invalid_request"``).

    Examples:
        >>> encode_json({"enabled": True, "threshold": Decimal("20.10")})
        b'{"enabled":true,"threshold":20.10}'
    """
    try:
        return _json_text(body).encode()
    except RecursionError:
        message = "A list or dict to send contains itself, or is nested too deeply. Nothing was sent."
    raise BillingInvalidRequest(message, error="invalid_request")


def _json_text(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        members = cast("dict[str, object]", value).items()
        return f"{{{','.join(f'{json.dumps(key)}:{_json_text(item)}' for key, item in members)}}}"
    if isinstance(value, list):
        return f"[{','.join(_json_text(item) for item in cast('list[object]', value))}]"
    return json.dumps(value)


def _given_decimal(amount: object) -> Decimal | None:
    if isinstance(amount, bool):
        return None
    if isinstance(amount, float):
        return Decimal(float.__repr__(amount))
    if isinstance(amount, str):
        return Decimal(amount.strip()) if _GIVEN_MONEY.fullmatch(amount.strip()) else None
    return Decimal(amount) if isinstance(amount, (int, Decimal)) else None


def _shown(value: object) -> str:
    if isinstance(value, int) and value.bit_length() > 128:
        return "an int far too great"  # Python refuses to write out an int of more than 4300 digits.
    text = repr(value) if isinstance(value, (str, int, float, Decimal)) else kind_of(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
