"""Two calls at the same purchase at the same time, of which one is refused and the other dies."""

import pytest

from nous_billing import (
    BillingClient,
    BillingIdempotencyConflict,
    BillingInvalidRequest,
    BillingPurchaseStoreError,
    BillingPurchaseUncertain,
    BillingRateLimited,
    PurchaseDirectory,
    StaticToken,
    new_idempotency_key,
)
from nous_billing.mock import Fault, MockPortal
from tests.chaos.clock import ShortNaps

KEY = new_idempotency_key()
REFUSED = Fault.reply(429, {"error": "rate_limited"})


@pytest.fixture
def portal():
    portal = MockPortal(settle_after=0)
    with portal.serve():
        yield portal
    assert portal.violations == []


class Meanwhile(PurchaseDirectory):
    """Lets another call happen just before this one saves a purchase with a certain status."""

    def __init__(self, path, status, other_call):
        super().__init__(path)
        self._status = status
        self._other_call = other_call

    def save(self, purchase):
        if purchase.status == self._status and self._other_call is not None:
            other_call, self._other_call = self._other_call, None
            other_call()
        return super().save(purchase)


class FoundNothing(PurchaseDirectory):
    """Looked before the other call had saved anything."""

    looked = False

    def load(self, key=None):
        if not self.looked:
            self.looked = True
            return []
        return super().load(key)


def buy(portal, store, amount="50", person=None):
    source = StaticToken(portal.issue_token(person))
    with BillingClient(source, base_url=portal.url, clock=ShortNaps()) as client:
        return client.buy_credits(amount, idempotency_key=KEY, store=store)


def buy_and_lose_every_reply(portal, store):
    portal.inject(Fault.drop(acts=True), "post_charge", times=4)
    with pytest.raises(BillingPurchaseUncertain):
        buy(portal, store)


def test_a_refusal_does_not_settle_what_another_call_has_sent_meanwhile(portal, tmp_path):
    portal.inject(REFUSED, "post_charge")
    store = Meanwhile(tmp_path, "not_made", lambda: buy_and_lose_every_reply(portal, tmp_path))
    with pytest.raises(BillingPurchaseUncertain):
        buy(portal, store)
    assert [charge.status for charge in portal.organisation.charges] == ["settled"]
    (kept,) = PurchaseDirectory(tmp_path).load()
    assert kept.status == "sending"
    portal.clock.advance(3600)
    assert buy(portal, tmp_path).charge_id == portal.organisation.charges[0].id
    assert len(portal.organisation.charges) == 1


def test_a_refusal_does_not_settle_what_a_call_that_began_at_once_has_sent_meanwhile(portal, tmp_path):
    portal.inject(REFUSED, "post_charge")
    store = Meanwhile(tmp_path, "not_made", lambda: buy_and_lose_every_reply(portal, FoundNothing(tmp_path)))
    with pytest.raises(BillingPurchaseUncertain):
        buy(portal, store)
    assert [charge.status for charge in portal.organisation.charges] == ["settled"]
    (kept,) = PurchaseDirectory(tmp_path).load()
    assert kept.status == "sending"


def test_two_calls_that_begin_at_once_with_two_amounts_make_one_charge(portal, tmp_path):
    store = Meanwhile(tmp_path, "sending", lambda: buy(portal, tmp_path))
    with pytest.raises(BillingIdempotencyConflict):
        buy(portal, store, amount="60")
    assert [str(charge.amount) for charge in portal.organisation.charges] == ["50"]
    assert PurchaseDirectory(tmp_path).load(KEY)[0].status == "settled"


def test_two_calls_that_begin_at_once_in_two_organisations_make_one_charge(portal, tmp_path):
    other = portal.add_organisation("Other")
    store = Meanwhile(tmp_path, "sending", lambda: buy(portal, tmp_path))
    with pytest.raises(BillingInvalidRequest, match="started for Acme"):
        buy(portal, store, person=portal.add_person("Bob", other))
    assert len(portal.organisation.charges) == 1
    assert other.charges == []


def test_a_call_that_began_at_once_and_came_later_takes_the_charge_of_the_first(portal, tmp_path):
    first = buy(portal, tmp_path)
    second = buy(portal, FoundNothing(tmp_path))
    assert (second.status, second.charge_id) == ("settled", first.charge_id)
    assert len(portal.organisation.charges) == 1


def test_a_purchase_whose_file_is_removed_meanwhile_is_saved_anew(portal, tmp_path):
    portal.inject(REFUSED, "post_charge")
    with pytest.raises(BillingRateLimited):
        buy(portal, tmp_path)
    (file,) = tmp_path.rglob("*.json")
    bought = buy(portal, Meanwhile(tmp_path, "sending", file.unlink))
    assert (bought.status, bought.revision) == ("settled", 3)


def test_a_store_that_keeps_nothing_sends_nothing(portal):
    class Forgetful:
        def load(self, key=None):
            return []

        def save(self, purchase):
            return False

    # It says that another call has saved the purchase.
    with pytest.raises(BillingPurchaseUncertain) as caught:
        buy(portal, Forgetful())
    assert isinstance(caught.value.__cause__, BillingPurchaseStoreError)
    assert portal.organisation.charges == []
