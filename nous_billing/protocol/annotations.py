"""Maps the annotations of results and errors to JSON."""

from __future__ import annotations

from dataclasses import MISSING, fields
from functools import cache
from inspect import get_annotations
from types import UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

# What a result has of its reply beside the body.
OF_THE_REPLY = frozenset({"headers"})


@cache
def alternatives(kind: Any) -> tuple[Any, ...]:
    """Return the members of a union; any other annotation is its own only member."""
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


@cache
def wire_name(name: str) -> str:
    """Return the name that a field has in JSON, such as ``minUsd`` for ``min_usd``."""
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


@cache
def field_types(cls: type) -> dict[str, Any]:
    """Return the annotations of a class, resolved."""
    if not any(map(get_annotations, cls.__mro__)):
        return {}
    # Most errors need none of them, nor does the drop-in for Hermes, and they take a while to load.
    from .. import models

    # Names that a module imports only under TYPE_CHECKING must be passed in.
    return get_type_hints(cls, localns=vars(models), include_extras=True)


@cache
def object_fields(cls: type) -> dict[str, tuple[Any, bool]]:
    """Return the annotation of each field of a dataclass, and whether its key may be absent."""
    types = field_types(cls)
    return {
        each.name: (types[each.name], each.default is not MISSING or each.default_factory is not MISSING)
        for each in fields(cast("Any", cls))
        if each.name not in OF_THE_REPLY
    }


@cache
def formerly(cls: type) -> dict[str, str]:
    """Return the JSON keys that older portals have for fields of a dataclass."""
    found = {each.name: each.metadata.get("formerly") for each in fields(cast("Any", cls))}
    return {name: key for name, key in found.items() if key}


@cache
def constants(cls: type) -> dict[str, Any]:
    """Return the JSON keys of a dataclass whose values are constants (``Literal``), with their annotations."""
    return {wire_name(name): kind for name, (kind, _) in object_fields(cls).items() if get_origin(kind) is Literal}


def is_constant(kind: Any, value: object) -> bool:
    """Whether a value is one of a ``Literal``. In JSON, 1 is not true."""
    return any(type(value) is type(constant) and value == constant for constant in get_args(kind))
