"""Bodies of success and their fields that the facade's results lack."""

import inspect
from collections.abc import Iterator
from http import HTTPStatus
from typing import get_args, get_type_hints

from nous_billing import models
from nous_billing.protocol import operations

from .contract import DOCUMENT, OPERATIONS, Gap, Json, annotation, bodies, name_of, place, resolved, snake_case
from .operations import OPERATIONS_FILE

MODELS_FILE = "nous_billing/models.py"
# What is read as something else than a class of its name, and what is known of it.
_READ_OTHERWISE = {"AutoTopUpSaved": {"ok"}, "ChargeOtherStatus": {"status"}}
# The link is made absolute and is always there; a status to come is pending too.
_ANNOTATED_OTHERWISE = {"BillingState.portal_url": "str", "ChargePending.status": "str"}
_CLASSES = {
    name: cls for name, cls in vars(models).items() if inspect.isclass(cls) and cls.__module__ == models.__name__
}


def gaps() -> Iterator[Gap]:
    found: set[str] = set()
    for operation_id, operation in OPERATIONS.items():
        function = vars(operations).get(operation_id)
        read = _results_of(function) | set(_READ_OTHERWISE)
        for status, body in bodies(operation):
            if status >= HTTPStatus.MULTIPLE_CHOICES:
                continue
            found |= set(_objects(body))
            if function and name_of(body) not in read:
                text = f"{operation_id} does not read {name_of(body) or 'a body without a name'} ({status}). Add it."
                yield Gap(place(OPERATIONS_FILE, operation_id), text)
    for name in found:
        yield from _fields(name, DOCUMENT["components"]["schemas"].get(name))
    for name in set(_CLASSES) - found:
        yield Gap(place(MODELS_FILE, name), f"The contract has no body {name}. Take it out.")


def _results_of(function: object) -> set[str]:
    """The names of the classes that an operation of the facade results in."""
    if function is None:
        return set()
    (result,) = get_args(get_type_hints(function)["return"])
    return {cls.__name__ for cls in get_args(result) or (result,)}


def _objects(schema: Json) -> Iterator[str]:
    """The names of the objects of a body, inner ones included."""
    here = resolved(schema)
    if "properties" in here:
        yield name_of(schema)
    items = [here["items"]] if "items" in here else []
    for inner in [*here.get("properties", {}).values(), *here.get("anyOf", []), *items]:
        yield from _objects(inner)


def _fields(name: str, schema: Json | None) -> Iterator[Gap]:
    if schema is None:
        yield Gap(
            "openapi/nous-portal-billing.yaml", "An object of a reply has no name. Put it under components/schemas."
        )
        return
    required = schema.get("required", [])
    said = {snake_case(key): annotation(part, required=key in required) for key, part in schema["properties"].items()}
    if name in _READ_OTHERWISE:
        for field in set(said) - _READ_OTHERWISE[name]:
            yield Gap(OPERATIONS_FILE, f"{name} has {field}, which nothing reads.")
        return
    where = place(MODELS_FILE, name)
    if name not in _CLASSES:
        yield Gap(
            where, f"There is no class {name}. Add it with {', '.join(f'{f}: {kind}' for f, kind in said.items())}."
        )
        return
    given = _CLASSES[name].__annotations__
    for field, kind in said.items():
        expected = _ANNOTATED_OTHERWISE.get(f"{name}.{field}", kind)
        if field not in given:
            yield Gap(
                where, f"{name} has no {field}. Add: {field}: {expected}{' = None' if '| None' in expected else ''}"
            )
        elif given[field] != expected:
            yield Gap(where, f"{name}.{field} is {given[field]}. The contract says {expected}.")
    for field in set(given) - set(said) - {"raw"}:
        yield Gap(where, f"The contract has no {name}.{field}. Take it out.")
