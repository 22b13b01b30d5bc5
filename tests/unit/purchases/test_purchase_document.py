"""The file of a purchase: each field comes back as it was, and what is broken is said to be."""

import json
import os
from dataclasses import fields, replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nous_billing.errors import BillingPurchaseStoreError
from nous_billing.purchases.document import FORMAT, decode, encode
from nous_billing.purchases.purchase import Purchase
from tests.unit.purchases.kept import FIRST, SECOND, THIRD, only_file, save_all
from tests.unit.shop import KEY

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
MONEY = st.decimals(-1000, 1000, places=6)
MOMENTS = st.datetimes(timezones=st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes))))
KINDS = {
    str: TEXT,
    Decimal: MONEY,
    datetime: MOMENTS,
    str | None: st.none() | TEXT,
    Decimal | None: st.none() | MONEY,
    datetime | None: st.none() | MOMENTS,
    tuple[str, ...]: st.lists(TEXT, max_size=3).map(tuple),
}
# Of the other kinds hypothesis needs no advice. What a purchase gains later is among them.
PURCHASES = st.builds(
    Purchase, **{name: KINDS.get(kind, st.from_type(kind)) for name, kind in get_type_hints(Purchase).items()}
)


@settings(max_examples=100, deadline=None)
@given(PURCHASES)
def test_each_field_of_a_purchase_comes_back_as_it_was(purchase):
    found = decode(encode(purchase))
    assert found == purchase
    assert found.started_at.utcoffset() == purchase.started_at.utcoffset()
    assert str(found.amount_usd) == str(purchase.amount_usd)


def test_a_purchase_is_written_as_a_document_that_a_person_can_read(store):
    paid = replace(
        THIRD,
        amount_usd=Decimal("1E+2"),
        settled_at=FIRST.started_at,
        added_usd=Decimal("5E+1"),
        other_charge_ids=("ch_2",),
        discrepancies=("other_amount",),
    )
    save_all(store, FIRST, SECOND, paid)
    text = only_file(store).read_text()
    assert text.startswith('{\n "format": 2,\n "key": "key-1",\n')
    assert json.loads(text) == {
        "format": 2,
        "revision": 3,
        "key": KEY,
        "amount_usd": "100",
        "portal_base_url": "https://preview.example",
        "organisation_id": "org_1",
        "organisation_name": "Acme",
        "started_at": "2025-01-01T00:00:00+00:00",
        "status": "settled",
        "charge_id": "ch_1",
        "reason": None,
        "settled_at": "2025-01-01T00:00:00+00:00",
        "added_usd": "50",
        "other_charge_ids": ["ch_2"],
        "discrepancies": ["other_amount"],
    }


def document(**more):
    return {**json.loads(encode(SECOND)), **more}


def test_what_the_first_format_did_not_know_has_its_default():
    old = document(format=1)
    del old["other_charge_ids"], old["discrepancies"]
    assert decode(json.dumps(old).encode()) == SECOND


def test_a_field_that_is_not_known_is_no_obstacle():
    assert decode(json.dumps(document(more=1)).encode()) == SECOND


BROKEN = {
    "empty": b"",
    "cut": b'{"format": 1, "revi',
    "no-json": b"\xff\xfe",
    "null": b"null",
    "list": b"[]",
    "number": b"5",
    "text": b'"x"',
    "foreign": b'{"name": "package"}',
    "deep": b"[" * 100_000,
    "endless": b" " * 2**20 + b"{}",
}
CHANGED = {
    "format": [FORMAT + 1, 0, None, "1", True, 2.0],
    "status": ["sold", None, [], {}],
    "revision": [None, "1", 1.0, 1e999, True, [], {}],
    "key": [None, 5, "another"],
    "amount_usd": [None, 50, "fifty", "NaN", "1e5", "", []],
    "started_at": [None, 5, "yesterday", "2025-01-01T00:00:00"],
    "settled_at": [5, "never", "2025-01-01T00:00:00"],
    "added_usd": [5, "much"],
    "charge_id": [5, []],
    "reason": [5, {}],
    "portal_base_url": [None, 5],
    "organisation_id": [None, 5],
    "organisation_name": [None, []],
    "other_charge_ids": [None, "ch_2", [5], {}],
    "discrepancies": [None, ["odd"], [5]],
}


def check_broken(store, file):
    before = file.read_bytes()
    for work in (lambda: list(store.load()), lambda: store.load(KEY), lambda: store.save(SECOND)):
        with pytest.raises(BillingPurchaseStoreError) as caught:
            work()
        assert str(file) in str(caught.value)
        assert (caught.value.error, caught.value.outcome_unknown) == ("purchase_store_failed", True)
    assert file.read_bytes() == before


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_a_typed_error_that_names_it_and_is_left_as_it_is(store, content):
    store.save(FIRST)
    only_file(store).write_bytes(content)
    check_broken(store, only_file(store))


@pytest.mark.parametrize("name", ["format", *(field.name for field in fields(Purchase))])
def test_a_field_that_cannot_be_is_a_typed_error_that_names_the_file(store, name):
    store.save(FIRST)
    file = only_file(store)
    for value in CHANGED[name]:
        file.write_text(json.dumps({**document(), name: value}))
        check_broken(store, file)
    missing = document()
    del missing[name]
    file.write_text(json.dumps(missing))
    check_broken(store, file)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("format", FORMAT + 1, "a newer version of nous-billing wrote it; update this one"),
        ("format", "1", "it is not a purchase"),
        ("status", "sold", "status is 'sold'"),
        ("revision", "1", "revision is str, not int"),
        ("key", 5, "key is int, not str"),
        ("key", "another", "its file name does not match its key"),
        ("charge_id", [], "charge_id is list, not str"),
        ("settled_at", "2025-01-01T00:00:00", "settled_at has no offset from UTC"),
        ("added_usd", "much", "Not a decimal number of dollars: 'much'"),
        ("discrepancies", ["odd"], "discrepancies is 'odd'"),
    ],
)
def test_what_is_wrong_with_a_broken_file_is_said_with_what_to_do(store, name, value, reason):
    store.save(FIRST)
    file = only_file(store)
    file.write_text(json.dumps({**document(), name: value}))
    with pytest.raises(BillingPurchaseStoreError) as caught:
        store.load(KEY)
    assert str(caught.value) == (
        f"The purchase in {file} cannot be read: {reason}. It may have been made: look at the billing page, then fix "
        "or remove the file."
    )


def test_a_missing_field_is_named(store):
    store.save(FIRST)
    missing = document()
    del missing["amount_usd"]
    only_file(store).write_text(json.dumps(missing))
    with pytest.raises(BillingPurchaseStoreError, match=r"cannot be read: 'amount_usd' is missing\. It may"):
        store.load(KEY)


def test_a_file_that_says_nothing_of_what_is_wrong_is_named_with_the_kind_of_error(store, monkeypatch):
    store.save(FIRST)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", lambda descriptor: (_ for _ in ()).throw(OSError()))
        with pytest.raises(BillingPurchaseStoreError, match=r"cannot be read: OSError\. It may"):
            store.load(KEY)
