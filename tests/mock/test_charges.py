"""Charges: acceptance, settlement, replays, the cap."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.client import HTTPConnection

import httpx
import pytest

from nous_billing.mock import Card, Fault


def test_a_charge_is_accepted_then_pending_then_settled_and_only_then_raises_the_balance(portal, api):
    accepted = api.charge("50")
    assert accepted.status_code == 202
    charge_id = accepted.json()["chargeId"]
    portal.clock.advance(2.9)
    assert api.poll(charge_id).json() == {"status": "pending"}
    assert api.state().json()["balanceUsd"] == "100"
    portal.clock.advance(0.2)
    settled = api.poll(charge_id).json()
    assert settled["status"] == "settled"
    assert settled["amountUsd"] == "50"
    (charge,) = portal.organisation.charges
    assert charge.settled_at == charge.created_at + timedelta(seconds=3)
    assert abs(datetime.fromisoformat(settled["settledAt"]) - charge.settled_at) < timedelta(milliseconds=1)
    assert api.state().json()["balanceUsd"] == "150"
    assert portal.organisation.balance == Decimal(150)


def test_the_time_to_settle_can_be_set(portal, api):
    portal.settle_after = 0.0
    assert api.poll(api.charge().json()["chargeId"]).json()["status"] == "settled"


@pytest.mark.parametrize(
    ("last4", "reason"),
    [
        ("3155", "authentication_required"),
        ("9995", "card_declined"),
        ("0069", "payment_method_expired"),
        ("0119", "processing_error"),
    ],
)
def test_the_last_four_digits_decide_how_a_charge_fails(portal, api, last4, reason):
    portal.organisation.card = Card("visa", last4)
    charge_id = api.charge().json()["chargeId"]
    assert api.poll(charge_id).json() == {"status": "pending"}
    portal.clock.advance(3)
    assert api.poll(charge_id).json() == {"status": "failed", "reason": reason}
    (charge,) = portal.organisation.charges
    assert (charge.status, charge.reason, charge.settled_at) == ("failed", reason, None)
    assert portal.organisation.balance == 100


def test_the_ambiguous_card_charges_and_loses_the_first_reply_of_each_key(portal, api):
    portal.organisation.card = Card("visa", "0500")
    for key in ("first", "second"):
        with pytest.raises(httpx.RemoteProtocolError):
            api.charge(key=key)
        replay = api.charge(key=key)
        assert replay.status_code == 202
        assert portal.organisation.charges[-1].id == replay.json()["chargeId"]
    assert len(portal.organisation.charges) == 2
    assert portal.requests[0].status is None
    portal.clock.advance(3)
    assert portal.organisation.balance == 200


def test_the_same_key_and_amount_is_one_charge(portal, api):
    first = api.charge("50")
    for amount in ("50", "50.00", "5e1"):
        replay = api.charge(amount)
        assert replay.status_code == 202
        assert replay.json() == first.json()
    assert len(portal.organisation.charges) == 1


def test_the_same_key_with_another_amount_is_a_conflict(portal, api):
    api.charge("50")
    conflict = api.charge("51")
    assert conflict.status_code == 409
    assert conflict.json()["error"] == "idempotency_conflict"
    assert [charge.amount for charge in portal.organisation.charges] == [50]


def test_keys_belong_to_an_organisation(portal, api):
    other = portal.add_person("Bob", portal.add_organisation("Other"))
    first = api.charge("50", key="same").json()["chargeId"]
    second = api.charge("60", key="same", token=portal.issue_token(other))
    assert second.status_code == 202
    assert second.json()["chargeId"] != first


@pytest.mark.parametrize("charge_id", ["ch_unknown", "a%2Fb", "%2F", "a%0Ab", "%0A", "%C3%A9", "x" * 300, "%25"])
def test_an_unknown_id_is_pending_for_ever(portal, api, charge_id):
    portal.clock.advance(3600)
    token = portal.issue_token()
    reply = api.poll(charge_id, token)
    assert (reply.status_code, reply.json()) == (200, {"status": "pending"})


def test_a_foreign_id_is_pending_for_ever(portal, api):
    charge_id = api.charge().json()["chargeId"]
    portal.clock.advance(3)
    stranger = portal.issue_token(portal.add_person("Eve", portal.add_organisation("Other")))
    assert api.poll(charge_id).json()["status"] == "settled"
    assert api.poll(charge_id, stranger).json() == {"status": "pending"}


def test_cents_stay_exact(portal, api):
    portal.organisation.balance = Decimal("0.1")
    api.charge("10.20")
    portal.clock.advance(3)
    assert api.state().json()["balanceUsd"] == "10.3"
    assert portal.organisation.charges[0].amount == Decimal("10.20")


def test_a_balance_that_is_set_keeps_its_value_and_later_charges_add_to_it(portal, api):
    api.charge("50", key="a")
    portal.clock.advance(3)
    portal.organisation.balance = Decimal("-7.5")
    assert api.state().json()["balanceUsd"] == "-7.5"
    api.charge("50", key="b")
    portal.clock.advance(3)
    assert portal.organisation.balance == Decimal("42.5")


def test_the_default_ceiling_counts_pending_and_settled_charges_but_no_failed_ones(portal, api):
    api.charge("300", key="settled")
    portal.clock.advance(3)
    portal.organisation.card = Card("visa", "9995")
    api.charge("500", key="failed")
    portal.clock.advance(3)
    portal.organisation.card = Card("visa", "4242")
    api.charge("200", key="pending")
    over = api.charge("500.01", key="over")
    assert over.status_code == 403
    body = over.json()
    assert (body["error"], body["remainingUsd"], body["isDefaultCeiling"]) == ("monthly_cap_exceeded", "500", True)
    assert body["portalUrl"] == "/billing?topup=open"
    assert api.state().json()["monthlyCap"] == {
        "limitUsd": "1000",
        "spentThisMonthUsd": "500",
        "isDefaultCeiling": True,
    }
    assert [charge.key for charge in portal.organisation.charges] == ["settled", "failed", "pending"]


def test_the_organisations_own_cap_replaces_the_ceiling(portal, api):
    portal.organisation.monthly_cap = Decimal("62.5")
    assert api.charge("50").status_code == 202
    over = api.charge("12.51", key="over").json()
    assert (over["error"], over["remainingUsd"], over["isDefaultCeiling"]) == ("monthly_cap_exceeded", "12.5", False)
    portal.organisation.monthly_cap = Decimal("20")
    assert api.charge("10", key="under water").json()["error"] == "validation_failed"
    assert api.charge("10", key="under-water").json()["remainingUsd"] == "0"


def test_the_cap_is_of_the_calendar_month(portal, api):
    api.charge("990")
    assert api.charge("20", key="now").status_code == 403
    now = portal.clock.datetime()
    next_month = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)
    portal.clock.advance((next_month - now + timedelta(seconds=1)).total_seconds())
    token = portal.issue_token()
    assert api.charge("20", key="later", token=token).status_code == 202
    assert api.state(token).json()["monthlyCap"]["spentThisMonthUsd"] == "20"


def test_a_replay_of_the_charge_that_filled_the_cap_does_not_exceed_it(portal, api):
    first = api.charge("1000")
    assert first.status_code == 202
    assert api.charge("1000").json() == first.json()


def test_an_amount_outside_the_bounds_is_refused(portal, api):
    portal.organisation.bounds = (Decimal("20"), Decimal("30.5"))
    for amount in ("19.99", "30.51"):
        reply = api.charge(amount)
        assert (reply.status_code, reply.json()["error"]) == (400, "amount_out_of_bounds")
        assert "20 and 30.5 dollars" in reply.json()["message"]
    assert api.charge("20", key="a").status_code == api.charge("30.5", key="b").status_code == 202


@pytest.mark.parametrize(
    "amount",
    [
        "0",
        "-50",
        "50.001",
        "1000000.01",
        '"50"',
        "null",
        "true",
        "NaN",
        "Infinity",
        "1e999999999",
        "1e-999999999",
        "1e99999999999999999999",
        "9" * 5000,
        "5" + "0" * 100 + ".5",
        '50, "currency": "EUR"',
        '50} {"x": 1',
        "[" * 100_000,
        "",
    ],
)
def test_a_body_that_the_contract_does_not_allow_charges_nothing(portal, api, amount):
    reply = api.charge(amount)
    assert (reply.status_code, reply.json()["error"]) == (400, "validation_failed")
    assert reply.json()["message"].endswith(".")
    assert portal.organisation.charges == []


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b'\xef\xbb\xbf{"amountUsd": 50}', "application/json"),
        ('{"amountUsd": 50}'.encode("utf-16"), "application/json"),
        (b'{"amountUsd": 50}', "text/plain"),
        (b'{"amountUsd": 50, "\\ud800": 1}', "application/json"),
        (b"[]", "application/json"),
        (b"", "application/json"),
    ],
)
def test_a_body_that_is_not_plain_json_charges_nothing(portal, api, content, media_type):
    headers = {"Authorization": f"Bearer {api.token}", "Idempotency-Key": "k", "Content-Type": media_type}
    reply = api.client.post("/api/billing/charge", headers=headers, content=content)
    assert (reply.status_code, reply.json()["error"]) == (400, "validation_failed")
    assert portal.organisation.charges == []


@pytest.mark.parametrize("key", [None, "", "   "])
def test_without_a_key_nothing_is_charged(portal, api, key):
    # httpx does not send a blank header.
    headers = {"Authorization": f"Bearer {api.token}"} | ({} if key is None else {"Idempotency-Key": key})
    with closing(HTTPConnection(portal.url.removeprefix("http://"), timeout=5)) as connection:
        connection.request("POST", "/api/billing/charge", '{"amountUsd": 50}', headers)
        reply = connection.getresponse()
        assert (reply.status, json.load(reply)["error"]) == (400, "idempotency_key_required")
    assert portal.organisation.charges == []


@pytest.mark.parametrize("key", ["with space", "x" * 256, "tab\there"])
def test_a_key_that_the_contract_does_not_allow_charges_nothing(portal, api, key):
    reply = api.charge(key=key)
    assert (reply.status_code, reply.json()["error"]) == (400, "validation_failed")
    assert "Idempotency-Key" in reply.json()["message"]
    assert portal.organisation.charges == []


@pytest.mark.parametrize("fault", [Fault.drip(0), Fault.late(0), Fault.twice()], ids=["drip", "late", "twice"])
def test_a_lost_reply_does_not_arrive_as_a_refusal(portal, api, fault):
    portal.organisation.card = Card("visa", "0500")
    portal.inject(fault, "post_charge")
    with pytest.raises(httpx.RemoteProtocolError):
        api.charge()
    assert len(portal.organisation.charges) == 1
