"""A store of one's own is checked at the door, field by field."""

from dataclasses import fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from nous_billing.errors import BillingPurchaseStoreError, BillingPurchaseUncertain
from nous_billing.purchases.purchase import Purchase
from tests.unit.shop import ACCEPTED, KEY, SENDING, Shelf

NAIVE = datetime(2025, 6, 15)
MOMENT = "a datetime with a time zone"
MONEY = "a Decimal that is a sum of money"
FILLED = "a str that is not empty"

WRONG: list[tuple[str, Any, str]] = [
    ("amount_usd", "50", f"{MONEY}, not '50' (str)"),
    ("amount_usd", 50.0, f"{MONEY}, not '50.0' (float)"),
    ("amount_usd", 50, f"{MONEY}, not '50' (int)"),
    ("amount_usd", Decimal("NaN"), f"{MONEY}, not 'NaN' (Decimal)"),
    ("amount_usd", Decimal("1E+1000"), f"{MONEY}, not '1E+1000' (Decimal)"),
    ("added_usd", Decimal("1E-1000"), f"{MONEY}, or None, not '1E-1000' (Decimal)"),
    ("started_at", NAIVE, f"{MOMENT}, not one without"),
    ("started_at", "2025-06-15T10:00:00Z", f"{MOMENT}, not '2025-06-15T10:00:00Z' (str)"),
    ("started_at", None, f"{MOMENT}, not None"),
    ("portal_base_url", None, "a str, not None"),
    ("organisation_id", 1, "a str, not '1' (int)"),
    ("organisation_name", b"Acme", "a str, not \"b'Acme'\" (bytes)"),
    ("status", "SENDING", "one of sending, pending, settled, failed, not_made, not 'SENDING' (str)"),
    ("status", ["sending"], "one of sending, pending, settled, failed, not_made, not \"['sending']\" (list)"),
    ("charge_id", 1, f"{FILLED}, or None, not '1' (int)"),
    ("charge_id", "", f"{FILLED}, or None, not '' (str)"),
    ("reason", 0, "a str, or None, not '0' (int)"),
    ("settled_at", NAIVE, f"{MOMENT}, or None, not one without"),
    ("added_usd", 50.0, f"{MONEY}, or None, not '50.0' (float)"),
    ("other_charge_ids", ["ch_2"], "a tuple of str, not \"['ch_2']\" (list)"),
    ("other_charge_ids", ("",), "a tuple of str, not \"('',)\" (tuple)"),
    ("discrepancies", None, "a tuple of str, not None"),
    ("revision", "1", "an int above 0, not '1' (str)"),
    ("revision", True, "an int above 0, not 'True' (bool)"),
    ("revision", 0, "an int above 0, not '0' (int)"),
]
EACH_WRONG = pytest.mark.parametrize(("field", "value", "expected"), WRONG, ids=lambda value: str(value)[:20])


@EACH_WRONG
def test_a_field_that_is_not_what_it_must_be_is_named_with_the_key_and_nothing_is_sent(shop, field, value, expected):
    shop.store = Shelf()
    shop.store.kept[KEY] = replace(ACCEPTED, **{field: value})
    error = shop.buy().error
    assert (type(error), type(error.last_error)) == (BillingPurchaseUncertain, BillingPurchaseStoreError)
    assert str(error.last_error) == (
        f"The purchase could not be read: {field} of the purchase with the key key-1 must be {expected}. Nothing was "
        "sent."
    )
    assert (shop.portal.posts, shop.store.history) == ([], [])


@EACH_WRONG
def test_a_field_that_is_not_what_it_must_be_keeps_back_no_other_purchase(shop, field, value, expected):
    broken = replace(ACCEPTED, key="broken", **{field: value})
    shop.portal.charges["org_1", KEY] = ("ch_1", b"")
    vars(shop.store)["load"] = lambda key=None: [broken, ACCEPTED, broken] if key is None else Shelf(ACCEPTED).load(key)
    settled, *unread = shop.resume().result
    assert settled.status == "settled"
    assert [type(error) for error in unread] == [BillingPurchaseStoreError] * 2
    assert f"{field} of the purchase with the key broken must be {expected}." in str(unread[0])


@pytest.mark.parametrize("key", [5, "", None])
def test_a_key_that_is_none_is_named(shop, key):
    vars(shop.store)["load"] = lambda key_=None: [replace(SENDING, key=key)]
    (unread,) = shop.resume().result
    assert f"key of the purchase with the key {key} must be a str that is not empty" in str(unread)


def test_each_field_of_a_purchase_is_checked():
    assert {field.name for field in fields(Purchase)} == {field for field, _, _ in WRONG} | {"key"}
