"""Purchases without a store: for as long as a process lives."""

from dataclasses import replace

import pytest

from nous_billing.errors import BillingIdempotencyConflict, BillingPurchaseUncertain
from nous_billing.purchases.memory import MemoryStore
from tests.unit.shop import ACCEPTED, EACH_REFUSAL, KEY, LOST, SENDING


@pytest.fixture
def shop(shop):
    shop.store = None
    return shop


def test_without_a_store_each_client_of_the_process_goes_on_with_the_purchase_and_then_with_its_receipt(shop):
    shop.portal.posted = [LOST] * 4
    assert type(shop.buy().error) is BillingPurchaseUncertain
    assert type(shop.buy("60").error) is BillingIdempotencyConflict
    settled = shop.buy().result
    assert (settled.status, len(shop.portal.charges)) == ("settled", 1)
    count = len(shop.portal.posts)
    assert (shop.buy().result, len(shop.portal.posts)) == (settled, count)
    assert type(shop.buy("60").error) is BillingIdempotencyConflict
    shop.token = "elsewhere"
    assert shop.buy().error.error == "wrong_organisation"


@EACH_REFUSAL
def test_a_refusal_told_to_another_client_does_not_settle_what_the_first_has_lost(shop, refusal):
    shop.portal.posted = [LOST] * 4
    shop.buy()
    shop.portal.posted = [refusal]
    error = shop.buy().error
    assert (type(error), error.outcome_unknown) == (BillingPurchaseUncertain, True)
    assert error.last_error.status == refusal.status


def test_without_a_store_a_client_resumes_what_the_process_remembers(shop):
    shop.portal.posted = [LOST] * 4
    shop.buy()
    (outcome,) = shop.resume().result
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


def test_a_memory_keeps_what_has_ended_just_now_however_long_ago_it_was_begun():
    store = MemoryStore()
    store.save(SENDING)
    for number in range(1000):
        store.save(replace(ACCEPTED, key=f"ended-{number}", status="settled", revision=1))
    store.save(replace(ACCEPTED, status="settled"))
    assert store.load(KEY) != []
    assert store.load("ended-0") == []
