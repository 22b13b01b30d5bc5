"""Bodies of success and their fields that the facade's results lack."""

import dataclasses
import inspect
from collections.abc import Iterator
from http import HTTPStatus
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints
from uuid import UUID

from nous_billing import models
from nous_billing.mock.replies import names_json
from nous_billing.protocol import operations
from nous_billing.protocol.annotations import alternatives, object_fields
from scripts.document import Json

from .annotations import CLASSES, READ_AS, NotReadError, check_class_name, check_name, field, members
from .contract import Contract, Gap, place, snake_case
from .operations import OPERATIONS_FILE

MODELS_FILE = "nous_billing/models.py"
# The link is always there, if need be that of the billing page; a status to come is pending, too.
_ANNOTATED_OTHERWISE = {
    **dict.fromkeys(
        ("BillingState.portal_url", "Subscription.portal_url", "SubscriptionUpgrade.recovery_url"), "PortalUrl"
    ),
    "ChargePending.status": "str",
}
# What the classes call between their fields.
_USED_IN_CLASSES = {"field", "property"}


def gaps(contract: Contract) -> Iterator[Gap]:
    found: dict[str, None] = {}
    for operation_id, operation in contract.operations.items():
        bodies = [body for body in contract.contents(operation) if is_success(body[0])]
        yield from _read(contract, operation_id, bodies)
        for status, _, body in contract.bodies(operation):
            # Of an error the tools ask in refusals, but not of the objects in it.
            parts = [body] if is_success(status) else list(contract.resolved(body).get("properties", {}).values())
            for part in parts:
                _objects(contract, part, found)
    read = {READ_AS.get(name, name) for name in found}
    for name in found:
        yield from _fields(contract, name)
    for name in set(CLASSES) - read:
        yield Gap(place(MODELS_FILE, name), f"The contract has no body {name}. Take it out.")


def is_success(status: int) -> bool:
    """Whether a status is one of a success."""
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def _read(contract: Contract, operation_id: str, bodies: list[tuple[int, str, Json]]) -> Iterator[Gap]:
    """What a success is, against what the operation of the facade says that it reads."""
    function = vars(operations).get(operation_id)
    if len({media_type for _, media_type, _ in bodies}) > 1:
        text = f"{operation_id} succeeds with bodies of several media types, which the facade does not tell apart."
        yield Gap(contract.place(operation_id), text)
        return
    where = place(OPERATIONS_FILE, operation_id)
    if not bodies:
        yield Gap(contract.place(operation_id), f"{operation_id} has no success. Name its status, such as 200.")
        return
    try:
        expected = _expected(contract, bodies)
    except NotReadError as kind:
        yield Gap(contract.place(operation_id), f"{operation_id} answers with {kind}, which the facade does not read.")
        return
    if not inspect.isfunction(function):
        return
    hints = get_type_hints(function, localns={"models": models, "UUID": UUID}, include_extras=True)
    given = {each for result in get_args(hints.get("return")) for each in alternatives(result)}
    missing = [kind for kind in expected if _type_of(kind) not in given]
    if missing:
        yield Gap(
            where,
            f"{operation_id} does not read {' | '.join(missing)}. Let it return Operation[{' | '.join(expected)}].",
        )
    media_type = bodies[0][1]
    if media_type not in ("", operations.JSON) and f'"{media_type}"' not in inspect.getsource(function):
        yield Gap(where, f'{operation_id} answers with {media_type}. Give _operation accept="{media_type}".')


def _expected(contract: Contract, bodies: list[tuple[int, str, Json]]) -> list[str]:
    if bodies[0][1] == "":
        return ["None"]
    if names_json(bodies[0][1]) and bodies[0][1] != operations.JSON:
        raise NotReadError(f"JSON of the media type {bodies[0][1]} (write {operations.JSON})")
    if bodies[0][1] != operations.JSON:
        return ["str" if bodies[0][1].startswith("text/") else "bytes"]
    return members(contract, {"anyOf": [body for _, _, body in bodies]})


def _type_of(kind: str) -> object:
    """What an annotation stands for; nothing that is, where a class of it is not there yet."""
    try:
        return NoneType if kind == "None" else eval(kind, dict(vars(models)))  # noqa: S307
    except NameError:
        return object()


def _objects(contract: Contract, schema: Json, found: dict[str, None]) -> None:
    """Add the names of the objects of a body, inner ones included."""
    here = contract.resolved(schema)
    if "properties" in here:
        if contract.name_of(schema) in found:
            return
        found[contract.name_of(schema)] = None
    more = [here[key] for key in ("items", "additionalProperties") if isinstance(here.get(key), dict)]
    for inner in [*here.get("properties", {}).values(), *here.get("anyOf", []), *here.get("oneOf", []), *more]:
        _objects(contract, inner, found)


def _fields(contract: Contract, name: str) -> Iterator[Gap]:
    schema = contract.schemas.get(name)
    if schema is None:
        text = "An object of a reply has no name. Put it under components/schemas."
        yield Gap(contract.place("paths"), text)
        return
    try:
        check_class_name(name)
    except NotReadError:
        # Said of each place that has it.
        return
    read_as = READ_AS.get(name, name)
    cls = CLASSES.get(read_as)
    taken = {*_USED_IN_CLASSES, *(set(dir(cls)) - set(_given(cls)) if cls else ())}
    said: dict[str, str] = {}
    refused: set[str] = set()
    for key, part in schema["properties"].items():
        try:
            check_name(key, taken)
            said[snake_case(key)] = field(contract, part, required=key in schema.get("required", []))
        except NotReadError as kind:
            refused.add(snake_case(key))
            yield Gap(contract.place(name, key), f"{name}.{key} is {kind}, which the facade does not read.")
    said |= {f: kind for f in said for kind in [_ANNOTATED_OTHERWISE.get(f"{name}.{f}")] if kind}
    where = place(MODELS_FILE, read_as)
    if cls is None:
        lines = ", ".join(f"{each}: {kind}" for each, kind in said.items())
        yield Gap(where, f"There is no class {name}. Add it with {lines}.")
        return
    if read_as == name:
        yield from _compared(name, said, refused, where)
        return
    for key in set(said) - set(_given(cls)):
        yield Gap(where, f"{name} has {key}, which nothing reads.")


def _compared(name: str, said: dict[str, str], refused: set[str], where: str) -> Iterator[Gap]:
    cls = CLASSES[name]
    given = _given(cls)
    for each, line in said.items():
        if each not in given:
            yield Gap(where, f"{name} has no {each}. Add: {each}: {line}")
        elif _is_known(line) and given[each] != _given(written(each, line))[each]:
            yield Gap(where, f"{name}.{each} is {cls.__annotations__[each]}. The contract says {line}.")
    for each in set(given) - set(said) - refused - {"raw"}:
        yield Gap(where, f"The contract has no {name}.{each}. Take it out.")


def _given(cls: Any) -> dict[str, tuple[object, bool, bool]]:
    """Of each field its type, whether it may be absent, and whether it counts in the hash."""
    hashed = {each.name: each.hash is not False for each in dataclasses.fields(cls)}
    return {
        # A constant may have itself as its default, for objects that are made by hand.
        name: (kind, may_be_absent and get_origin(kind) is not Literal, hashed[name])
        for name, (kind, may_be_absent) in object_fields(cls).items()
    }


def written(name: str, line: str, *, frozen: bool = False) -> type:
    """A class with this one field."""
    namespace: dict[str, Any] = dict(vars(models))
    exec(f"@dataclass(frozen={frozen}, kw_only=True)\nclass Written:\n    {name}: {line}\n", namespace)  # noqa: S102
    made: type = namespace["Written"]
    return made


def _is_known(line: str) -> bool:
    """Whether all classes that an annotation names are there; of others there is a gap of their own."""
    try:
        _given(written("each", line))
    except NameError:
        return False
    return True
