"""Purchases, and the files of a directory of them, for the tests of what is kept."""

import errno
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from nous_billing.purchases.purchase import Purchase
from tests.unit.shop import KEY

FIRST = Purchase(
    key=KEY,
    amount_usd=Decimal(50),
    started_at=datetime(2025, 1, 1, tzinfo=UTC),
    portal_base_url="https://preview.example",
    organisation_id="org_1",
    organisation_name="Acme",
    revision=1,
)
SECOND = replace(FIRST, status="pending", charge_id="ch_1", revision=2)
THIRD = replace(SECOND, status="settled", added_usd=Decimal(50), revision=3)
OTHER = replace(FIRST, key="key-2", started_at=datetime(2024, 1, 1, tzinfo=UTC))


def save_all(store, *purchases):
    """Save each of them."""
    assert [store.save(purchase) for purchase in purchases] == [True] * len(purchases)


def only_file(store):
    """The one file of a purchase, wherever it lies."""
    (file,) = store.path.rglob("*.json")
    return file


def mode(path):
    """The permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def full(*_, **__):
    """What a full disk says to anything."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
