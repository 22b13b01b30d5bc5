"""What the contract says, and where."""

import ast
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nous_billing.mock.openapi import METHODS, resolve
from nous_billing.protocol.annotations import wire_name
from scripts.document import Json, parse
from scripts.exports import PARTS

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = "#/components/schemas/"
CONTRACT_FILE = "openapi/nous-portal-billing.yaml"

# What results have beside their fields, and what the classes do that the generator makes of schemas.
OF_RESULTS = {"raw", "headers", "request_id"}
OF_GENERATED = {"additional_properties", "additional_keys", "to_dict", "from_dict", "to_multipart"}


@dataclass(frozen=True, order=True)
class Gap:
    """Something to add to the facade, or to take out, and where."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


class Contract:
    """The OpenAPI document.

    Attributes:
        operations: By their ``operationId``.
        schemas: The schemas of ``components``, by name.
    """

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._document = parse(text)
        self.schemas: dict[str, Json] = self._document["components"]["schemas"]
        self.operations: dict[str, Json] = {
            operation["operationId"]: operation
            for item in self._document["paths"].values()
            for method, operation in item.items()
            if method in METHODS and "operationId" in operation
        }

    def scopes(self, operation: Json) -> list[str]:
        """The scopes that an operation requires."""
        requirements: list[Json] = {"security": [], **self._document, **operation}["security"]
        return [scope for each in requirements for scopes in each.values() for scope in scopes]

    def resolved(self, schema: Json) -> Json:
        """What a schema stands for: a reference or an ``allOf`` of one is another's name."""
        here = resolve(self._document, schema)
        return self.resolved(here["allOf"][0]) if len(here.get("allOf", [])) == 1 else here

    def name_of(self, schema: Json) -> str:
        """The name of what a schema stands for; empty where it has none."""
        if len(schema.get("allOf", [])) == 1:
            return self.name_of(schema["allOf"][0])
        if "$ref" not in schema:
            return ""
        target = schema["$ref"].removeprefix(SCHEMAS)
        return self.name_of(self.schemas.get(target, {})) or target

    def layers(self, schema: Json) -> Iterator[Json]:
        """A schema, and all that it leads to before there is a value: references and members of unions."""
        yield schema
        if "$ref" in schema:
            yield from self.layers(resolve(self._document, {"$ref": schema["$ref"]}))
        for key in ("allOf", "anyOf", "oneOf"):
            for each in schema.get(key, []):
                yield from self.layers(each)

    def misplaced(self) -> Iterator[tuple[str, str]]:
        """What is in a place that nothing looks at, and methods without a name: the place and a sentence."""
        if "webhooks" in self._document:
            yield "webhooks", "The contract has webhooks, which the facade does not receive. Describe them elsewhere."
        for path, item in self._document["paths"].items():
            for method, operation in item.items():
                if method not in METHODS:
                    yield path, f"{path} has {method} beside its methods. Write it at each operation."
                elif "operationId" not in operation:
                    yield path, f"{method.upper()} {path} has no operationId. Give it one."

    def alternatives(self, schema: Json) -> list[Json]:
        """The members of ``anyOf`` and ``oneOf``, inner ones included."""
        here = self.resolved(schema)
        inner = [*here.get("anyOf", []), *here.get("oneOf", [])]
        return [part for each in inner for part in self.alternatives(each)] if inner else [schema]

    def contents(self, operation: Json) -> Iterator[tuple[int, str, Json]]:
        """What an operation may answer with: its status, media type and schema; no body has no type."""
        for status, response in operation["responses"].items():
            if not status.isdecimal():
                continue
            content = self.resolved(response).get("content", {})
            if not content:
                yield int(status), "", {}
            for media_type, media in content.items():
                yield int(status), media_type, media.get("schema", {})

    def bodies(self, operation: Json) -> Iterator[tuple[int, str, Json]]:
        """The same, with the members of unions one by one."""
        for status, media_type, schema in self.contents(operation):
            for body in self.alternatives(schema):
                yield status, media_type, body

    def place(self, *names: str) -> str:
        """The file and line of the last of these names, each looked for behind the one before."""
        # A link names an operation, too, further in.
        line = 0
        for name in map(re.escape, names):
            found = (
                number
                for number in range(line, len(self._lines))
                if re.match(rf"(      operationId: {name}| *(['\"]?){name}\2:)( |$)", self._lines[number])
            )
            line = next(found, line)
        return f"{CONTRACT_FILE}:{line + 1}"


def live() -> Contract:
    """The contract of the project."""
    return Contract((ROOT / CONTRACT_FILE).read_text(encoding="utf-8"))


def place(path: str, name: str) -> str:
    """The file and line of a definition; of a class the line of its last field, after which the next one goes."""
    module = Path(path).stem
    for part in PARTS.get(module, (module,)):
        file = str(Path(path).with_name(f"{part}.py"))
        line = _line(file, name)
        if line is not None:
            return f"{file}:{line}"
    return path


def _line(path: str, name: str) -> int | None:
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if name not in [getattr(node, "name", None), *(getattr(target, "id", None) for target in targets)]:
            continue
        fields = [part for part in getattr(node, "body", []) if isinstance(part, (ast.AnnAssign, ast.Expr))]
        last = fields[-1] if isinstance(node, ast.ClassDef) and fields else node
        return last.lineno if isinstance(node, ast.FunctionDef) else last.end_lineno
    return None


def snake_case(name: str) -> str:
    """The Python name of a field or a header, such as ``spent_this_month_usd`` or ``from_``."""
    found = re.sub(r"-|(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return f"{found}_" if keyword.iskeyword(found) else found


def can_be_named(key: str) -> bool:
    """Whether the facade finds a key of a reply by the Python name that it has."""
    name = snake_case(key)
    return name.isidentifier() and name not in OF_RESULTS | OF_GENERATED and wire_name(name) == key
