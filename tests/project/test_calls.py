"""Each operation is called once with the contract's examples, and whatever goes wrong is said."""

import pytest

from nous_billing.mock import MockPortal, Reply
from nous_billing.mock.openapi import load_document, operations
from scripts import calls

MONEY = {"$ref": "#/components/schemas/Money"}


def test_every_operation_of_the_contract_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        calls.main()
    called = [line.split(": ")[0] for line in capsys.readouterr().out.splitlines()]
    expected = [each["operationId"] for item in load_document()["paths"].values() for each in item.values()]
    assert (ended.value.code, called) == (False, expected)


@pytest.mark.parametrize(
    ("change", "reply", "said"),
    [
        (lambda document: None, Reply(403, {"error": "org_access_denied", "portalUrl": "/"}), "answered 403: "),
        (lambda document: document["components"]["schemas"]["Money"].update(maxLength=2), None, "breaks the contract"),
        *(
            (
                lambda document, schema=schema: document["paths"]["/api/billing/state"]["get"].update(
                    parameters=[{"name": "page", "in": "query", "schema": schema}]
                ),
                None,
                "get_billing_state has no example of page. Give it one.",
            )
            for schema in ({}, {"type": "string"}, {"type": "array", "items": {"type": "string"}})
        ),
        (lambda document: document["paths"]["/api/billing/state"]["get"].update(servers=[]), None, "do what servers"),
        *(
            (
                lambda document, status=status, reply=reply: document["paths"]["/api/billing/state"]["get"][
                    "responses"
                ].update({status: {"description": "More.", **reply}}),
                None,
                f"get_billing_state answers {status} without an example in {part}. Add there: example: ...",
            )
            for status, reply, part in [
                ("200", {"content": {"application/json": {"schema": {"type": "object"}}}}, "its schema"),
                ("202", {"content": {"application/json": {"schema": {"type": "object"}, "example": {}}}}, "its schema"),
                ("202", {"content": {"application/json": {"schema": {"anyOf": [MONEY, {}]}}}}, "its schema"),
                ("204", {"headers": {"X-Left": {"schema": {"type": "integer"}}}}, "its header X-Left"),
            ]
        ),
    ],
)
def test_a_drift_fails(change, reply, said, monkeypatch, capsys) -> None:
    document = load_document()
    change(document)
    monkeypatch.setattr(calls, "load", lambda _: document)
    if reply:
        monkeypatch.setattr(MockPortal, "get_billing_state", lambda self, call: reply)
    with pytest.raises(SystemExit) as ended:
        calls.main()
    assert ended.value.code
    assert said in capsys.readouterr().out + str(ended.value.code)


def test_a_list_has_the_example_of_its_items() -> None:
    document = load_document()
    assert calls.example(document, {"schema": {"type": "array", "items": MONEY}}) == [
        document["components"]["schemas"]["Money"]["example"]
    ]


def test_each_parameter_is_put_where_the_contract_wants_it() -> None:
    document = load_document()
    document["paths"]["/a/{b}"] = {
        "post": {
            "operationId": "a",
            "parameters": [
                {"name": "b", "in": "path", "schema": {"anyOf": [{"type": "integer", "example": 7}]}},
                {"name": "c", "in": "query", "examples": {"one": {"value": [True, "x"]}}, "schema": {"type": "array"}},
                {"$ref": "#/components/parameters/IdempotencyKey"},
            ],
            "responses": {},
        }
    }
    operation = next(each for each in operations(document) if each.id == "a")
    made = calls.arguments(document, operation)
    key = document["components"]["parameters"]["IdempotencyKey"]["example"]
    assert made == {
        "method": "POST",
        "url": "/a/7",
        "headers": {"Idempotency-Key": key},
        "params": {"c": ["true", "x"]},
    }
