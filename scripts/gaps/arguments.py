"""The arguments of an operation in the contract, and the types by which a method of the facade takes them."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints
from uuid import UUID

from nous_billing import models
from nous_billing.protocol import operations
from nous_billing.protocol.annotations import alternatives
from scripts.document import Json

from .contract import Contract, snake_case

# By the contract's type, with its format where that makes a difference: of which types a method has to take one, and
# which it may take beside it.
_TAKEN_FOR: dict[str, tuple[set[Any], set[Any]]] = {
    "string": ({str, date, datetime}, {UUID}),
    "string (decimal)": ({str, Decimal}, {int, float}),
    "string (uuid)": ({str, UUID}, set()),
    "number": ({Decimal, float}, {int, str}),
    "integer": ({int}, set()),
    "boolean": ({bool}, set()),
    "array": ({Sequence, list, tuple}, set()),
    "object": ({Mapping, dict}, set()),
}


def parameters(contract: Contract, operation: Json) -> list[Json]:
    """The parameters of a path, a query or headers."""
    return [contract.resolved(parameter) for parameter in operation.get("parameters", [])]


def body(contract: Contract, operation: Json) -> tuple[Json, list[Json]]:
    """The schema of a body in JSON, and what it may be; none where there is no such body."""
    content = contract.resolved(operation.get("requestBody", {})).get("content", {})
    schema: Json = content.get(operations.JSON, {}).get("schema", {})
    return schema, [contract.resolved(each) for each in contract.alternatives(schema)] if schema else []


def arguments(contract: Contract, operation: Json) -> dict[str, list[Json]]:
    """Each argument by its Python name, with its schema in each place that has it."""
    found = [(parameter["name"], parameter.get("schema", {})) for parameter in parameters(contract, operation)]
    for each in body(contract, operation)[1]:
        found.extend(each.get("properties", {}).items())
    named: dict[str, list[Json]] = {}
    for name, schema in found:
        # A constant is for the facade to say, not for its caller.
        if "const" not in contract.resolved(schema):
            named.setdefault(snake_case(name), []).append(schema)
    return named


def taken_otherwise(contract: Contract, function: Any, said: dict[str, list[Json]]) -> Iterator[str]:
    """What a method takes as another type than the contract's, as sentences."""
    hints = get_type_hints(function, localns={**globals(), "models": models})
    annotations = inspect.signature(function).parameters
    for name, schemas in said.items():
        kinds = {kind for schema in schemas for kind in _json_types(contract, schema)} - {"null"}
        if name not in hints or not kinds or not kinds <= _TAKEN_FOR.keys():
            continue
        # None is for the facade to give a meaning to, such as to leave an amount as it is.
        taken = {each for part in alternatives(hints[name]) for each in _python_types(part)} - {NoneType}
        enough, more = zip(*(_TAKEN_FOR[kind] for kind in kinds), strict=True)
        if all(taken & each for each in enough) and taken <= set().union(*enough, *more):
            continue
        yield f"{name} as {annotations[name].annotation}. The contract says {' or '.join(sorted(kinds))}."


def _json_types(contract: Contract, schema: Json) -> Iterator[str]:
    for each in map(contract.resolved, contract.alternatives(schema)):
        types = each.get("type", "anything")
        for kind in types if isinstance(types, list) else [types]:
            of_format = f"{kind} ({each.get('format')})"
            yield of_format if of_format in _TAKEN_FOR else kind


def _python_types(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Literal:
        return [type(value) for value in get_args(annotation)]
    return [get_origin(annotation) or annotation]
