"""What the contract says of its operations, for all tests that are held for each of them."""

import keyword
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, get_type_hints
from uuid import UUID

from jsonschema_rs import Draft202012Validator

import nous_billing as nb
from nous_billing.mock import Fault
from nous_billing.mock.openapi import exact, load_document, resolve
from nous_billing.protocol import operations
from scripts.calls import example

from .registry import ENTRIES, WAYS, Rig

DOCUMENT = exact(load_document())
IN_CONTRACT: dict[str, tuple[str, str, Any]] = {
    entry["operationId"]: (path, method.upper(), entry)
    for path, methods in DOCUMENT["paths"].items()
    for method, entry in methods.items()
}
# Path, method and description of each operation, by its name; that all have an entry is a test of its own.
PLACES = {name: place for name, place in IN_CONTRACT.items() if name in ENTRIES}
OPERATIONS = tuple(PLACES)
PAIRS = [(name, int(status)) for name, (_, _, entry) in PLACES.items() for status in entry["responses"]]
_PARAMETERS = {
    name: [resolve(DOCUMENT, each) for each in entry.get("parameters", [])] for name, (_, _, entry) in PLACES.items()
}
# Those that may change something, and among them those that move money: they ask for an idempotency key.
CHANGING = {name for name, (_, method, _) in PLACES.items() if method != "GET" and not ENTRIES[name].reads_only}
KEYED = {name for name in OPERATIONS if "Idempotency-Key" in (each["name"] for each in _PARAMETERS[name])}
# Those that need a scope.
SCOPED = [name for name, (_, _, entry) in PLACES.items() if any(entry.get("security", [{}])[0].values())]
# What any text satisfies says no more than this.
_NO_CONSTRAINT = {"type", "description", "title", "example", "examples", "default", "deprecated"}


def is_constrained(parameter: Any) -> bool:
    """Whether a parameter can have a text that its schema forbids. In a path none is empty."""
    schema = resolve(DOCUMENT, parameter["schema"])
    if parameter["in"] == "path" and schema.get("minLength") == 1:
        schema = {key: value for key, value in schema.items() if key != "minLength"}
    if schema.get("type") == "array" and schema.keys() <= {*_NO_CONSTRAINT, "items"}:
        return is_constrained({**parameter, "schema": schema.get("items", {})})
    if alternatives := schema.get("anyOf"):
        return all(is_constrained({**parameter, "schema": each}) for each in alternatives)
    return "string" not in schema.get("type", "string") or not schema.keys() <= _NO_CONSTRAINT


def can_be_wrong(entry: Any) -> bool:
    """Whether a request of an operation can say something that the contract forbids."""
    parameters = [resolve(DOCUMENT, each) for each in entry.get("parameters", [])]
    return "requestBody" in entry or any(is_constrained(each) for each in parameters)


CONSTRAINED = [name for name, (_, _, entry) in PLACES.items() if can_be_wrong(entry)]


def body_schemas(operation: str) -> list[Any]:
    """The schemas of which the body of a request has one; none where it has no body."""
    entry = PLACES[operation][2]
    if "requestBody" not in entry:
        return []
    schema = resolve(DOCUMENT, entry["requestBody"])["content"]["application/json"]["schema"]
    alternatives: list[Any] = resolve(DOCUMENT, schema).get("anyOf", [schema])
    return alternatives


def argument_schemas(operation: str, argument: str) -> list[Any]:
    """The schemas of which an argument of the facade's method has one on the wire."""
    inputs = [resolve(DOCUMENT, schema)["properties"] for schema in body_schemas(operation)]
    inputs.append({each["name"]: each["schema"] for each in _PARAMETERS[operation]})
    return [schema for named in inputs for name, schema in named.items() if snake(name) == argument]


def snake(name: str) -> str:
    """The facade's name of a name of the contract."""
    found = re.sub(r"-?([A-Z])", lambda match: "_" + match[1].lower(), name).strip("_").replace("-", "_")
    return f"{found}_" if keyword.iskeyword(found) else found


def call(client: Any, operation: str, **more: Any) -> Any:
    """Call an operation by a client's method of its name."""
    return getattr(client, operation)(**{**ENTRIES[operation].arguments, **more})


def caller(operation: str) -> Callable[..., Any]:
    return lambda client, **more: call(client, operation, **more)


CALLS = {operation: caller(operation) for operation in OPERATIONS}


def made(operation: str) -> operations.Operation[Any]:
    """The operation, as the client sends it."""
    made: operations.Operation[Any] = getattr(operations, operation)(**ENTRIES[operation].arguments)
    return made


def returns(operation: str) -> Any:
    """The annotation of what the facade's method returns; None for nothing."""
    annotation = get_type_hints(getattr(nb.BillingClient, operation), localns={"UUID": UUID})["return"]
    return None if annotation is type(None) else annotation


def answer_of(operation: str, status: int | str) -> Any:
    """What the contract says of the replies with a status."""
    return resolve(DOCUMENT, PLACES[operation][2]["responses"][str(status)])


def validator(schema: Any) -> Draft202012Validator:
    """A validator of a schema of the contract."""
    return Draft202012Validator({"allOf": [schema], "components": DOCUMENT["components"]}, validate_formats=True)


def json_of(operation: str, status: int | str) -> Any:
    """What the contract says of the JSON of a pair; None where there is none."""
    return answer_of(operation, status).get("content", {}).get("application/json")


def success(operation: str) -> tuple[int, Any]:
    """The status of a success, and the body that is the contract's example; no bytes where there is no JSON."""
    status = next(int(status) for status in PLACES[operation][2]["responses"] if int(status) < 300)
    content = json_of(operation, status)
    return status, b"" if content is None else example(DOCUMENT, content)


# The operations whose success has a body in JSON.
IN_JSON = [name for name in OPERATIONS if json_of(name, success(name)[0])]


def successes(operation: str, status: int | None = None) -> list[Any]:
    """The contract's examples of a success's schemas; of the first success where no status is given."""
    return [example(DOCUMENT, schema) for schema in schemas(operation, status or success(operation)[0])]


@dataclass(frozen=True)
class Situation:
    """What makes a portal answer requests of an operation with one status and code.

    Attributes:
        prepare: Is given the rig and the request's idempotency key.
        body: What is answered, where the mock does not make it.
    """

    operation: str
    status: int
    code: str | None
    name: str
    prepare: Callable[[Rig, str], object]
    body: Any = None

    def __str__(self) -> str:
        return f"{self.operation}-{self.status}-{self.name}"


def schemas(operation: str, status: int) -> list[Any]:
    """The schemas of which a JSON body of a pair has one; none where it has no such body."""
    content = json_of(operation, status)
    if content is None:
        return []
    schema = content["schema"]
    alternatives: list[Any] = resolve(DOCUMENT, schema).get("anyOf", [schema])
    return alternatives


def refusals(operation: str, status: int) -> dict[str, Any]:
    """By code, the contract's examples of the bodies with which it refuses by a status."""
    found = [resolve(DOCUMENT, schema) for schema in schemas(operation, status)]
    return {each["properties"]["error"]["const"]: each["example"] for each in found if "properties" in each}


def headers_of(operation: str, status: int) -> dict[str, str]:
    """The contract's examples of the headers of a reply."""
    headers = answer_of(operation, status).get("headers", {})
    return {name: str(example(DOCUMENT, header)) for name, header in headers.items()}


def _situations(operation: str, status: int) -> list[Situation]:
    if status < 300 and status != success(operation)[0]:
        body = successes(operation, status)[0] if json_of(operation, status) else b""
        fault = Fault.reply(status, body, headers_of(operation, status))
        return [replace(_injected(operation, status, None, fault), name="another success")]
    if status < 300:
        return [Situation(operation, status, None, "success", lambda rig, key: None)]
    if "text/html" in answer_of(operation, status).get("content", {}):
        return [_injected(operation, status, None, Fault.html(status))]
    found = []
    for code, body in refusals(operation, status).items():
        if status == 401 or code in ENTRIES[operation].gates:
            found += [Situation(operation, status, code, *way) for way in WAYS[code].items()]
        else:
            fault = Fault.reply(status, body, headers_of(operation, status))
            found.append(_injected(operation, status, code, fault, body))
    return found


def _injected(operation: str, status: int, code: str | None, fault: Fault, body: Any = None) -> Situation:
    return Situation(
        operation, status, code, code or "page", lambda rig, key: rig.portal.inject(fault, operation), body
    )


def _prepared(situation: Situation) -> Situation:
    def prepare(rig: Rig, key: str) -> None:
        ENTRIES[situation.operation].prepare(rig)
        situation.prepare(rig, key)

    return replace(situation, prepare=prepare)


SITUATIONS = [_prepared(situation) for pair in PAIRS for situation in _situations(*pair)]
