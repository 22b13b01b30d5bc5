"""Which operations the tests try with requests that the contract forbids."""

import pytest

from .documented import can_be_wrong

TEXT = {"type": "string", "description": "Any text.", "example": "a"}


@pytest.mark.parametrize(
    ("place", "schema", "expected"),
    [
        ("path", TEXT, False),
        ("query", TEXT, False),
        ("header", TEXT, False),
        ("query", {}, False),
        ("query", {"type": ["string", "null"]}, False),
        ("query", {"anyOf": [{"type": "integer"}, TEXT]}, False),
        ("query", {"type": "array", "items": TEXT}, False),
        ("path", {**TEXT, "minLength": 1}, False),
        ("query", {**TEXT, "minLength": 1}, True),
        ("path", {**TEXT, "minLength": 2}, True),
        ("path", {**TEXT, "minLength": 1, "maxLength": 9}, True),
        ("path", {**TEXT, "format": "uuid"}, True),
        ("query", {"type": "string", "enum": ["a"]}, True),
        ("query", {"anyOf": [{"type": "integer"}, {"const": "a"}]}, True),
        ("query", {"type": "array", "items": {"type": "integer"}}, True),
        ("query", {"type": "array", "items": TEXT, "maxItems": 2}, True),
        ("query", {"type": "integer"}, True),
        ("path", {"$ref": "#/components/schemas/ChargeId"}, True),
    ],
)
def test_an_operation_can_be_asked_wrongly_if_a_text_of_its_parameter_is_forbidden(place, schema, expected):
    assert can_be_wrong({"parameters": [{"name": "a", "in": place, "schema": schema}]}) is expected


def test_a_body_can_be_wrong_and_nothing_cannot():
    assert can_be_wrong({"requestBody": {}, "parameters": []})
    assert not can_be_wrong({})
