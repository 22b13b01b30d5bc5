"""The OpenAPI document, and the operations that it describes."""

import json
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from jsonschema_rs import Draft202012Validator

from .contract import Answer, Body, ContractViolation, Header, Operation
from .parameters import Parameter, TextSchema, json_types

Json = dict[str, Any]

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
# What an operation may say. Anything else could ask for what the mock does not do.
_KNOWN = {
    "operationId", "tags", "summary", "description", "deprecated", "externalDocs",
    "security", "parameters", "requestBody", "responses",
}  # fmt: skip
_HOW_TO_SERIALISE = {"path": ("simple", False), "query": ("form", True), "header": ("simple", False)}


def load_document() -> Json:
    """The OpenAPI document that the mock is built from."""
    document: Json = json.loads(
        resources.files("nous_billing.mock").joinpath("contract.json").read_text(encoding="utf-8")
    )
    return document


def load_control() -> Json:
    """The OpenAPI document of the mock's own control interface."""
    document: Json = json.loads(
        resources.files("nous_billing.mock").joinpath("control.json").read_text(encoding="utf-8")
    )
    return document


class Interface(NamedTuple):
    """A document, and the operations that it describes."""

    document: Json
    operations: list[Operation]


# Tests make many portals, and reading the documents and compiling their schemas takes longer than most tests.
@cache
def portal_interface() -> Interface:
    """The contract, shared by all portals: not to be changed."""
    document = load_document()
    return Interface(document, operations(document))


@cache
def control_interface() -> Interface:
    """The control interface, shared by all portals: not to be changed."""
    document = load_control()
    return Interface(document, operations(document, authenticated=False))


def exact(document: Json) -> Json:
    """The same document with `multipleOf` beside each `x-decimal-places`.

    The contract leaves `multipleOf` out because most validators check it with binary floats. The mock's does not.
    """
    checked: Json = json.loads(json.dumps(document), object_hook=_add_multiple_of)
    return checked


def _add_multiple_of(entry: Json) -> Json:
    places = entry.get("x-decimal-places")
    return entry if places is None else {**entry, "multipleOf": 10**-places}


def operations(document: Json, *, authenticated: bool = True) -> list[Operation]:
    """All operations of the document, with a bearer token or without.

    Raises ContractViolation for what the mock cannot do or check, by name.
    """
    return list(_read(exact(document), [["bearer"]] if authenticated else []))


def required_scopes(document: Json, operation: Json) -> list[str]:
    """The scopes that an operation requires."""
    return [scope for each in security_of(document, operation) for scopes in each.values() for scope in scopes]


def security_of(document: Json, operation: Json) -> list[dict[str, list[str]]]:
    """The security requirements of an operation: its own, or those of the whole document."""
    requirements: list[dict[str, list[str]]] = (operation if "security" in operation else document)["security"]
    return requirements


def resolve(document: Json, entry: Json) -> Json:
    """The entry itself, or the one that it refers to."""
    while "$ref" in entry:
        target = document
        for name in entry["$ref"].removeprefix("#/").split("/"):
            target = target[name.replace("~1", "/").replace("~0", "~")]
        entry = target
    return entry


def _read(document: Json, security: list[list[str]]) -> Iterator[Operation]:
    # Most replies have one of a few schemas, and a validator takes a while to compile.
    compiled: dict[str, Draft202012Validator] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method not in METHODS:
                raise ContractViolation(f"{path}: the mock cannot read {method!r} there, only methods.")
            place = f"{method.upper()} {path}"
            yield _Reader(document, operation, security, place, compiled).operation(method.upper(), path)


class _Reader:
    """Reads one operation."""

    def __init__(
        self,
        document: Json,
        operation: Json,
        security: list[list[str]],
        place: str,
        compiled: dict[str, Draft202012Validator],
    ) -> None:
        self._compiled = compiled
        self._security = security
        self._document = document
        self._operation = operation
        self._name: str = operation.get("operationId", place)

    def operation(self, method: str, path: str) -> Operation:
        entry = self._operation
        if "operationId" not in entry:
            raise self._cannot("bind a handler without an operationId")
        if unknown := [key for key in entry if key not in _KNOWN and not key.startswith("x-")]:
            raise self._cannot(f"do what {', '.join(unknown)} asks for")
        if [list(requirement) for requirement in security_of(self._document, entry)] != self._security:
            raise self._cannot("check any security but one bearer token")
        return Operation(
            id=self._name,
            method=method,
            path=path,
            scopes=tuple(required_scopes(self._document, entry)),
            parameters=tuple(self._parameter(parameter) for parameter in entry.get("parameters", [])),
            body=self._body(entry.get("requestBody")),
            answers=dict(self._answer(status, answer) for status, answer in entry["responses"].items()),
        )

    def _cannot(self, what: str) -> ContractViolation:
        return ContractViolation(f"{self._name}: the mock cannot {what}.")

    def _parameter(self, entry: Json) -> Parameter:
        entry = resolve(self._document, entry)
        name, place = entry["name"], entry["in"]
        if place not in _HOW_TO_SERIALISE:
            raise self._cannot(f"read the parameter {name} from a {place}")
        if "schema" not in entry:
            raise self._cannot(f"check the parameter {name} without a schema")
        style, explode = _HOW_TO_SERIALISE[place]
        if (entry.get("style", style), entry.get("explode", explode)) != (style, explode):
            raise self._cannot(f"read the parameter {name} in a style of its own")
        schema = self._text_schema(entry["schema"], f"the parameter {name}")
        if schema.is_array and place != "query":
            raise self._cannot(f"read the parameter {name}, an array in the {place}")
        return Parameter(name, place, entry.get("required", False), schema)

    def _body(self, entry: Json | None) -> Body | None:
        if entry is None:
            return None
        entry = resolve(self._document, entry)
        if others := [media_type for media_type in entry["content"] if media_type != "application/json"]:
            raise self._cannot(f"read a request body of {', '.join(others)}")
        return Body(entry.get("required", False), self._validator(entry["content"]["application/json"]["schema"]))

    def _answer(self, status: str, entry: Json) -> tuple[int, Answer]:
        if not str(status).isdecimal():
            raise self._cannot(f"check replies of the status {status}: name each status")
        entry = resolve(self._document, entry)
        if ranges := [media_type for media_type in entry.get("content", {}) if "*" in media_type]:
            raise self._cannot(f"check a reply of any media type of {', '.join(ranges)}")
        headers = {name: resolve(self._document, header) for name, header in entry.get("headers", {}).items()}
        return int(status), Answer(
            {name: self._validator(content.get("schema", {})) for name, content in entry.get("content", {}).items()},
            {
                name: Header(header.get("required", False), self._text_schema(header["schema"], f"the header {name}"))
                for name, header in headers.items()
            },
        )

    def _text_schema(self, schema: Json, what: str) -> TextSchema:
        types = self._types(schema)
        if is_array := "array" in types:
            types = self._types(resolve(self._document, schema).get("items", {}))
        if types & {"array", "object"}:
            raise self._cannot(f"read {what}, which is more than a value or a list of values")
        return TextSchema(frozenset(types), is_array, self._validator(schema))

    def _types(self, schema: Json) -> set[str]:
        schema = resolve(self._document, schema)
        if "type" in schema:
            return {schema["type"]} if isinstance(schema["type"], str) else set(schema["type"])
        values: list[object] = [schema["const"]] if "const" in schema else schema.get("enum", [])
        parts: list[Json] = [part for key in ("anyOf", "oneOf", "allOf") for part in schema.get(key, [])]
        return set[str]().union(*map(json_types, values), *map(self._types, parts))

    def _validator(self, schema: Json) -> Draft202012Validator:
        text = json.dumps(schema)
        if text not in self._compiled:
            components = self._document.get("components", {})
            whole = {"allOf": [schema], "components": components}
            self._compiled[text] = Draft202012Validator(whole, validate_formats=True)
        return self._compiled[text]
