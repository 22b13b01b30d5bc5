"""The OpenAPI document: where it is, and how its operations are read from it."""

import json
from collections.abc import Iterator
from functools import lru_cache
from importlib import resources
from typing import Any

from jsonschema_rs import Draft202012Validator

from .contract import Answer, ContractViolation, Header, Operation, Parameter

Json = dict[str, Any]

_METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


def load_document() -> Json:
    """The OpenAPI document that the mock is built from."""
    document: Json = json.loads(
        resources.files("nous_billing.mock").joinpath("contract.json").read_text(encoding="utf-8")
    )
    return document


def operations(document: Json) -> list[Operation]:
    """All operations of the contract. What this module could not check is refused here."""
    return list(_operations(json.dumps(document)))


# Tests make a portal each, and to compile the schemas takes longer than most tests.
@lru_cache(maxsize=1)
def _operations(text: str) -> tuple[Operation, ...]:
    return tuple(_Reader(json.loads(text)).operations())


def required_scopes(document: Json, operation: Json) -> list[str]:
    """The scopes that an operation asks for."""
    security: list[dict[str, list[str]]] = operation.get("security") or document["security"]
    return [scope for requirement in security for scopes in requirement.values() for scope in scopes]


def resolve(document: Json, entry: Json) -> Json:
    """What an entry of the document stands for, where it is a reference to another."""
    if "$ref" not in entry:
        return entry
    target = document
    for name in entry["$ref"].removeprefix("#/").split("/"):
        target = target[name]
    return target


class _Reader:
    def __init__(self, document: Json) -> None:
        self._document = document

    def operations(self) -> Iterator[Operation]:
        for path, item in self._document["paths"].items():
            for method, operation in item.items():
                if method not in _METHODS:
                    raise ContractViolation(f"{path}: the mock does not know {method!r} beside the methods of a path.")
                yield Operation(
                    id=operation["operationId"],
                    method=method.upper(),
                    path=path,
                    scopes=tuple(required_scopes(self._document, operation)),
                    parameters=tuple(self._parameter(entry) for entry in operation.get("parameters", [])),
                    body=self._body(operation.get("requestBody")),
                    answers={int(status): self._answer(entry) for status, entry in operation["responses"].items()},
                )

    def _parameter(self, entry: Json) -> Parameter:
        entry = resolve(self._document, entry)
        if entry["in"] not in {"header", "path"} or "schema" not in entry:
            raise ContractViolation(f"The mock cannot check the parameter {entry['name']}.")
        return Parameter(entry["name"], entry["in"], entry.get("required", False), self._validator(entry["schema"]))

    def _body(self, entry: Json | None) -> Draft202012Validator | None:
        if entry is None:
            return None
        content = resolve(self._document, entry)["content"]
        if set(content) != {"application/json"}:
            raise ContractViolation(f"The mock cannot read a body of {', '.join(content)}.")
        return self._validator(content["application/json"]["schema"])

    def _answer(self, entry: Json) -> Answer:
        entry = resolve(self._document, entry)
        headers = {name: resolve(self._document, header) for name, header in entry.get("headers", {}).items()}
        return Answer(
            {media_type: self._validator(content["schema"]) for media_type, content in entry["content"].items()},
            {
                name: Header(header.get("required", False), self._validator(header["schema"]))
                for name, header in headers.items()
            },
        )

    def _validator(self, schema: Json) -> Draft202012Validator:
        return Draft202012Validator(
            {"allOf": [schema], "components": self._document["components"]}, validate_formats=True
        )
