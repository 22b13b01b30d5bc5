"""What the contract says, in the terms of the facade."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from nous_billing.mock.openapi import resolve

ROOT = Path(__file__).resolve().parents[2]

Json = dict[str, Any]
DOCUMENT: Json = yaml.load((ROOT / "openapi/nous-portal-billing.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
OPERATIONS: dict[str, Json] = {
    operation["operationId"]: operation for item in DOCUMENT["paths"].values() for operation in item.values()
}
_SCALARS = {"string": "str", "boolean": "bool", "integer": "int", "decimal": "Decimal", "date-time": "datetime"}


@dataclass(frozen=True, order=True)
class Gap:
    """Something to add to the facade, or to take out, and where."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


def place(path: str, name: str) -> str:
    """The file and line of a definition; of a class the line of its last field, after which the next one goes."""
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if name not in [getattr(node, "name", None), *(getattr(target, "id", None) for target in targets)]:
            continue
        fields = [part for part in getattr(node, "body", []) if isinstance(part, (ast.AnnAssign, ast.Expr))]
        last = fields[-1] if isinstance(node, ast.ClassDef) and fields else node
        return f"{path}:{last.lineno if isinstance(node, ast.FunctionDef) else last.end_lineno}"
    return path


def snake_case(name: str) -> str:
    """The Python name of a field or a header, such as ``spent_this_month_usd``."""
    return re.sub(r"-|(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def resolved(schema: Json) -> Json:
    return resolve(DOCUMENT, schema)


def name_of(schema: Json) -> str:
    """The name under which a schema is referred to; empty where it stands in its place."""
    return str(schema.get("$ref", "")).rpartition("/")[2]


def alternatives(schema: Json) -> list[Json]:
    inner = resolved(schema).get("anyOf")
    return [part for each in inner for part in alternatives(each)] if inner else [schema]


def bodies(operation: Json) -> Iterator[tuple[int, Json]]:
    """Each JSON body that an operation may answer with, and its status."""
    for status, response in operation["responses"].items():
        content = resolved(response).get("content", {})
        for body in alternatives(content.get("application/json", {}).get("schema", {})):
            yield int(status), body


def annotation(schema: Json, *, required: bool) -> str:
    """What a schema is in Python, such as ``Decimal | None``."""
    options = resolved(schema).get("anyOf", [schema])
    first = next(part for part in options if part != {"type": "null"})
    inner = resolved(first)
    types = [inner["type"]] if isinstance(inner.get("type"), str) else list(inner.get("type", []))
    if "const" in inner:
        text = f"Literal[{inner['const']!r}]"
    elif "array" in types:
        text = f"tuple[{annotation(inner['items'], required=True)}, ...]"
    elif "object" in types:
        text = name_of(first) or "Any"
    else:
        text = _SCALARS.get(inner.get("format", ""), _SCALARS.get(types[0] if types else "", "Any"))
    return text if required and "null" not in types and {"type": "null"} not in options else f"{text} | None"
