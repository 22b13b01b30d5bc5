"""A directory of purchases that is not there yet."""

import pytest

from nous_billing.purchases.directory import PurchaseDirectory


@pytest.fixture
def store(tmp_path) -> PurchaseDirectory:
    return PurchaseDirectory(tmp_path / "a" / "purchases")
