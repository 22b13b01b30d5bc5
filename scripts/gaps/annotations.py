"""The annotation by which the facade reads a schema, or why it reads none."""

import builtins
import inspect
import re
from collections.abc import Iterable
from itertools import combinations

import nous_billing
from nous_billing import models
from scripts.document import Json

from .contract import Contract, can_be_named, snake_case

_SCALARS = {"boolean": "bool", "integer": "int", "number": "Number"}
_FORMATS = {"decimal": "Decimal", "date-time": "datetime", "uri": "PortalUrl", "uri-reference": "PortalUrl"}
_NOT_READ = {"binary", "byte"}
# Not worth a reply about money: None where they cannot be read.
_NEVER_IN_THE_WAY = {"datetime", "PortalUrl"}
# What the facade reads as an object of another name: a status to come is pending, too.
READ_AS = {"ChargeOtherStatus": "ChargePending"}
CLASSES = {
    name: cls for name, cls in vars(models).items() if inspect.isclass(cls) and cls.__module__ == models.__name__
}
_PUBLIC_ELSEWHERE = {name for name in nous_billing.__all__ if getattr(nous_billing, name) is not CLASSES.get(name)}
# What a class in models.py would hide, or be taken for.
_NAMES_TAKEN = {*_PUBLIC_ELSEWHERE, *dir(builtins), *(vars(models).keys() - CLASSES.keys())}
# Their values have no hash, which the objects that hold them are to have.
_NO_HASH = ("Any", "dict[")
# In a class with such a field, the annotations of the fields after it would mean the field.
_OF_ANNOTATIONS = {"bool", "datetime", "dict", "int", "str", "tuple"}
_WAY_OUT = "give it another name, or leave it out of the contract: raw of a result and payload of an error have it"
_COMPOSES = {"$ref", "allOf", "anyOf", "oneOf"}
_ADDS = {"properties", "patternProperties", "additionalProperties", "items", "prefixItems", "const", "enum", "nullable"}


class NotReadError(Exception):
    """The facade does not read such a schema; the message is its kind."""


def annotation(contract: Contract, schema: Json) -> str:
    """What a schema is in Python, such as ``Decimal | None``.

    Raises:
        NotReadError: It is nothing that the facade reads.
    """
    return " | ".join(members(contract, schema))


def members(contract: Contract, schema: Json) -> list[str]:
    """The members of the annotation, None last.

    Raises:
        NotReadError: It is nothing that the facade reads.
    """
    kinds = _kinds(contract, schema)
    return [*(kind for kind in kinds if kind != "None"), *(["None"] if "None" in kinds else [])]


def field(contract: Contract, schema: Json, *, required: bool) -> str:
    """The annotation and the default of a field, such as ``Decimal | None = None``.

    Raises:
        NotReadError: It is nothing that the facade reads.
    """
    kinds = _kinds(contract, schema)
    text = annotation(contract, schema)
    optional = not required or bool(_NEVER_IN_THE_WAY & set(kinds))
    if optional and not {"None", "Any"} & set(kinds):
        text += " | None"
    if any(part in text for part in _NO_HASH):
        return f"{text} = field({'default=None, ' if optional else ''}hash=False)"
    return f"{text} = None" if optional else text


def _kinds(contract: Contract, schema: Json) -> list[str]:
    check_plain(contract, schema)
    parts = contract.alternatives(schema)
    kinds = list(dict.fromkeys(kind for part in parts for kind in _one(contract, part)))
    if "str" in kinds:
        kinds = [kind for kind in kinds if not kind.startswith("Literal['")]
    if kinds == ["None"]:
        raise NotReadError("never anything but null")
    _check_told_apart(contract, kinds, parts)
    if _NEVER_IN_THE_WAY & set(kinds) and len({*kinds} - {"None"}) > 1:
        raise NotReadError("a moment or a link, or something else")
    return kinds if "None" in kinds or not _NEVER_IN_THE_WAY & set(kinds) else [*kinds, "None"]


def check_plain(contract: Contract, schema: Json) -> None:
    """Refuse a schema that adds something to what it refers to, which the tools would not see.

    Raises:
        NotReadError: There is something beside a reference, an ``allOf`` or a union.
    """
    for layer in contract.layers(schema):
        for key in sorted(_COMPOSES & set(layer)):
            if beside := sorted((_COMPOSES | _ADDS) & set(layer) - {key}):
                raise NotReadError(f"{key} with {', '.join(beside)} beside it (write one schema that says it all)")


def _one(contract: Contract, schema: Json, name: str = "") -> list[str]:
    here = contract.resolved(schema)
    name = name or contract.name_of(schema)
    types = here.get("type", [])
    if isinstance(vars(models).get(name), type(models.PortalUrl)):
        return [name]
    if "const" in here:
        if not isinstance(here["const"], str | int):
            raise NotReadError("a constant other than a text, a whole number, true or false")
        return [f"Literal[{here['const']!r}]"]
    if "allOf" in here:
        raise NotReadError("an allOf of several (write one schema that says it all)")
    if "nullable" in here:
        raise NotReadError("nullable, which OpenAPI 3.1 does not know (write type: [..., 'null'])")
    if isinstance(types, list):
        if "enum" in here and not types:
            raise NotReadError("an enumeration without a type")
        return [kind for each in types for kind in _one(contract, {**here, "type": each}, name)] or ["Any"]
    if types == "null":
        return ["None"]
    if types == "array":
        if "prefixItems" in here:
            raise NotReadError("a list whose items differ by their place")
        return [f"tuple[{annotation(contract, here.get('items', {}))}, ...]"]
    if types == "object":
        return [_object(contract, here, name)]
    if "enum" in here and types != "string":
        raise NotReadError("an enumeration of something other than strings")
    kind = here.get("format", "")
    if kind in _NOT_READ or "contentEncoding" in here:
        raise NotReadError(f"a string of bytes ({kind or here['contentEncoding']})")
    return [_FORMATS.get(kind, "str") if types == "string" else _SCALARS[types]]


def _object(contract: Contract, here: Json, name: str) -> str:
    if "properties" in here and not name:
        raise NotReadError("an object without a name (put it under components/schemas)")
    if "properties" in here and isinstance(here.get("additionalProperties"), dict):
        raise NotReadError("an object with fields and a map in one")
    if "properties" in here:
        check_class_name(name)
        return READ_AS.get(name, name)
    if "patternProperties" in here:
        raise NotReadError("a map whose keys have patterns")
    values = here.get("additionalProperties", True)
    return f"dict[str, {annotation(contract, values if isinstance(values, dict) else {})}]"


def check_class_name(name: str) -> None:
    """Refuse a schema that no class of models.py can be named after.

    Raises:
        NotReadError: It is no name in CapWords, or that of something else.
    """
    if not re.fullmatch("[A-Z][A-Za-z0-9]*", name):
        raise NotReadError(f"an object called {name} (name the schema in CapWords, such as CardPage)")
    if name in _NAMES_TAKEN:
        raise NotReadError(
            f"an object called {name}, as something else of Python or the package is (give the schema another name)"
        )


def _check_told_apart(contract: Contract, kinds: Iterable[str], parts: list[Json]) -> None:
    """Refuse a union whose members could be taken for each other."""
    json_types = [_json_type(kind) for kind in kinds if kind != "None" and not kind.startswith("Literal")]
    objects = {
        contract.name_of(part): contract.resolved(part) for part in parts if "properties" in contract.resolved(part)
    }
    others = [each for each in json_types if each != "object"]
    if len(set(others)) < len(others) or ("map" in others and objects) or ("any" in others and json_types != ["any"]):
        raise NotReadError(f"one of several kinds that look alike ({' | '.join(kinds)})")
    for (one, left), (other, right) in combinations(objects.items(), 2):
        if not (_is_told_from(contract, left, right) or _is_told_from(contract, right, left)):
            raise NotReadError(f"{one} or {other}, which no constant and no required key tells apart")


def _json_type(kind: str) -> str:
    if kind.startswith("tuple["):
        return "list"
    if kind.startswith("dict["):
        return "map"
    known = {"str": "string", "Decimal": "string", "datetime": "string", "PortalUrl": "string", "ChargeId": "string"}
    known |= {"int": "number", "Number": "number", "bool": "boolean", "Any": "any"}
    return known.get(kind, "object")


def _is_told_from(contract: Contract, left: Json, right: Json) -> bool:
    constants = [
        {key: contract.resolved(part)["const"] for key, part in each["properties"].items() if "const" in part}
        for each in (left, right)
    ]
    if any(constants):
        return constants[0] != constants[1]
    required = [set(each.get("required", [])) for each in (left, right)]
    own = required[0] - set(right["properties"])
    return bool(own) and (bool(required[1] - set(left["properties"])) or len(required[0]) > len(required[1]))


def check_name(key: str, taken: Iterable[str] = ()) -> None:
    """Refuse a key that the facade would not find again.

    Args:
        taken: The Python names that its class has for something else.

    Raises:
        NotReadError: Its Python name is no name, or that of something else.
    """
    if not can_be_named(key):
        raise NotReadError(f"a key that no name of Python stands for ({_WAY_OUT})")
    if snake_case(key) in {*_OF_ANNOTATIONS, *taken}:
        raise NotReadError(f"a name that its class has for something else: {snake_case(key)} ({_WAY_OUT})")
