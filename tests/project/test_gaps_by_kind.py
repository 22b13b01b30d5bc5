"""What the tools ask a maintainer to write is what the reader reads; what it does not read, they refuse by name."""

import re
from decimal import Decimal
from typing import Any

import pytest

from nous_billing import models
from nous_billing.protocol import operations as facade
from nous_billing.protocol.decoding import read
from nous_billing.protocol.error_codes import REFUSALS
from nous_billing.protocol.replies import decode_json
from scripts.gaps import operations, refusals, results
from scripts.gaps.annotations import NotReadError, field
from scripts.gaps.contract import Contract

BASE = "https://portal.example"
SCHEMAS = """
openapi: 3.1.0
paths:
  /x:
    delete:
      operationId: delete_x
      responses: {RESPONSES}
components:
  schemas:
    Money: {type: string, format: decimal}
    PortalUrl: {type: string}
    ChargeId: {type: string}
    Anything: {description: Any JSON value.}
    Bounds:
      type: object
      required: [minUsd, maxUsd]
      properties:
        minUsd: {$ref: '#/components/schemas/Money'}
        maxUsd: {$ref: '#/components/schemas/Money'}
    ChargeSettled:
      type: object
      required: [status, amountUsd]
      properties:
        status: {const: settled}
        amountUsd: {$ref: '#/components/schemas/Money'}
    ChargeFailed:
      type: object
      required: [status, reason]
      properties:
        status: {const: failed}
        reason: {type: string}
    ChargeOtherStatus:
      type: object
      required: [status]
      properties: {status: {type: string}}
    Named:
      type: object
      required: [id, name]
      properties: {id: {type: string}, name: {type: string}}
    Titled:
      type: object
      required: [id, title]
      properties: {id: {type: string}, title: {type: string}}
    Holder:
      type: object
      properties:
        extra: EXTRA
"""


def contract(extra: str = "{type: string}", responses: str = "{'200': {description: X.}}") -> Contract:
    text = SCHEMAS.replace("{RESPONSES}", responses).replace("EXTRA", extra)
    return Contract(re.sub(r"<(\w+)>", r"{$ref: '#/components/schemas/\1'}", text))


def line(extra: str, *, required: bool = False) -> str:
    held = contract(extra)
    return field(held, held.schemas["Holder"]["properties"]["extra"], required=required)


BOUNDS = models.Bounds(min_usd=Decimal(1), max_usd=Decimal(2))
FAILED = models.ChargeFailed(reason="x", raw={"status": "failed", "reason": "x"})
MONEY_OR_NULL = "{anyOf: [<Money>, {type: 'null'}]}"
READ = [
    ("{type: string}", "str | None = None", '"x"', "x"),
    ("{type: integer}", "int | None = None", "3", 3),
    ("{type: number}", "Number | None = None", "1.5", Decimal("1.5")),
    ("{type: boolean}", "bool | None = None", "true", True),
    ("<Money>", "Decimal | None = None", '"1.5"', Decimal("1.5")),
    ("{type: string, format: date}", "str | None = None", '"2026-01-01"', "2026-01-01"),
    ("{type: string, format: uuid}", "str | None = None", '"7f2c"', "7f2c"),
    ("{type: string, format: uri}", "PortalUrl | None = None", '"https://x.example/"', "https://x.example/"),
    ("<PortalUrl>", "PortalUrl | None = None", '"/b"', f"{BASE}/b"),
    ("<ChargeId>", "ChargeId | None = None", '"ch_1"', "ch_1"),
    ("{anyOf: [{type: string, enum: [a, b]}, {type: string}]}", "str | None = None", '"c"', "c"),
    ("{anyOf: [{const: a}, {type: string}]}", "str | None = None", '"c"', "c"),
    ("{type: string, enum: [a, b]}", "str | None = None", '"a"', "a"),
    ("{type: boolean, const: true}", "Literal[True] | None = None", "true", True),
    ("{type: integer, const: 3}", "Literal[3] | None = None", "3", 3),
    ("{const: a}", "Literal['a'] | None = None", '"a"', "a"),
    ("<Bounds>", "Bounds | None = None", '{"minUsd": "1", "maxUsd": "2"}', BOUNDS),
    ("{allOf: [<Bounds>]}", "Bounds | None = None", '{"minUsd": "1", "maxUsd": "2"}', BOUNDS),
    ("{anyOf: [<Bounds>, {type: 'null'}]}", "Bounds | None = None", "null", None),
    ("{type: [string, 'null']}", "str | None = None", "null", None),
    ("{type: [string, integer]}", "str | int | None = None", "3", 3),
    ("{type: array, items: {type: string}}", "tuple[str, ...] | None = None", '["a"]', ("a",)),
    ("{type: array}", "tuple[Any, ...] | None = field(default=None, hash=False)", "[1]", (1,)),
    (
        "{type: array, items: <Bounds>}",
        "tuple[Bounds, ...] | None = None",
        '[{"minUsd": "1", "maxUsd": "2"}]',
        (BOUNDS,),
    ),
    (
        "{type: array, items: {type: string, format: date-time}}",
        "tuple[datetime | None, ...] | None = None",
        '["soon"]',
        (None,),
    ),
    (f"{{type: array, items: {MONEY_OR_NULL}}}", "tuple[Decimal | None, ...] | None = None", "[null]", (None,)),
    (
        "{type: array, items: {type: array, items: {type: string}}}",
        "tuple[tuple[str, ...], ...] | None = None",
        '[["a"]]',
        (("a",),),
    ),
    *(
        (
            f"{{{key}: [<ChargeSettled>, <ChargeFailed>]}}",
            "ChargeSettled | ChargeFailed | None = None",
            '{"status": "failed", "reason": "x"}',
            FAILED,
        )
        for key in ("anyOf", "oneOf")
    ),
    (
        "{anyOf: [<ChargeFailed>, <ChargeOtherStatus>]}",
        "ChargeFailed | ChargePending | None = None",
        '{"status": "new"}',
        models.ChargePending(status="new", raw={"status": "new"}),
    ),
    (
        "{type: object, additionalProperties: <Money>}",
        "dict[str, Decimal] | None = field(default=None, hash=False)",
        '{"a": "1"}',
        {"a": Decimal(1)},
    ),
    ("{type: object}", "dict[str, Any] | None = field(default=None, hash=False)", '{"a": 1}', {"a": 1}),
    ("<Anything>", "Any = field(default=None, hash=False)", '{"a": 1}', {"a": 1}),
]


@pytest.mark.parametrize(("schema", "written", "text", "value"), READ)
def test_a_field_is_read_as_the_tools_ask_for_it(schema: str, written: str, text: str, value: object) -> None:
    assert line(schema) == written
    holder: Any = results.written("extra", written)
    assert read(holder, {"extra": decode_json(text.encode())}, BASE).extra == value
    assert read(holder, {}, BASE).extra is None
    hash(read(results.written("extra", written, frozen=True), {"extra": decode_json(text.encode())}, BASE))


@pytest.mark.parametrize(
    ("schema", "written"),
    [
        ("<Money>", "Decimal"),
        (MONEY_OR_NULL, "Decimal | None"),
        # What is never in the way may be absent, too.
        ("{type: string, format: date-time}", "datetime | None = None"),
        ("<PortalUrl>", "PortalUrl | None = None"),
        ("<Anything>", "Any = field(hash=False)"),
        ("{type: object}", "dict[str, Any] = field(hash=False)"),
    ],
)
def test_a_required_field_has_no_default(schema: str, written: str) -> None:
    assert line(schema, required=True) == written


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ("{type: object, properties: {a: {type: string}}}", "an object without a name"),
        ("{type: object, patternProperties: {a: {type: string}}}", "a map whose keys have patterns"),
        ("{allOf: [<Bounds>, <Named>]}", "an allOf of several"),
        ("{type: array, prefixItems: [{type: string}]}", "a list whose items differ by their place"),
        ("{type: integer, enum: [1, 2]}", "an enumeration of something other than strings"),
        ("{type: string, format: byte}", "a string of bytes"),
        ("{type: 'null'}", "never anything but null"),
        ("{anyOf: [<Money>, {type: string}]}", "one of several kinds that look alike"),
        ("{type: [integer, number]}", "one of several kinds that look alike"),
        ("{anyOf: [<Bounds>, {type: object}]}", "one of several kinds that look alike"),
        ("{anyOf: [<Anything>, {type: string}]}", "one of several kinds that look alike"),
    ],
)
def test_what_the_reader_does_not_read_is_refused_by_its_kind(schema: str, kind: str) -> None:
    with pytest.raises(NotReadError, match=kind):
        line(schema)


def test_two_objects_that_nothing_tells_apart_are_refused() -> None:
    held = contract("{anyOf: [<Named>, <Titled>]}")
    assert line("{anyOf: [<Named>, <Titled>]}") == "Named | Titled | None = None"
    held.schemas["Titled"]["required"] = ["id"]
    held.schemas["Named"]["required"] = ["id"]
    with pytest.raises(NotReadError, match="Named or Titled, which no constant and no required key tells apart"):
        field(held, held.schemas["Holder"]["properties"]["extra"], required=False)


JSON_ANSWER = "{'200': {description: X., content: {application/json: {schema: %s}}}}"


def said(found: Any) -> list[str]:
    return [str(gap) for gap in found if "delete_x" in str(gap) or "Holder" in str(gap)]


@pytest.mark.parametrize(
    ("responses", "expected"),
    [
        ("{'204': {description: Done.}}", "Operation[None]"),
        ("{'200': {description: X., content: {text/csv: {schema: {type: string}}}}}", "Operation[str]"),
        ("{'200': {description: X., content: {application/pdf: {}}}}", "Operation[bytes]"),
        (JSON_ANSWER % "<Bounds>", "Operation[Bounds]"),
        (JSON_ANSWER % "{type: array, items: <Bounds>}", "Operation[tuple[Bounds, ...]]"),
        (
            JSON_ANSWER % "{anyOf: [<ChargeSettled>, <ChargeFailed>]}",
            "Operation[ChargeSettled | ChargeFailed]",
        ),
    ],
)
def test_an_operation_is_asked_for_with_what_it_returns(
    responses: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def delete_x() -> Any: ...

    kind = expected.removeprefix("Operation[").removesuffix("]")
    monkeypatch.setattr(facade, "delete_x", delete_x, raising=False)
    delete_x.__annotations__["return"] = facade.Operation[models.MonthlyCap]
    asked = said(results.gaps(contract(responses=responses)))
    assert asked[0].endswith(f"delete_x does not read {kind}. Let it return {expected}.")
    delete_x.__annotations__["return"] = eval(f"facade.{expected}", {"facade": facade, **vars(models)})
    left = said(results.gaps(contract(responses=responses)))
    wants_accept = "text/csv" in responses or "pdf" in responses
    assert len(left) == wants_accept
    assert not wants_accept or "Give _operation accept=" in left[0]


@pytest.mark.parametrize(
    ("responses", "refused"),
    [
        (
            "{'200': {description: X., content: {text/csv: {}, application/json: {schema: <Bounds>}}}}",
            "delete_x succeeds with bodies of several media types, which the facade does not tell apart.",
        ),
        (JSON_ANSWER % "{allOf: [<Bounds>, <Named>]}", "delete_x answers with an allOf of several"),
    ],
)
def test_a_success_that_nothing_reads_is_refused_where_it_is_declared(responses: str, refused: str) -> None:
    (gap,) = said(results.gaps(contract(responses=responses)))
    assert gap.startswith(f"openapi/nous-portal-billing.yaml:6: {refused}")


@pytest.mark.parametrize(
    ("key", "found"), [("extraUsd", True), ("extraURL", False), ("extra-usd", False), ("raw", False)]
)
def test_a_key_that_no_field_would_find_is_refused(key: str, found: bool) -> None:
    text = SCHEMAS.replace("{RESPONSES}", JSON_ANSWER % "{$ref: '#/components/schemas/Holder'}").replace(
        "extra: EXTRA", f"{key}: {{}}"
    )
    asked = said(results.gaps(Contract(text)))
    assert any("a key that no name of Python stands for" in gap for gap in asked) is not found


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ("parameters: [{name: sid, in: cookie, schema: {type: string}}]", "the cookie sid"),
        ("parameters: [{name: of, in: query, schema: {type: object}}]", "the parameter of in a form of its own"),
        ("requestBody: {content: {multipart/form-data: {}}}", "a body of multipart/form-data"),
    ],
)
def test_what_would_not_be_sent_is_refused(more: str, kind: str) -> None:
    text = SCHEMAS.replace("{RESPONSES}", "{'204': {description: X.}}").replace(
        "operationId: delete_x", f"operationId: delete_x\n      {more}"
    )
    held = Contract(text)
    held.schemas["ChargeFailed"]["properties"]["reason"] = {"anyOf": [{"enum": []}]}
    assert f"openapi/nous-portal-billing.yaml:6: delete_x has {kind}, which the facade does not send." in said(
        operations.gaps(held)
    )


def test_one_code_at_two_statuses_is_one_row_that_says_both(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = "{description: X., content: {application/json: {schema: {$ref: '#/components/schemas/Revoked'}}}}"
    text = SCHEMAS.replace("{RESPONSES}", f"{{'401': {answer}, '403': {answer}}}")
    held = Contract(f"{text}    Revoked: {{properties: {{error: {{const: session_revoked}}}}}}\n")

    def asked() -> list[str]:
        return [gap.text for gap in refusals.gaps(held) if "session_revoked comes" in gap.text]

    assert asked() == ["session_revoked comes with 401 and 403. Write (401, 403) in the place of 401."]
    monkeypatch.setitem(REFUSALS, "session_revoked", ((401, 403), *REFUSALS["session_revoked"][1:]))
    assert asked() == []
