"""Reads a decoded JSON body by the annotations of results and errors.

The annotations describe a reply completely. A field with a default may be absent, and one that may be None may be null.
``Decimal`` is money (a decimal string), ``Number`` a JSON number, ``str`` a string of any format, ``Literal`` a
constant. An optional date or link that cannot be read becomes None: a reply about money must not be lost for it.
"""

from __future__ import annotations

import re
from dataclasses import is_dataclass
from datetime import datetime
from decimal import Decimal
from types import NoneType
from typing import Annotated, Any, Literal, cast, get_args, get_origin

from .._printable import printable_value
from .._wire_types import Number, PortalUrl
from ..errors import BillingInvalidRequest
from ..money import parse_usd
from ..portal import BILLING_PATH, portal_link
from .annotations import alternatives, constants, formerly, is_constant, object_fields, wire_name

# Keeps arithmetic fast: "1e999999999" is also a JSON number.
_LARGEST_EXPONENT = 64
# Seconds since 1970, until the year 3000. Not every time zone, system and database has the zero date of some languages
# (the year 1), nor the year 9999: a program that shows or keeps one would fail.
_MOMENTS = (0, 32_503_680_000)
_JSON_NAMES: dict[Any, str] = {
    NoneType: "null",
    bool: "true or false",
    int: "a whole number",
    Decimal: "a number",
    str: "a string",
    list: "a list",
    tuple: "a list",
    dict: "an object",
}


class ContractBreach(ValueError):
    """A reply breaks the contract. The message names the field."""


def read(kind: Any, value: object, base_url: str, place: str = "") -> Any:
    """Convert a decoded JSON value to the type of an annotation.

    Args:
        kind: The annotation, resolved: a type, a dataclass, a union, ``tuple[..., ...]``, ``dict[str, ...]`` …
        base_url: The base URL that answered, for links.
        place: Where the value is in the body, such as ``"card.brand"``.

    Raises:
        ContractBreach: It has another type or format.
    """
    kinds = alternatives(kind)
    nullable = NoneType in kinds
    if nullable and value is None:
        return None
    kinds = tuple(each for each in kinds if each is not NoneType)
    if kinds == (PortalUrl,):
        link = portal_link(base_url, value)
        return link if link is not None or nullable else f"{base_url}{BILLING_PATH}"
    if kinds == (datetime,):
        moment = _moment(value)
        if moment is None and not nullable:
            raise ContractBreach(f"{_named(place)} is not a date and time with an offset")
        return moment
    one = kinds[0] if len(kinds) == 1 else _choose_member(kinds, value, place)
    return _read_one(one, value, base_url, place)


def _read_one(kind: Any, value: object, base_url: str, place: str) -> Any:
    origin = get_origin(kind)
    if kind is Any:
        return value
    if is_dataclass(kind):
        return _read_object(cast("type", kind), _expect(dict, value, place), base_url, place)
    if origin is tuple:
        items = enumerate(_expect(list, value, place))
        return tuple(read(get_args(kind)[0], item, base_url, f"{place}[{index}]") for index, item in items)
    if origin is dict:
        members = _expect(dict, value, place).items()
        return {key: read(get_args(kind)[1], item, base_url, f"{place}.{key}"[:100]) for key, item in members}
    if origin is Literal:
        if not is_constant(kind, value):
            raise ContractBreach(f"{_named(place)} is not {' or '.join(repr(each) for each in get_args(kind))}")
        return value
    if kind == Number:
        return _number(value, place)
    if kind is Decimal:
        return _money(value, place)
    if kind is int and isinstance(value, Decimal):
        return _whole(value, place)
    if origin is Annotated:
        text_type, pattern = get_args(kind)
        text = _expect(text_type, value, place)
        if not re.fullmatch(pattern, text):
            raise ContractBreach(f"{_named(place)} is not an id that can be sent back")
        return text
    if kind is str and place.rpartition(".")[2] != "id" and not place.endswith("Id"):
        # For a person; an id must be exact.
        return printable_value(_expect(str, value, place))
    return _expect(kind, value, place)


def _read_object(cls: type, value: dict[str, Any], base_url: str, place: str) -> Any:
    found: dict[str, Any] = {}
    for name, (kind, may_be_absent) in object_fields(cls).items():
        key = wire_name(name)
        older = formerly(cls).get(name, key)
        if key not in value and older in value:
            key = older
        inner = f"{place}.{key}" if place else key
        if name == "raw":
            found[name] = value
        elif key in value or kind == PortalUrl:
            found[name] = read(kind, value.get(key), base_url, inner)
        elif not may_be_absent:
            raise ContractBreach(f"{inner} is missing")
    return cls(**found)


def _choose_member(kinds: tuple[Any, ...], value: object, place: str) -> Any:
    """Choose the member of a union for a value: by its JSON type, then its constants, then its keys."""
    fitting = [kind for kind in kinds if _fits(kind, value)]
    if not fitting:
        raise ContractBreach(f"{_named(place)} is {_JSON_NAMES[type(value)]}, which the contract does not allow")
    return max(fitting, key=lambda kind: _specificity(kind, value))


def _fits(kind: Any, value: object) -> bool:
    if is_dataclass(kind):
        return isinstance(value, dict) and all(
            is_constant(constant, cast("dict[str, object]", value).get(key))
            for key, constant in constants(cast("type", kind)).items()
        )
    origin = get_origin(kind)
    if origin is Literal:
        return is_constant(kind, value)
    if kind is int or kind == Number:
        return type(value) in (int, Decimal)
    json_type = {tuple: list, dict: dict, Annotated: str}.get(origin, kind)
    return type(value) is (str if json_type is Decimal else json_type)


def _specificity(kind: Any, value: object) -> tuple[int, bool, int]:
    """Rank the members that fit: most constants first, then all required keys present, then most required keys."""
    if not is_dataclass(kind):
        return 0, False, 0
    required = [
        wire_name(name)
        for name, (each, may_be_absent) in object_fields(cast("type", kind)).items()
        if not may_be_absent and each != PortalUrl
    ]
    return (
        len(constants(cast("type", kind))),
        all(key in cast("dict[str, Any]", value) for key in required),
        len(required),
    )


def _moment(value: object) -> datetime | None:
    try:
        # RFC 3339 also allows the letters in lower case.
        moment = datetime.fromisoformat(value.upper()) if isinstance(value, str) else None
    except ValueError:
        return None
    if moment is None or moment.tzinfo is None:
        return None
    return moment if _MOMENTS[0] <= moment.timestamp() < _MOMENTS[1] else None


def _number(value: object, place: str) -> Decimal:
    number = Decimal(value) if type(value) in (int, Decimal) else None  # type: ignore[arg-type]
    if number is None or abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise ContractBreach(f"{_named(place)} is not a number of a supported size")
    return number


def _whole(value: Decimal, place: str) -> int:
    # In JSON Schema 3.0 and 3e2 are integers.
    number = _number(value, place)
    # Not by the remainder, which the caller's own decimal context may not have the digits for.
    if number != number.to_integral_value():
        raise ContractBreach(f"{_named(place)} is not a whole number")
    return int(number)


def _money(value: object, place: str) -> Decimal:
    try:
        return parse_usd(cast("str", value))
    except BillingInvalidRequest:
        raise ContractBreach(f"{_named(place)} is not a decimal string of dollars") from None


def _expect(kind: Any, value: object, place: str) -> Any:
    # In Python a bool is an int.
    if type(value) is not kind:
        raise ContractBreach(f"{_named(place)} is {_JSON_NAMES[type(value)]} instead of {_JSON_NAMES[kind]}")
    return value


def _named(place: str) -> str:
    return place or "the body"
