"""Encodes a purchase as a JSON document, by the annotations of ``Purchase``."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from datetime import datetime
from decimal import Decimal
from types import NoneType
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

from .._arguments import kind_of
from ..money import parse_usd
from .purchase import Purchase

# Increase it with each new field of ``Purchase``: a version that does not know the field then refuses the file.
FORMAT = 2

_KINDS: dict[str, Any] = get_type_hints(Purchase)
_DEFAULTED = {field.name for field in fields(Purchase) if field.default is not MISSING}


def encode(purchase: Purchase) -> bytes:
    """Return an indented document, which a person can read as well."""
    values = {name: getattr(purchase, name) for name in _KINDS}
    return json.dumps({"format": FORMAT, **values}, indent=1, default=_plain).encode()


def decode(content: bytes) -> Purchase:
    """Return the purchase of a document. Fields that an older version did not write have their defaults.

    Raises:
        ValueError: It is not a purchase, or a newer version wrote it.
        TypeError: A field has another type.
        KeyError: A field is missing.
        RecursionError: It is nested too deeply.
        BillingInvalidRequest: An amount is not a sum of money.
    """
    document: Any = json.loads(content)
    version = cast("dict[str, Any]", document).get("format") if isinstance(document, dict) else None
    if type(version) is int and version > FORMAT:
        raise ValueError("a newer version of nous-billing wrote it; update this one")
    if type(version) is not int or version < 1:
        raise ValueError("it is not a purchase")
    may_be_missing = _DEFAULTED if version < FORMAT else set[str]()
    return Purchase(
        **{
            name: _value(name, kind, document[name])
            for name, kind in _KINDS.items()
            if name in document or name not in may_be_missing
        }
    )


def _plain(value: Decimal | datetime) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else value.isoformat()


def _value(name: str, kind: Any, value: Any) -> Any:
    if NoneType in get_args(kind):
        if value is None:
            return None
        kind = get_args(kind)[0]
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise ValueError(f"{name} is {value!r}")
        return value
    if get_origin(kind) is tuple:
        return tuple(_value(name, get_args(kind)[0], item) for item in _typed(name, list, value))
    if kind is Decimal:
        return parse_usd(value)
    if kind is datetime:
        return _moment(name, _typed(name, str, value))
    return _typed(name, kind, value)


def _typed(name: str, kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{name} is {kind_of(value)}, not {kind.__name__}")
    return value


def _moment(name: str, value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"{name} has no offset from UTC")
    return moment
