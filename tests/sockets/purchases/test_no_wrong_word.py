"""Nothing that a person is told of a purchase is wrong, whatever the portal, the login or the caller does."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

import nous_billing as nb
from nous_billing import PurchaseDirectory, StaticToken
from nous_billing.mock import Fault, MockPortal
from tests.registry import KEY
from tests.sockets.harness import Kind
from tests.sockets.shop import AMOUNT, Renewing, Shop


@pytest.fixture
def shop(client_kind, mock_portal, tmp_path):
    return Shop(client_kind, mock_portal, tmp_path)


LIMITED = Fault.reply(429, {"error": "rate_limited"}, {"retry-after": "1800"})
CONFLICT = Fault.reply(409, {"error": "idempotency_conflict"})
with_or_without_store = pytest.mark.parametrize("with_store", [True, False], ids=["store", "memory"])


# --- The same key in another client


def test_without_a_store_another_client_is_not_told_that_nothing_failed(shop):
    shop.portal.inject(Fault.drop(acts=True), "post_charge", times=4)
    assert type(shop.press(shop.client(), store=None)) is nb.BillingPurchaseUncertain
    shop.portal.inject(LIMITED, "post_charge")
    error = shop.press(shop.client(), store=None)
    assert (type(error), type(error.last_error)) == (nb.BillingPurchaseUncertain, nb.BillingRateLimited)
    assert "No payment failed" not in str(error)
    shop.assert_paid(shop.press(shop.client(), store=None))
    shop.assert_one_charge(posts=6)


@with_or_without_store
@pytest.mark.parametrize("fault", [CONFLICT, LIMITED], ids=["409", "429"])
def test_after_a_lost_post_of_this_very_call_a_409_and_a_429_leave_it_not_known(fault, with_store, shop):
    shop.portal.inject(Fault.drop(acts=True), "post_charge")
    shop.portal.inject(fault, "post_charge")
    store = {} if with_store else {"store": None}
    client = shop.client()
    error = shop.press(client, **store)
    assert (type(error), error.outcome_unknown, error.status) == (nb.BillingPurchaseUncertain, True, fault.status)
    for sentence in ("another amount", "Nothing more was charged", "No payment failed"):
        assert sentence not in str(error)
    (left,) = client.resume_purchases(shop.folder if with_store else None)
    assert type(left) is nb.BillingPurchaseUncertain
    shop.assert_paid(shop.press(client, **store))


@with_or_without_store
def test_twenty_presses_at_once_cost_one_post(with_store, shop):
    def press(client):
        return client.buy_credits(AMOUNT, idempotency_key=KEY, store=shop.folder if with_store else None, interval=0.5)

    # In real time: a call that waits for another lets it go on meanwhile.
    shop.portal.settle_after = 0
    client = shop.client(clock=None)
    client.get_billing_state()
    outcomes = shop.kind.at_once(client, *[press] * 20)
    assert {getattr(outcome, "status", outcome) for outcome in outcomes} == {"settled"}
    assert len({outcome.charge_id for outcome in outcomes}) == 1
    shop.assert_one_charge(posts=1)


# --- Two charges for one key


def test_two_charges_for_one_key_are_both_kept_and_said(shop, tmp_path):
    told = []

    def second():
        kind = Kind(shop.kind.name)
        try:
            another = Shop(kind, shop.portal, tmp_path)
            another.assert_paid(another.press(another.client()))
        finally:
            kind.close()
        shop.portal.inject(Fault.reply(202, {"chargeId": "ch_another"}), "post_charge")

    def hear(progress):
        told.append(progress)
        if len(told) == 1:
            # An event loop is running in this thread already.
            with ThreadPoolExecutor(1) as pool:
                pool.submit(second).result(10)

    client = shop.client()
    error = shop.press(client, on_progress=hear)
    first = shop.portal.organisation.charges[0].id
    assert (type(error), error.charge_ids, error.outcome_unknown) == (
        nb.BillingDuplicateCharge,
        (first, "ch_another"),
        True,
    )
    assert f"{first}, ch_another" in str(error)
    assert [type(seen) for seen in told if isinstance(seen, nb.BillingError)] == [nb.BillingDuplicateCharge]
    assert (shop.kept().charge_id, shop.kept().other_charge_ids) == (first, ("ch_another",))
    assert type(shop.press(client)) is nb.BillingDuplicateCharge


def test_another_amount_than_was_asked_for_is_said_in_the_purchase(shop):
    settled = {"status": "settled", "amountUsd": "500", "settledAt": "2026-06-13T10:00:00Z"}
    shop.portal.inject(Fault.reply(200, settled), "get_charge_status")
    purchase = shop.press(shop.client())
    assert (purchase.status, str(purchase.added_usd), purchase.discrepancies) == ("settled", "500", ("other_amount",))
    assert shop.kept() == purchase


# --- What was confirmed, and who asks


def test_what_was_shown_and_confirmed_is_what_is_charged_or_nothing_is_sent(shop):
    other = shop.portal.add_organisation("Other Inc", balance="0")
    source = Renewing(shop.portal)
    client = shop.client(source, base_url=None)
    state = client.get_billing_state()
    source.log_in(shop.portal.add_person("Bob", other))
    for confirmed in (None, state.org.id):
        error = shop.press(client, organisation_id=confirmed)
        assert (type(error), error.error) == (nb.BillingInvalidRequest, "wrong_organisation")
        assert str(error).endswith("Nothing was sent.")
    assert (shop.posts(), shop.kept(), other.charges) == ([], None, [])
    assert client.get_billing_state().org.id == other.id
    assert shop.press(client).organisation_id == other.id


@with_or_without_store
def test_a_purchase_that_has_ended_is_told_to_its_organisation_and_portal_alone(with_store, shop):
    store = {} if with_store else {"store": None}
    paid = shop.press(shop.client(), **store)
    bob = shop.portal.add_person("Bob", shop.portal.add_organisation("Beta"))
    elsewhere = MockPortal()
    with elsewhere.serve():
        for credentials, url in (
            (shop.portal.issue_token(bob), shop.portal.url),
            (elsewhere.issue_token(), elsewhere.url),
        ):
            error = shop.press(shop.client(StaticToken(credentials), base_url=url), **store)
            assert (type(error), error.error) == (nb.BillingInvalidRequest, "wrong_organisation")
        assert elsewhere.organisation.charges == bob.organisation.charges == []
        offline = shop.client(StaticToken("token"), base_url=elsewhere.url)
    error = shop.press(offline, **store)
    assert (type(error), type(error.last_error)) == (nb.BillingPurchaseUncertain, nb.BillingNetworkError)
    assert "has ended" in str(error)
    assert paid.charge_id not in str(error)
    assert shop.press(shop.client(), **store) == paid


# --- A store of one's own, and what is very old


class Table(PurchaseDirectory):
    """Gives back dates without an offset, as a column without a zone does."""

    def load(self, key=None):
        for purchase in super().load(key):
            yield replace(purchase, started_at=purchase.started_at.replace(tzinfo=None)) if key != "good" else purchase


def test_a_store_that_loses_the_offset_of_a_date_is_named_and_keeps_back_no_other(shop):
    shop.portal.inject(Fault.drop(), "post_charge", times=4)
    shop.press(shop.client())
    table = Table(shop.folder)
    error = shop.press(shop.client(), store=table)
    (unread,) = shop.client().resume_purchases(table)
    for each in (error.last_error, unread):
        assert type(each) is nb.BillingPurchaseStoreError
        assert f"started_at of the purchase with the key {KEY} must be a datetime with a time zone" in str(each)
    shop.assert_posts(4)


def test_a_charge_that_the_portal_forgot_is_polled_once_at_each_start_and_sends_the_person_to_the_billing_page(shop):
    shop.press(shop.client())
    paid = shop.kept()
    forgotten = replace(
        paid, key="old", revision=1, status="pending", charge_id="ch_forgotten", settled_at=None, added_usd=None,
        started_at=paid.started_at - timedelta(days=40),
    )  # fmt: skip
    assert PurchaseDirectory(shop.folder).save(forgotten)
    for _ in range(2):
        shop.clock.sleeps.clear()
        (error,) = shop.client().resume_purchases(shop.folder)
        assert (type(error), error.is_too_old, shop.clock.sleeps) == (nb.BillingPurchaseUncertain, True, [])
        assert "as it does for a charge that it does not know. Look at the billing page" in str(error)
        assert "buy again" not in str(error)
    again = shop.press(shop.client(), key="old")
    assert (str(again), shop.clock.sleeps) == (str(error), [])


# --- The caller's own code


@pytest.mark.parametrize("name", ["cancelled", "on_progress"])
@pytest.mark.parametrize(
    "raised",
    [ZeroDivisionError(), nb.BillingRoleRequired("mine", status=403), nb.BillingAuthError("mine", status=401)],
    ids=lambda raised: type(raised).__name__,
)
def test_what_the_callers_code_raises_after_a_lost_post_is_the_callers_and_the_purchase_stays_open(name, raised, shop):
    shop.portal.inject(Fault.drop(acts=True), "post_charge")

    def fails(*_):
        if shop.posts():
            raise raised
        return False

    async def afails(*_):
        return fails()

    with pytest.raises(type(raised)) as caught:
        shop.client().buy_credits(
            AMOUNT, idempotency_key=KEY, store=shop.folder, **{name: afails if shop.kind.is_async else fails}
        )
    assert caught.value is raised
    assert (shop.kept().status, len(shop.ledger())) == ("sending", 1)
    shop.assert_paid(shop.press(shop.client()))
    shop.assert_one_charge(posts=2)
