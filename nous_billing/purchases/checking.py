"""Validates what a store returns, field by field: the store may be third-party code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import cast, get_args

from .._arguments import kind_of
from ..money import is_sum_of_money
from ..portal import is_same_portal
from .messages import not_read
from .purchase import Purchase, PurchaseStatus
from .refusals import wrong_organisation

_Check = Callable[[object], str | None]
"""Returns what a value should have been, or None if it is valid."""


def checked(item: object, key: str | None = None) -> Purchase:
    """Validate what a store returned, and return it.

    Raises:
        BillingPurchaseStoreError: It is not a valid purchase, or not the one with this key.
    """
    if not isinstance(item, Purchase):
        raise not_read(f"the store returned {kind_of(item)} instead of a Purchase")
    for field in fields(item):
        value = getattr(item, field.name)
        expected = _CHECKS[field.name](value)
        if expected is not None:
            which = f"{field.name} of the purchase with the key {_written(item.key)}"
            raise not_read(f"{which} must be {expected}, not {_shown(value)}")
    if key not in (None, item.key):
        raise not_read("the store returned a purchase with another key")
    if (item.charge_id is None) is not (item.status in ("sending", "not_made")):
        has = "no charge id" if item.charge_id is None else f"the charge id {item.charge_id}"
        raise not_read(f"the purchase with the key {item.key} is {item.status} and has {has}")
    return item


def check_same_organisation(begun: Purchase, now: Purchase) -> None:
    """Refuse to continue a purchase for another organisation or portal, if both sides are known.

    Raises:
        BillingInvalidRequest: ``error="wrong_organisation"``.
    """
    if not (begun.organisation_id and now.organisation_id):
        return
    is_same = is_same_portal(begun.portal_base_url, now.portal_base_url)
    if not is_same or begun.organisation_id != now.organisation_id:
        raise wrong_organisation(begun, now)


def _text(value: object) -> str | None:
    return None if isinstance(value, str) else "a str"


def _filled(value: object) -> str | None:
    return None if isinstance(value, str) and value else "a str that is not empty"


def _texts(value: object) -> str | None:
    items = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (None,)
    return "a tuple of str" if any(map(_filled, items)) else None


def _money(value: object) -> str | None:
    return None if isinstance(value, Decimal) and is_sum_of_money(value) else "a Decimal that is a sum of money"


def _moment(value: object) -> str | None:
    return None if isinstance(value, datetime) and value.utcoffset() is not None else "a datetime with a time zone"


def _status(value: object) -> str | None:
    return None if value in get_args(PurchaseStatus) else f"one of {', '.join(get_args(PurchaseStatus))}"


def _count(value: object) -> str | None:
    return None if type(value) is int and value > 0 else "an int above 0"


def _or_none(check: _Check) -> _Check:
    def checked(value: object) -> str | None:
        expected = None if value is None else check(value)
        return expected and f"{expected}, or None"

    return checked


_CHECKS: dict[str, _Check] = {
    "key": _filled,
    "amount_usd": _money,
    "started_at": _moment,
    "portal_base_url": _text,
    "organisation_id": _text,
    "organisation_name": _text,
    "status": _status,
    "charge_id": _or_none(_filled),
    "reason": _or_none(_text),
    "settled_at": _or_none(_moment),
    "added_usd": _or_none(_money),
    "other_charge_ids": _texts,
    "discrepancies": _texts,
    "revision": _count,
}


def _shown(value: object) -> str:
    if value is None:
        return "None"
    naive = isinstance(value, datetime) and value.utcoffset() is None
    return "one without" if naive else f"{_written(value)[:40]!r} ({type(value).__name__})"


def _written(value: object) -> str:
    try:
        return str(value)
    except RecursionError:
        return kind_of(value)
