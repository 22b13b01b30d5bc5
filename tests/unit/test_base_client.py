"""What both clients check and reckon before anything is sent."""

import sys

import pytest

from nous_billing._base_client import BaseClient
from nous_billing._base_purchasing import BasePurchasing
from nous_billing.credentials import StaticToken
from nous_billing.errors import BillingInvalidRequest, BillingPurchaseStoreError
from nous_billing.protocol import operations
from tests.unit.drive import credentials


@pytest.mark.parametrize("bare", ["token-1", b"token-1", {"access_token": "token-1"}, StaticToken])
def test_a_bare_value_is_no_source_of_credentials_and_is_not_shown(clock, bare):
    with pytest.raises(BillingInvalidRequest) as caught:
        BaseClient(bare, None, 15.0, clock)
    assert caught.value.error == "invalid_credentials"
    kind = "the class StaticToken" if bare is StaticToken else type(bare).__name__
    assert str(caught.value) == f"credentials must be a credential source such as StaticToken(token), not {kind}."


@pytest.mark.parametrize(("timeout", "deadline"), [(None, 1015.0), (3, 1003.0)])
def test_a_call_has_the_time_that_the_client_has_unless_it_says_otherwise(clock, timeout, deadline):
    client = BasePurchasing(StaticToken("token-1"), None, 15.0, clock)
    assert next(client._exchange(operations.get_billing_state(), timeout)).deadline == deadline


def test_what_is_no_length_of_time_is_refused_for_a_call_too(clock):
    client = BasePurchasing(StaticToken("token-1"), None, 15.0, clock)
    with pytest.raises(BillingInvalidRequest, match=r"^timeout must be"):
        client._exchange(operations.get_billing_state(), 0)


@pytest.mark.parametrize(
    ("base_url", "timeout", "named"), [("http://evil.example", 15.0, "base_url"), (None, 0, "timeout")]
)
def test_an_argument_that_cannot_be_used_is_refused_by_its_name(clock, base_url, timeout, named):
    with pytest.raises(BillingInvalidRequest, match=f"^{named} (must be|'http)"):
        BaseClient(StaticToken("token-1"), base_url, timeout, clock)


@pytest.mark.parametrize(("interval", "cap", "named"), [(0, 300.0, "interval"), (2.0, 0, "cap")])
def test_a_wait_of_no_length_is_refused_by_its_name_before_a_purchase_begins(shop, interval, cap, named):
    with pytest.raises(BillingInvalidRequest, match=f"^{named} must be"):
        shop.buying(interval=interval, cap=cap)
    with pytest.raises(BillingInvalidRequest, match=f"^{named} must be"):
        shop.client._resuming(None, None, None, interval, cap)


class OnlyLoads:
    load = None


class OnlySaves:
    save = None


@pytest.mark.parametrize("store", [5, OnlyLoads(), OnlySaves()])
def test_what_is_no_store_is_refused_by_its_type(shop, store):
    shop.store = store
    with pytest.raises(BillingInvalidRequest) as caught:
        shop.buying()
    assert str(caught.value) == f"store must be a path or a PurchaseStore, not {type(store).__name__}."


def test_the_address_and_the_time_of_a_client_are_those_of_its_waits_and_purchases(clock):
    client = BasePurchasing(StaticToken("token-1"), "https://own.example/", 7.0, clock)
    purchase = client._new_purchase("50", "key-1")
    for flow, begin in (
        (client._settlement("ch_1", 2.0, 300.0, None, None), next),
        (client._buying(purchase, None, None, None, None, 2.0, 300.0).buy(), begin_buying),
    ):
        assert begin(flow).deadline == 1007.0
        assert flow.send(credentials()).base_url == "https://own.example"


def begin_buying(flow):
    next(flow)
    flow.send([])
    return flow.send(None)


def test_a_store_whose_modules_cannot_be_loaded_is_a_store_that_cannot_be_read(clock, monkeypatch, tmp_path):
    client = BasePurchasing(StaticToken("token-1"), None, 15.0, clock)
    monkeypatch.setitem(sys.modules, "nous_billing.purchases.directory", None)
    with pytest.raises(BillingPurchaseStoreError, match="its modules cannot be loaded") as caught:
        client._store(tmp_path)
    assert caught.value.outcome_unknown
