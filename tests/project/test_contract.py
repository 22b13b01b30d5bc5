"""The contract explains itself, and its examples hold."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from scripts.document import load

ROOT = Path(__file__).parents[2]
DOCUMENT = load(ROOT / "openapi/nous-portal-billing.yaml")
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def resolve(value: Any) -> Any:
    while isinstance(value, dict) and "$ref" in value:
        node = DOCUMENT
        for key in value["$ref"].removeprefix("#/").split("/"):
            node = node[key.replace("~1", "/").replace("~0", "~")]
        value = node
    return value


def walk(value: Any, path: str = "#") -> Iterator[tuple[str, Any]]:
    """Every object of the document with its place, but not what lies inside an example."""
    if isinstance(value, dict):
        yield path, value
        for key, inner in value.items():
            if key not in ("example", "examples"):
                yield from walk(inner, f"{path}/{str(key).replace('/', '~1')}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from walk(inner, f"{path}/{index}")


def examples() -> Iterator[tuple[str, Any, Any]]:
    """The place, the schema and the value of each example."""
    for path, node in walk(DOCUMENT):
        # A parameter, a header or a media type names its schema; any other holder of an example is a schema itself.
        schema = node.get("schema", node)
        if "example" in node:
            yield f"{path}/example", schema, node["example"]
        if "examples" in node and path != "#/components":
            # A schema has a list of values, all else names its examples.
            named = node["examples"]
            values = (
                enumerate(named) if isinstance(named, list) else ((k, resolve(v)["value"]) for k, v in named.items())
            )
            for name, value in values:
                yield f"{path}/examples/{name}", schema, value


EXAMPLES = list(examples())
OPERATIONS = {
    f"{method} {path}": item[method] for path, item in DOCUMENT["paths"].items() for method in METHODS if method in item
}
SCHEMAS = DOCUMENT["components"]["schemas"]


def test_the_examples_are_found() -> None:
    places = [place for place, _, _ in EXAMPLES]
    for kind, least in {
        "#/components/schemas/": len(SCHEMAS),
        "#/components/parameters/": 2,
        "#/components/headers/": 1,
        "#/paths/": 5,
    }.items():
        assert sum(place.startswith(kind) for place in places) >= least, kind


@pytest.mark.parametrize(("schema", "value"), [pytest.param(*rest, id=place) for place, *rest in EXAMPLES])
def test_an_example_validates_against_its_schema(schema: Any, value: Any) -> None:
    within = {"allOf": [schema], "components": DOCUMENT["components"]}
    jsonschema_rs.Draft202012Validator(within, validate_formats=True).validate(value)


def test_a_named_example_is_used() -> None:
    used = {
        node["$ref"]
        for _, media in walk(DOCUMENT)
        for node in dict(media.get("examples") or {}).values()
        if "$ref" in node
    }
    assert used == {f"#/components/examples/{name}" for name in DOCUMENT["components"]["examples"]}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_has_a_description_and_an_example(name: str) -> None:
    assert SCHEMAS[name].get("description", "").strip()
    assert "example" in SCHEMAS[name]


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_says_what_it_does(name: str) -> None:
    assert OPERATIONS[name].get("summary", "").strip()
    assert OPERATIONS[name].get("description", "").strip()


@pytest.mark.parametrize("kind", ["headers", "parameters", "responses", "securitySchemes"])
def test_every_other_component_has_a_description(kind: str) -> None:
    components = DOCUMENT["components"][kind]
    assert components
    assert [name for name, component in components.items() if not component.get("description", "").strip()] == []
