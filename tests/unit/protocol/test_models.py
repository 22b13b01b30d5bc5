"""What the portal answers: frozen, picklable, and who may buy."""

import copy
import pickle
from dataclasses import FrozenInstanceError, fields, replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from nous_billing import models
from nous_billing.protocol import operations
from tests.unit.drive import OWNER_STATE, PREVIEW, SUBSCRIPTION

STATE = operations.get_billing_state().read(OWNER_STATE, PREVIEW)
SUBSCRIPTION_READ = operations.get_subscription().read({**SUBSCRIPTION, "canary": 1}, PREVIEW)
RESULTS = [
    STATE,
    models.ChargeAccepted(charge_id="ch_1", raw={"canary": 1}),
    models.ChargePending(status="pending", raw={"canary": 1}),
    models.ChargeSettled(amount_usd=Decimal(50), settled_at=datetime(2026, 6, 13, 10, tzinfo=UTC), raw={"canary": 1}),
    models.ChargeFailed(reason="card_declined", raw={"canary": 1}),
    SUBSCRIPTION_READ,
    models.SubscriptionPreview(effect="no_op", raw={"canary": 1}),
    models.PendingChange(rail="stripe", raw={"canary": 1}),
    models.SubscriptionUpgrade(status="upgraded", recovery_url=PREVIEW, raw={"canary": 1}),
]
PARTS = [
    STATE.org,
    STATE.bounds,
    STATE.card,
    STATE.monthly_cap,
    STATE.auto_reload,
    STATE.auto_reload and STATE.auto_reload.card,
    SUBSCRIPTION_READ.org,
    SUBSCRIPTION_READ.current,
    *SUBSCRIPTION_READ.tiers,
    models.CardPaymentMethod(kind="card", brand="visa", last4="4242"),
    models.LinkPaymentMethod(kind="link"),
    models.OtherPaymentMethod(kind="iban", raw={"bank": "x"}),
]


def state(role, can_change_plan, switched_on=True):
    return replace(
        STATE, org=replace(STATE.org, role=role), can_change_plan=can_change_plan, cli_billing_enabled=switched_on
    )


@pytest.mark.parametrize(
    ("role", "is_admin"),
    [
        ("OWNER", True),
        ("ADMIN", True),
        ("MEMBER", False),
        ("FINANCE_ADMIN", False),
        ("SECURITY_ADMIN", False),
        ("KING", False),
        ("owner", False),
        ("", False),
    ],
)
@pytest.mark.parametrize("switched_on", [True, False])
def test_the_capability_outranks_the_role_and_the_kill_switch_outranks_both(role, is_admin, switched_on):
    for capability, may in ((None, is_admin), (True, True), (False, False)):
        person = state(role, capability, switched_on)
        assert person.is_admin is is_admin
        assert person.can_charge is (may and switched_on)


@pytest.mark.parametrize("result", [*RESULTS, *PARTS], ids=lambda result: type(result).__name__)
def test_a_result_is_frozen(result):
    for field in fields(result):
        with pytest.raises(FrozenInstanceError):
            setattr(result, field.name, None)
    with pytest.raises((FrozenInstanceError, TypeError, AttributeError)):
        result.something_else = 1


@pytest.mark.parametrize("result", [*RESULTS, *PARTS], ids=lambda result: type(result).__name__)
def test_a_result_survives_a_pickle_and_a_copy(result):
    for same in (pickle.loads(pickle.dumps(result)), copy.copy(result), copy.deepcopy(result)):
        assert same == result
        assert type(same) is type(result)


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: type(result).__name__)
def test_the_raw_reply_is_kept_and_not_in_the_repr(result):
    assert result.raw
    assert "raw" not in repr(result)
    assert "canary" not in repr(result)
    assert hash(result) == hash(replace(result, raw={}))


@pytest.mark.parametrize("result", RESULTS[1:], ids=lambda result: type(result).__name__)
def test_a_result_can_be_made_by_hand_without_a_raw_reply(result):
    arguments = {
        field.name: getattr(result, field.name) for field in fields(result) if field.init and field.name != "raw"
    }
    assert type(result)(**arguments).raw == {}


def test_a_charge_says_its_status():
    assert [result.status for result in RESULTS[2:5]] == ["pending", "settled", "failed"]
