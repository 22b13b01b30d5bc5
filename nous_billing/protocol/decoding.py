"""Values of a reply as the annotations of results and errors name them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints

from ..money import parse_usd

T = TypeVar("T")


class ContractBreach(ValueError):
    """A part of a reply is not what the contract says."""


def expect_type(expected: type[T], value: object) -> T:
    """Return the value, or refuse it where it is of another type."""
    if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
        raise ContractBreach(f"a {type(value).__name__} where a {expected.__name__} should be")
    return value


def read_scalar(kind: type, value: Any) -> Any:
    """Return a value of a reply as the type that an annotation names; a ``Decimal`` is money.

    Raises:
        ContractBreach: It cannot be one.
        BillingInvalidRequest: It is no money.
    """
    if kind is Decimal:
        return parse_usd(value)
    if kind is datetime and isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(expect_type(kind, value), datetime) and value.tzinfo is None:
        raise ContractBreach("a moment without an offset")
    return value


def field_types(cls: type, excluding: type = object) -> dict[str, tuple[Any, bool]]:
    """Each annotation of a class that ``excluding`` lacks: its type without None, and whether it may be None."""
    return {name: kind for name, kind in _field_types(cls).items() if name not in _field_types(excluding)}


@cache
def _field_types(cls: type) -> dict[str, tuple[Any, bool]]:
    # What a module imports for type checkers only has to be named here.
    hints = get_type_hints(cls, localns={"Decimal": Decimal, "datetime": datetime})
    parts = {name: get_args(hint) for name, hint in hints.items()}
    return {name: (parts[name][0], True) if NoneType in parts[name] else (hints[name], False) for name in parts}
