"""What the tools ask a maintainer to write is what the reader reads; what it does not read, they refuse by name."""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import pytest

from nous_billing import models
from nous_billing.money import Amount
from nous_billing.protocol import operations as facade
from nous_billing.protocol.decoding import read
from nous_billing.protocol.error_codes import REFUSALS
from nous_billing.protocol.replies import decode_json
from scripts.document import parse
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
    Limits: {allOf: [<Bounds>]}
    Limit: <Limits>
    Price: <Money>
    Link: {allOf: [<PortalUrl>]}
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
    BoundsOrNull:
      type: [object, 'null']
      properties: {minUsd: {type: string}}
    FieldsAndMap:
      type: object
      additionalProperties: {type: string}
      properties: {id: {type: string}}
    Tree:
      type: object
      properties: {children: {type: array, items: {$ref: '#/components/schemas/Tree'}}}
    Holder:
      type: object
      properties:
        extra: EXTRA
"""


def contract(extra: str = "{type: string}", responses: str = "{'200': {description: X.}}") -> Contract:
    return parsed(SCHEMAS.replace("{RESPONSES}", responses).replace("EXTRA", extra))


def parsed(text: str) -> Contract:
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
    # A schema may be another's name.
    ("<Limit>", "Bounds | None = None", '{"minUsd": "1", "maxUsd": "2"}', BOUNDS),
    ("<Price>", "Decimal | None = None", '"1.5"', Decimal("1.5")),
    ("<Link>", "PortalUrl | None = None", '"/b"', f"{BASE}/b"),
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
    ("{type: array, items: <PortalUrl>}", "tuple[PortalUrl | None, ...] | None = None", '["/b"]', (f"{BASE}/b",)),
    # Of a whole number a portal may write 3.0.
    ("{type: [string, integer]}", "str | int | None = None", "3.0", 3),
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
        ("<BoundsOrNull>", "BoundsOrNull | None"),
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
        ("{allOf: [<Bounds>], properties: {a: {type: string}}}", "allOf with properties beside it"),
        ("{$ref: '#/components/schemas/Bounds', properties: {a: {}}}", r"\$ref with properties beside it"),
        ("{oneOf: [<Bounds>], properties: {a: {type: string}}}", "oneOf with properties beside it"),
        ("{anyOf: [<Bounds>, {anyOf: [<Named>], allOf: [<Titled>]}]}", "allOf with anyOf beside it"),
        ("{type: string, nullable: true}", "nullable, which OpenAPI 3.1 does not know"),
        ("{anyOf: [{type: string, format: date-time}, {type: integer}]}", "a moment or a link, or something else"),
        ("{anyOf: [<PortalUrl>, {const: none}]}", "a moment or a link, or something else"),
        ("{const: 1.5}", "a constant other than"),
        ("{enum: [a, b]}", "an enumeration without a type"),
        ("{type: string, contentEncoding: base64}", r"a string of bytes \(base64\)"),
        ("<FieldsAndMap>", "an object with fields and a map in one"),
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
        (JSON_ANSWER % "<Limits>", "Operation[Bounds]"),
        (JSON_ANSWER % "{type: array, items: <Bounds>}", "Operation[tuple[Bounds, ...]]"),
        (JSON_ANSWER % "{type: array, items: <Money>}", "Operation[tuple[Decimal, ...]]"),
        (JSON_ANSWER % f"{{type: array, items: {MONEY_OR_NULL}}}", "Operation[tuple[Decimal | None, ...]]"),
        (JSON_ANSWER % "{type: object, additionalProperties: <PortalUrl>}", "Operation[dict[str, PortalUrl | None]]"),
        (JSON_ANSWER % "{type: object}", "Operation[dict[str, Any]]"),
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
        (
            JSON_ANSWER % "{anyOf: [<Bounds>], properties: {a: {}}}",
            "delete_x answers with anyOf with properties",
        ),
        (JSON_ANSWER.replace("/json", "/x+json") % "<Bounds>", "delete_x answers with JSON of the media type"),
        ("{'401': {description: X.}}", "delete_x has no success. Name its status, such as 200."),
    ],
)
def test_a_success_that_nothing_reads_is_refused_where_it_is_declared(responses: str, refused: str) -> None:
    (gap,) = said(results.gaps(contract(responses=responses)))
    assert gap.startswith(f"openapi/nous-portal-billing.yaml:6: {refused}")


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("extraUsd", True),
        ("from", True),
        ("extraURL", False),
        ("extra-usd", False),
        ("raw", False),
        ("_id", False),
        ("toDict", False),
        ("'price(usd'", False),
    ],
)
def test_a_key_that_no_field_would_find_is_refused(key: str, found: bool) -> None:
    text = SCHEMAS.replace("{RESPONSES}", JSON_ANSWER % "{$ref: '#/components/schemas/Holder'}").replace(
        "extra: EXTRA", f"{key}: {{}}"
    )
    asked = said(results.gaps(Contract(text)))
    assert any("a key that no name of Python stands for" in gap for gap in asked) is not found
    assert any("Holder. Add it with from_: Any" in gap for gap in asked) is (key == "from")


TAKEN = "a name that its class has for something else: {} (give it another name, or leave it out of the contract: raw"


@pytest.mark.parametrize(
    ("schema", "key"),
    [
        ("BillingState", "canCharge"),
        ("Bounds", "allow"),
        *(("Holder", key) for key in ("datetime", "field", "property")),
    ],
)
def test_a_key_named_like_something_else_of_its_class_is_refused(schema: str, key: str) -> None:
    text = SCHEMAS.replace("{RESPONSES}", JSON_ANSWER % f"{{$ref: '#/components/schemas/{schema}'}}")
    line = f"    {schema}: {{properties: {{{key}: {{type: boolean}}}}}}\n"
    asked = [gap.text for gap in results.gaps(Contract(text + line))]
    python_name = re.sub("C", "_c", key)
    assert any(each.startswith(f"{schema}.{key} is {TAKEN.format(python_name)}") for each in asked), asked
    assert not any(f"{python_name}: " in each and "Add" in each for each in asked)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        *((name, " (name the schema in CapWords") for name in ("Card.V2", "2faChallenge", "billing-page")),
        *((name, ", as something else of ") for name in ("Purchase", "Result", "Decimal", "Warning")),
    ],
)
@pytest.mark.parametrize("schema", ["{$ref: '#/components/schemas/%s'}", "{type: array, items: <Holder>}"])
def test_an_object_that_no_class_can_be_named_after_is_refused(name: str, why: str, schema: str) -> None:
    text = SCHEMAS.replace("{RESPONSES}", JSON_ANSWER % schema.replace("%s", name))
    text = text.replace("EXTRA", f"{{$ref: '#/components/schemas/{name}'}}")
    found = results.gaps(parsed(f"{text}    {name}: {{type: object, properties: {{a: {{}}}}}}\n"))
    asked = [gap.text for gap in found if f"an object called {name}{why}" in gap.text or f"class {name}." in gap.text]
    what = "Holder.extra is" if "Holder" in schema else "delete_x answers with"
    assert [each.partition(" an object")[0] for each in asked] == [what]


def test_a_field_whose_new_kind_is_refused_is_not_said_to_be_gone() -> None:
    text = SCHEMAS.replace("{RESPONSES}", JSON_ANSWER % "{$ref: '#/components/schemas/Bounds'}")
    held = Contract(f"{text}    Bounds: {{properties: {{minUsd: {{type: string, format: byte}}}}}}\n")
    asked = [gap.text for gap in results.gaps(held) if "Bounds." in gap.text]
    assert any(each.startswith("Bounds.minUsd is a string of bytes") for each in asked)
    assert [each for each in asked if "Take it out" in each] == ["The contract has no Bounds.max_usd. Take it out."]


def test_an_object_that_holds_itself_is_asked_for_once() -> None:
    held = contract(responses=JSON_ANSWER % "<Tree>")
    (asked,) = [gap.text for gap in results.gaps(held) if "Tree" in gap.text]
    assert asked == "There is no class Tree. Add it with children: tuple[Tree, ...] | None = None."


BODY = "requestBody: {content: {application/json: {schema: %s}}}"
PARAMETER = "parameters: [{name: %s, in: %s, schema: {type: string}}]"


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ("parameters: [{name: sid, in: cookie, schema: {type: string}}]", "the cookie sid"),
        ("parameters: [{name: of, in: query, schema: {type: object}}]", "the parameter of in a form of its own"),
        ("requestBody: {content: {multipart/form-data: {}}}", "a body of multipart/form-data"),
        (BODY % "{type: array, items: {type: string}}", "a body other than an object with named fields"),
        (
            BODY % "{type: object, additionalProperties: {type: string}}",
            "a body other than an object with named fields",
        ),
        (BODY % "<FieldsAndMap>", "a body other than an object with named fields"),
        (
            BODY % "{allOf: [<Bounds>], properties: {a: {}}}",
            "a body of allOf with properties beside it (write one schema",
        ),
        (PARAMETER % ("'of[x]'", "query"), "of[x], which can be no argument of a method"),
        (BODY % "{properties: {additionalProperties: {}}}", "additional_properties, which can be no argument"),
        (PARAMETER % ("timeout", "query"), "timeout, which can be no argument of a method"),
        (PARAMETER % ("minUsd", "query") + "\n      " + BODY % "<Bounds>", "min_usd in 2 places"),
        (PARAMETER % ("Accept", "header"), "the header Accept as a parameter, which the SDK sets itself"),
        ("parameters: [{name: on, in: path, schema: {type: boolean}}]", "true or false in the path (on)"),
        (PARAMETER % ("Idempotency-Key", "header"), "an idempotency key other than a required header"),
        (PARAMETER % ("idempotency-key, required: true", "header"), "an idempotency key other than a required header"),
    ],
)
def test_what_would_not_be_sent_is_refused(more: str, kind: str) -> None:
    held = with_more(more)
    sentences = said(operations.gaps(held))
    assert any(each.startswith(f"{PLACE} delete_x has {kind}") for each in sentences), sentences


PLACE = "openapi/nous-portal-billing.yaml:6:"


def with_more(more: str, answers: str = "{'204': {description: X.}}") -> Contract:
    return parsed(SCHEMAS.replace("delete_x", f"delete_x\n      {more}").replace("{RESPONSES}", answers))


def test_an_argument_that_python_keeps_for_itself_is_asked_for_by_the_name_that_it_can_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def delete_x(gone: str) -> Any: ...

    delete_x.__module__ = facade.__name__
    monkeypatch.setattr(facade, "delete_x", delete_x, raising=False)
    asked = [gap.text for gap in operations.gaps(with_more(PARAMETER % ("from", "query")))]
    assert "delete_x does not take from_. Add it." in asked
    assert "The contract has no gone of delete_x. Take it out." in asked


# The annotations are text, as those of the facade are, and find their names in this module.
_NAMED = (Amount, Decimal, Literal, Sequence, UUID, datetime)
TAKES = [
    ("{type: string}", "str | UUID", None),
    ("{type: string}", "int", "string"),
    ("{type: string, format: date-time}", "datetime", None),
    ("{type: string, format: uuid}", "UUID", None),
    ("{type: string, format: uuid}", "str | UUID", None),
    ("{type: [string, 'null'], format: uuid}", "datetime", "string (uuid)"),
    ("<Money>", "Amount | None", None),
    ("<Money>", "Decimal", None),
    ("<Money>", "str", None),
    ("<Money>", "float", "string (decimal)"),
    ("{type: string}", "Amount", "string"),
    ("{type: string, enum: [a]}", "Literal['a'] | None", None),
    ("{type: integer}", "int | None", None),
    ("{type: integer}", "str", "integer"),
    ("{type: integer}", "int | str", "integer"),
    ("{type: integer}", "bool", "integer"),
    ("{type: number}", "Decimal | int | str | float", None),
    ("{type: number}", "str", "number"),
    ("{type: [boolean, 'null']}", "bool", None),
    ("{type: boolean}", "Literal['on', 'off']", "boolean"),
    ("{anyOf: [{type: string}, {type: integer}]}", "str | int", None),
    ("{anyOf: [{type: string}, {type: integer}]}", "str", "integer or string"),
    ("{type: array, items: {type: string}}", "Sequence[str]", None),
    ("{type: array, items: {type: string}}", "str", "array"),
    ("<Anything>", "int", None),
]


@pytest.mark.parametrize(("schema", "annotation", "kind"), TAKES)
def test_an_argument_of_another_type_than_the_contracts_is_refused(
    schema: str, annotation: str, kind: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def delete_x(of: Any) -> Any: ...

    delete_x.__module__, delete_x.__annotations__["of"] = facade.__name__, annotation
    monkeypatch.setattr(facade, "delete_x", delete_x, raising=False)
    for more in (
        PARAMETER.replace("{type: string}", "%s") % ("of", "query", schema),
        BODY % f"{{properties: {{of: {schema}}}}}",
    ):
        asked = [gap.text for gap in operations.gaps(with_more(more)) if " takes " in gap.text]
        expected = f"delete_x takes of as {annotation}. The contract says {kind}."
        assert asked == ([] if kind is None else [expected])


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("operationId: delete_x", "operationId: deleteX", "deleteX is no name for a method. Give it an operationId"),
        (
            "operationId: delete_x",
            "operationId: 2fa.x",
            "2fa.x is no name for a method. Give it an operationId such as g",
        ),
        ("operationId: delete_x", "operationId: close", "BillingClient.close is something other than this operation."),
        ("operationId: delete_x", "operationId: replace", "replace is something other than this operation."),
        ("operationId: delete_x", "operationId: inject", "MockPortal.inject is no @handler, or something other"),
        ("      operationId: delete_x\n", "", "DELETE /x has no operationId. Give it one."),
        ("    delete:\n", "    parameters: []\n    delete:\n", "/x has parameters beside its methods."),
        ("tags: [a]", "tags: [A b]", "Give it one tag, a word in lower case such as billing."),
        ("tags: [a]", "summary: X.", "Give it one tag, a word in lower case such as billing."),
        ("'200'", "default", "delete_x answers default. Name each status."),
        ("'200'", "2XX", "delete_x answers 2XX. Name each status."),
        ("'200'", "302", "delete_x answers 302, which the facade does not follow. Take it out"),
        ("'200'", "101", "delete_x answers 101, which the facade does not follow. Take it out"),
        ("billing:manage", "billing:export", "delete_x requires the scope billing:export, which no login asks for."),
        ("paths:", "webhooks: {}\npaths:", "webhooks, which the facade does not receive. Describe them elsewhere."),
    ],
)
def test_what_nothing_would_find_by_its_name_is_refused(old: str, new: str, sentence: str) -> None:
    text = SCHEMAS.replace(
        "{RESPONSES}", "{'200': {description: X.}}\n      tags: [a]\n      security: [{bearer: ['billing:manage']}]"
    )
    held = Contract(text.replace(old, new))
    found = [str(gap) for gap in (*operations.gaps(held), *results.gaps(held), *refusals.gaps(held))]
    assert any(sentence in each for each in found), found
    assert not any(sentence in str(gap) for gap in operations.gaps(Contract(text)))


def refused(*schemas: str, status: int = 403) -> list[str]:
    """What is asked of a status whose body is one of these."""
    names = [f"Refused{number}" for number in range(len(schemas))]
    refs = ", ".join(f"<{name}>" for name in names)
    answer = f"{{'{status}': {{description: X., content: {{application/json: {{schema: {{anyOf: [{refs}]}}}}}}}}}}"
    more = "".join(f"    {name}: {schema}\n" for name, schema in zip(names, schemas, strict=True))
    held = parsed(SCHEMAS.replace("{RESPONSES}", answer) + more)
    return [gap.text for gap in (*refusals.gaps(held), *results.gaps(held)) if "The contract has no" not in gap.text]


NEW = "{type: object, properties: {error: {const: new_code}, %s}}"
NO_CODE = "delete_x answers 403 without a code."


@pytest.mark.parametrize(
    ("schemas", "sentence"),
    [
        ((NEW % "details: <Tree>",), "details: Tree | None = None"),
        ((NEW % "details: <Tree>",), "There is no class Tree. Add it with children"),
        ((NEW % "a: {type: string}", NEW % "b: {type: integer}"), "a: str | None = None, b: int | None = None"),
        ((NEW % "a: {type: string}", NEW % "a: {type: integer}"), "and str | None in another schema of new_code"),
        ((NEW % "from: {type: string}",), "from_: str | None = None"),
        ((NEW % "retryAfter: {type: integer}",), "a name that every error has for something else (retry_after)"),
        ((NEW % "args: {type: string}",), "a name that every error has for something else (args)"),
        ((NEW % "code: {type: integer}",), "Refused0.code is int | None, where every error has a text"),
        (("{type: object, properties: {error: {type: string}}}",), NO_CODE),
        (("{type: object, properties: {code: {const: new_code}}}",), NO_CODE),
        (("{allOf: [<Named>, {properties: {error: {const: new_code}}}]}",), NO_CODE),
    ],
)
def test_a_refusal_is_asked_for_with_all_that_it_has(schemas: tuple[str, ...], sentence: str) -> None:
    asked = refused(*schemas)
    assert any(sentence in each for each in asked), asked


@pytest.mark.parametrize(
    ("status", "sentence"),
    [(503, "After new_code a charge counts as unknown."), (500, "comes with 500, at which the facade trusts no code.")],
)
def test_a_code_of_a_failing_portal_is_said_to_leave_a_charge_unknown(status: int, sentence: str) -> None:
    schema = NEW % "message: {type: string}"
    assert any(sentence in each for each in refused(schema, status=status))
    assert not any(sentence in each for each in refused(schema))
    assert not any(sentence in each for each in refused(schema.replace("new_code", "stripe_unavailable"), status=503))


@pytest.mark.parametrize(
    ("code", "status", "name"),
    [
        ("new_code", 404, "BillingNewCode"),
        ("new-code.2", 403, "BillingNewCode2"),
        ("state", 403, "BillingState"),
    ],
)
def test_the_class_of_a_new_code_is_asked_for_in_the_file_of_errors(code: str, status: int, name: str) -> None:
    answer = "{description: X., content: {application/json: {schema: <New>}}}"
    text = SCHEMAS.replace("{RESPONSES}", f"{{'{status}': {answer}}}")
    held = parsed(f"{text}    New: {{properties: {{error: {{const: {code}}}}}}}\n")
    (gap,) = [gap for gap in refusals.gaps(held) if f"There is no class for {code}." in gap.text]
    base = {403: "BillingAccessDenied", 404: "BillingError"}[status]
    there = ". There is a BillingState: give the new one another name, unless it is that" if code == "state" else ""
    assert gap.text.endswith(f"Add: class {name}({base}): with a docstring{there}")
    assert gap.place.startswith("nous_billing/errors.py")
    assert any(f'"{code}": ({status}, errors.{name}, ' in gap.text for gap in refusals.gaps(held))


@pytest.mark.parametrize("answer", ["{description: X.}", "{description: X., content: {text/html: {}}}"])
def test_a_refusal_that_says_nothing_is_refused(answer: str) -> None:
    held = parsed(SCHEMAS.replace("{RESPONSES}", f"{{'404': {answer}, '500': {answer}}}"))
    sentences = [gap.text for gap in refusals.gaps(held) if "without a code" in gap.text]
    assert sentences == [
        "delete_x answers 404 without a code. Give each code a schema of its own under components/schemas, with error: "
        "{const: the_code}."
    ]


def test_the_place_of_a_name_is_that_of_the_whole_name_whatever_is_in_it() -> None:
    held = Contract(f"{SCHEMAS}    CardxV2: {{}}\n    Card.V2:\n      properties:\n        'price(usd': {{}}\n")
    lines = len(SCHEMAS.splitlines())
    assert held.place("Card.V2") == f"openapi/nous-portal-billing.yaml:{lines + 2}"
    assert held.place("Card.V2", "price(usd") == f"openapi/nous-portal-billing.yaml:{lines + 4}"


def test_the_place_of_an_operation_is_not_a_link_to_it() -> None:
    link = "{'200': {description: X., links: {next: {\n            operationId: delete_y\n          }}}}"
    other = "  /y:\n    get:\n      operationId: delete_y\n      responses: {}\ncomponents:"
    held = Contract(SCHEMAS.replace("{RESPONSES}", link).replace("components:", other))
    assert held.place("delete_y") == "openapi/nous-portal-billing.yaml:12"


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("operationId: delete_y", "delete_y"),
        ("operationRef: '#/paths/~1y/get'", "#/paths/~1y/get"),
        ("operationId: delete_x, parameters: {id: $response.body#/id}", "id of delete_x"),
        ("operationId: delete_x, parameters: {path.id: $response.body#/id}", "path.id of delete_x"),
        ("operationId: delete_x, parameters: {query.of: a}", None),
    ],
)
def test_a_link_to_what_is_not_there_is_refused(link: str, target: str | None) -> None:
    answers = f"{{'200': {{description: X., links: {{next: {{{link}}}}}}}}}"
    held = with_more(PARAMETER % ("of", "query"), answers)
    found = [each for each in said(operations.gaps(held)) if " links to " in each]
    assert found == (
        [] if target is None else [f"{PLACE} delete_x links to {target}, which the contract does not have."]
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-01-02", "2026-01-02"),
        ("on", "on"),
        ("[NO, yes]", ["NO", "yes"]),
        ("12:30", "12:30"),
        ("1e3", 1000.0),
        ("007", 7),
        ("{404: true, ~: null}", {"404": True, "null": None}),
    ],
)
def test_a_document_is_read_as_the_linter_reads_it(text: str, value: object) -> None:
    assert parse(text) == value


def test_one_code_at_two_statuses_is_one_row_that_says_both(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = "{description: X., content: {application/json: {schema: {$ref: '#/components/schemas/Revoked'}}}}"
    text = SCHEMAS.replace("{RESPONSES}", f"{{'401': {answer}, '403': {answer}}}")
    held = Contract(f"{text}    Revoked: {{properties: {{error: {{const: session_revoked}}}}}}\n")

    def asked() -> list[str]:
        return [gap.text for gap in refusals.gaps(held) if "session_revoked comes" in gap.text]

    assert asked() == ["session_revoked comes with 401 and 403. Write (401, 403) in the place of 401."]
    monkeypatch.setitem(REFUSALS, "session_revoked", ((401, 403), *REFUSALS["session_revoked"][1:]))
    assert asked() == []
