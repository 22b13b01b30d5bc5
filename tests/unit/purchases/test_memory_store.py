"""Purchases without a store: for as long as a client lives."""

from dataclasses import replace

import pytest

from nous_billing.errors import BillingIdempotencyConflict, BillingPurchaseUncertain
from nous_billing.purchases.purchase import MemoryStore
from tests.unit.shop import ACCEPTED, KEY, LOST, SENDING, UNSENT, kinds


def bought(shop, client, amount="50"):
    purchase = client._new_purchase(amount, KEY)
    return shop.run(client._buying(purchase, None, None, None, None, 2.0, 300.0).buy())


def test_without_a_store_a_client_goes_on_with_what_it_remembers_and_then_with_its_receipt(shop):
    client = shop.client
    shop.portal.posted = [LOST] * 4
    assert type(bought(shop, client).error) is BillingPurchaseUncertain
    assert type(bought(shop, client, "60").error) is BillingIdempotencyConflict
    settled = bought(shop, client).result
    assert (settled.status, len(shop.portal.charges)) == ("settled", 1)
    again = bought(shop, client)
    assert (again.result, kinds(again)) == (settled, ["RunBlocking"])
    assert type(bought(shop, client, "60").error) is BillingIdempotencyConflict


def test_without_a_store_another_client_remembers_nothing_of_it(shop):
    shop.portal.posted = [UNSENT] * 4
    bought(shop, shop.client)
    assert kinds(bought(shop, shop.client)).count("POST /api/billing/charge") == 1


def test_without_a_store_a_client_resumes_what_it_remembers(shop):
    client = shop.client
    shop.portal.posted = [LOST] * 4
    bought(shop, client)
    (outcome,) = shop.run(client._resuming(None, None, None, 2.0, 300.0)).result
    assert (type(outcome), outcome.key) == (BillingPurchaseUncertain, KEY)


def test_a_memory_keeps_a_purchase_only_in_its_turn():
    store = MemoryStore()
    assert store.save(replace(SENDING, revision=2)) is False
    assert store.save(replace(SENDING, revision=0)) is False
    assert store.load() == []
    assert store.save(SENDING) is True
    assert store.save(SENDING) is False
    assert store.save(replace(SENDING, revision=3)) is False
    assert (store.load(KEY), store.load(), store.load("another")) == ([SENDING], [SENDING], [])
    assert store.save(ACCEPTED) is True
    assert store.load(KEY) == [ACCEPTED]


@pytest.mark.parametrize("status", ["settled", "failed", "not_made"])
def test_a_memory_finds_what_has_ended_by_its_key_and_does_not_list_it(status):
    store = MemoryStore()
    store.save(SENDING)
    ended = replace(ACCEPTED, status=status)
    assert store.save(ended) is True
    assert (store.load(KEY), store.load()) == ([ended], [])


def test_a_memory_keeps_the_last_thousand_that_have_ended_and_all_that_have_not():
    store = MemoryStore()
    for number in range(3):
        store.save(replace(SENDING, key=f"open-{number}"))
    for number in range(1000):
        store.save(replace(ACCEPTED, key=f"ended-{number}", status="settled", revision=1))
    assert store.load("ended-0") != []
    store.save(replace(ACCEPTED, key="ended-1000", status="failed", revision=1))
    assert store.load("ended-0") == []
    assert all(store.load(f"ended-{number}") for number in range(1, 1001))
    assert len(store.load()) == 3
