"""Values are read as annotations name them, and refused where they are of another type."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Context, Decimal, getcontext, localcontext
from typing import Any, Literal

import pytest

from nous_billing import errors
from nous_billing.errors import BillingError
from nous_billing.models import Bounds, ChargeFailed, ChargeId, ChargePending, ChargeSettled, Number, PortalUrl
from nous_billing.protocol.annotations import field_types, is_constant, object_fields, wire_name
from nous_billing.protocol.decoding import ContractBreach, read
from nous_billing.protocol.error_codes import CLASSES, REFUSALS
from nous_billing.protocol.replies import decode_json
from tests.unit.drive import PREVIEW

MOMENT = datetime(2026, 6, 13, 10, tzinfo=UTC)
BOUNDS = {"minUsd": "1", "maxUsd": "2.50"}
STATUS = ChargePending | ChargeSettled | ChargeFailed


@dataclass(frozen=True, kw_only=True)
class Wallet:
    kind: Literal["wallet"]
    email: str | None = None


@dataclass(frozen=True, kw_only=True)
class Saved:
    kind: Literal["card"]
    last4: str


@dataclass(frozen=True, kw_only=True)
class Other:
    kind: str
    raw: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Invoice:
    invoice_id: str


@dataclass(frozen=True, kw_only=True)
class Note:
    text: str | None = None


@dataclass(frozen=True, kw_only=True)
class Receipt:
    receipt_id: str
    portal_url: PortalUrl
    recovery_url: PortalUrl | None = None


METHODS = Wallet | Saved | Other


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (str, '"x"', "x"),
        (bool, "false", False),
        (int, "3", 3),
        (int, "3.0", 3),
        (int, "3e2", 300),
        (Number, "1.50", Decimal("1.50")),
        (Number, "3", Decimal(3)),
        (Number, "1e64", Decimal("1e64")),
        (Decimal, '"142.50"', Decimal("142.50")),
        (datetime, '"2026-06-13T10:00:00Z"', MOMENT),
        (datetime | None, '"2026-06-13t10:00:00z"', MOMENT),
        (datetime | None, '"2026-06-30T23:59:60Z"', None),
        (datetime | None, '"2026-06-13T10:00:00"', None),
        (datetime | None, "5", None),
        (Literal["a"], '"a"', "a"),
        (Literal[True], "true", True),
        (Literal[3], "3", 3),
        (Literal[3] | None, "null", None),
        (str | None, "null", None),
        (str | int, "3", 3),
        (str | int, '"x"', "x"),
        (int | tuple[str, ...], '["a"]', ("a",)),
        (ChargeId | Number, '"ch_1"', "ch_1"),
        (Decimal | Number, "2", Decimal(2)),
        (Decimal | Literal[True], "true", True),
        (dict[str, int] | bool, '{"a": 1}', {"a": 1}),
        (PortalUrl, '"/billing"', f"{PREVIEW}/billing"),
        (PortalUrl, '"javascript:alert(1)"', f"{PREVIEW}/billing?topup=open"),
        (PortalUrl | None, '"//evil.example"', None),
        (ChargeId, '"ch_1"', "ch_1"),
        (Bounds, json.dumps(BOUNDS), Bounds(min_usd=Decimal(1), max_usd=Decimal("2.50"))),
        (Bounds | None, "null", None),
        (tuple[Decimal | None, ...], '["1", null]', (Decimal(1), None)),
        (tuple[tuple[str, ...], ...] | None, '[["a"], []]', (("a",), ())),
        (tuple[datetime | None, ...], '["2026-06-13T10:00:00Z", "soon"]', (MOMENT, None)),
        (dict[str, Decimal], '{"a": "1"}', {"a": Decimal(1)}),
        (dict[str, Any], '{"a": [0.5]}', {"a": [Decimal("0.5")]}),
        (Any, "null", None),
        (int, "20.0", 20),
        (int, "1e40", 10**40),
        (Literal["a"] | ChargeId, '"a"', "a"),
        (
            STATUS,
            '{"status": "failed", "reason": "x"}',
            ChargeFailed(reason="x", raw={"status": "failed", "reason": "x"}),
        ),
        (STATUS, '{"status": "new"}', ChargePending(status="new", raw={"status": "new"})),
        (METHODS, '{"kind": "wallet"}', Wallet(kind="wallet")),
        (METHODS, '{"kind": "card", "last4": "4242"}', Saved(kind="card", last4="4242")),
        (METHODS, '{"kind": "cash", "last4": 1}', Other(kind="cash", raw={"kind": "cash", "last4": 1})),
        (Invoice | Receipt, '{"invoiceId": "i"}', Invoice(invoice_id="i")),
        (Invoice | Note, "{}", Note()),
        # A map fits every object, and a class that asks for nothing is still the better choice.
        (dict[str, Any] | Note, '{"text": "t"}', Note(text="t")),
        (
            Invoice | Receipt,
            '{"receiptId": "r", "recoveryUrl": "/r"}',
            Receipt(receipt_id="r", portal_url=f"{PREVIEW}/billing?topup=open", recovery_url=f"{PREVIEW}/r"),
        ),
    ],
)
def test_a_value_is_read_as_its_annotation_says(kind, text, value):
    with localcontext(Context(prec=1, traps=list(getcontext().flags))):
        got = read(kind, decode_json(text.encode()), PREVIEW)
    assert (type(got), got, str(got)) == (type(value), value, str(value))


@pytest.mark.parametrize(
    ("kind", "text", "breach"),
    [
        (str, "5", "x is a whole number instead of a string"),
        (str, "null", "x is null instead of a string"),
        (bool, "1", "x is a whole number instead of true or false"),
        (bool, '"true"', "x is a string instead of true or false"),
        (int, "true", "x is true or false instead of a whole number"),
        (int, "1.5", "x is not a whole number"),
        (int, "1e999999", "x is not a number of a supported size"),
        (Number, '"1"', "x is not a number of a supported size"),
        (Number, "true", "x is not a number of a supported size"),
        (Number, "1e999999", "x is not a number of a supported size"),
        (Number, "9" * 100, "x is not a number of a supported size"),
        (Decimal, "5", "x is not a decimal string of dollars"),
        (Decimal, '"1e5"', "x is not a decimal string of dollars"),
        (datetime, '"2026-06-13T10:00:00"', "x is not a date and time with an offset"),
        (Literal["a", "b"], '"c"', "x is not 'a' or 'b'"),
        (Literal[True], "1", "x is not True"),
        (Literal[1], "true", "x is not 1"),
        (str | int, "[]", "x is a list, which the contract does not allow"),
        (tuple[str, ...], '["a", 5]', "x[1] is a whole number instead of a string"),
        (tuple[str, ...], '"a"', "x is a string instead of a list"),
        (dict[str, Decimal], '{"a": 1}', "x.a is not a decimal string of dollars"),
        (dict[str, Decimal], "[]", "x is a list instead of an object"),
        (ChargeId, '".."', "x is not an id that can be sent back"),
        (Bounds, '{"minUsd": "1"}', "x.maxUsd is missing"),
        (Bounds | None, '{"minUsd": "1", "maxUsd": null}', "x.maxUsd is not a decimal string of dollars"),
        # Its constant says which it is meant to be: it is no other for being broken.
        (STATUS, '{"status": "settled", "amountUsd": "x"}', "x.amountUsd is not a decimal string of dollars"),
        (STATUS, "{}", "x.status is missing"),
        (METHODS, '{"kind": "card"}', "x.last4 is missing"),
        (Wallet | Saved, '{"kind": "cash"}', "x is an object, which the contract does not allow"),
        (Invoice | Receipt, '{"other": 1}', "x.invoiceId is missing"),
    ],
)
def test_a_value_of_another_type_breaks_the_contract_and_its_field_is_named(kind, text, breach):
    with pytest.raises(ContractBreach) as caught:
        read(kind, decode_json(text.encode()), PREVIEW, "x")
    assert str(caught.value) == breach


def test_what_a_breach_says_stays_short():
    with pytest.raises(ContractBreach) as caught:
        read(dict[str, Decimal], {"k" * 500_000: 1}, PREVIEW)
    assert len(str(caught.value)) < 200


def test_a_field_with_a_default_may_be_absent_and_one_that_may_be_none_may_be_null():
    kinds = {"min_usd": (Decimal, False), "max_usd": (Decimal, False)}
    assert object_fields(Bounds) == kinds
    assert object_fields(Receipt)["recovery_url"] == (PortalUrl | None, True)


@pytest.mark.parametrize(("name", "key"), [("min_usd", "minUsd"), ("last4", "last4"), ("id", "id")])
def test_a_field_has_the_key_of_its_name_in_camel_case(name, key):
    assert wire_name(name) == key


def test_true_and_one_are_two_constants():
    assert not is_constant(Literal[1], True)


@pytest.mark.parametrize("cls", [*CLASSES.values(), *(row[1] for row in REFUSALS.values())])
def test_every_field_of_an_error_can_be_read_and_is_none_where_it_is_absent(cls):
    assert cls is BillingError or all(getattr(cls, name) is None for name in field_types(cls))


def test_the_fields_of_an_error_are_read_as_those_of_a_result():
    assert field_types(errors.BillingMonthlyCapExceeded) == {
        "remaining_usd": Decimal | None,
        "is_default_ceiling": bool | None,
    }


@pytest.mark.parametrize("place", ["id", "org.id", "tiers[0].tierId"])
def test_an_id_is_kept_to_the_letter(place):
    assert read(str, "a\x1b[31m", PREVIEW, place) == "a\x1b[31m"


@pytest.mark.parametrize("place", ["name", "id.name", "orgid", "tierId.name"])
def test_a_text_for_a_person_is_kept_without_what_a_terminal_would_obey(place):
    assert "\x1b" not in read(str, "a\x1b[31m", PREVIEW, place)


@pytest.mark.parametrize("body", [b"[" * 100_000, b"1e" + b"9" * 30])
def test_json_that_cannot_be_held_is_refused_in_words(body):
    with pytest.raises(ValueError, match=r"^the JSON is nested too deeply or has a number that is too long$"):
        decode_json(body)
