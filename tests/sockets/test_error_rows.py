"""Every refusal that the contract declares, provoked at the mock, arrives as its typed error with all that it says."""

import pickle
from decimal import Decimal

import pytest

import nous_billing as nb
from nous_billing.mock import Fault
from tests.documented import CALLS, CHANGING, KEYED, OPERATIONS, PAIRS, SITUATIONS
from tests.registry import KEY, RAISES, Rig

from .harness import charge, failure

LINK = "/billing?topup=open"
# What the mock says by code, beside the message, and the link of every 403.
SAYS = {
    "session_revoked": {"recovery": "login"},
    "remote_spending_revoked": {"recovery": "reconnect"},
    "cli_billing_disabled": {"code": "remote_spending_disabled", "recovery": "enable_account_toggle"},
    "monthly_cap_exceeded": {"remainingUsd": "0", "isDefaultCeiling": False},
}
REFUSALS = [situation for situation in SITUATIONS if situation.status >= 400]


def said(situation, message):
    """The payload that is to arrive."""
    if situation.code is None:
        return {}
    if situation.body is not None:
        return situation.body
    link = {"portalUrl": LINK} if situation.status == 403 else {}
    actor = {"stopped by the person": {"actor": "self"}, "stopped by an admin": {"actor": "admin"}}
    own = {**SAYS.get(situation.code, {}), **actor.get(situation.name, {})}
    return {"error": situation.code, "message": message, **own, **link}


@pytest.mark.parametrize("situation", REFUSALS, ids=str)
def test_a_refusal_arrives_as_its_typed_error(situation, client_kind, mock_portal):
    rig = Rig(mock_portal)
    situation.prepare(rig, KEY)
    charged = len(rig.organisation.charges)
    client = client_kind.client(nb.StaticToken(rig.token), base_url=mock_portal.url)
    error = failure(CALLS[situation.operation], client)

    assert type(error) is (RAISES[situation.code] if situation.code else nb.BillingServerError)
    assert (error.status, error.error) == (situation.status, situation.code)
    payload = said(situation, error.message)
    assert error.payload == payload
    assert error.portal_url == (f"{mock_portal.url}{LINK}" if "portalUrl" in payload else None)
    if situation.status not in (429, 503):
        assert error.retry_after is None
    else:
        window = 86400 if situation.code == "upgrade_cap_exceeded" else 3600
        assert error.retry_after in ([60] if situation.body else range(window - 10, window + 1))
    assert error.outcome_unknown is (situation.status in (500, 502, 504) and situation.operation in CHANGING)
    assert (error.code, error.actor, error.recovery) == tuple(payload.get(k) for k in ("code", "actor", "recovery"))
    assert str(error) == error.message
    assert error.message.strip()
    assert vars(pickle.loads(pickle.dumps(error))) == vars(error)
    assert type(pickle.loads(pickle.dumps(error))) is type(error)
    assert len(rig.organisation.charges) == charged


@pytest.mark.parametrize(("body", "code"), [({"error": "internal", "hint": "x"}, "internal"), (b"", None)])
@pytest.mark.parametrize(("operation", "status"), [pair for pair in PAIRS if pair[1] in (500, 502, 504)])
def test_a_failure_of_the_server_leaves_a_change_unknown_whatever_it_says(
    operation, status, body, code, client, mock_portal
):
    mock_portal.inject(Fault.reply(status, body), operation)
    error = failure(CALLS[operation], client)
    assert type(error) is nb.BillingServerError
    assert (error.status, error.error, error.payload) == (status, code, body or {})
    assert error.outcome_unknown is (operation in CHANGING)


@pytest.mark.parametrize(
    ("cap", "amounts", "remaining", "is_default"),
    [(Decimal("40.5"), [], "40.5", False), (None, ["500", "487.5"], "12.5", True)],
    ids=["a cap of its own", "the default ceiling"],
)
def test_what_is_left_of_the_month_arrives_digit_for_digit(cap, amounts, remaining, is_default, client, mock_portal):
    for number, amount in enumerate(amounts):
        charge(client, amount, key=f"earlier-{number}")
    if cap is not None:
        mock_portal.organisation.monthly_cap = cap
    error = failure(charge, client)
    assert type(error) is nb.BillingMonthlyCapExceeded
    assert (error.remaining_usd, error.is_default_ceiling) == (Decimal(remaining), is_default)
    assert (error.payload["remainingUsd"], error.payload["isDefaultCeiling"]) == (remaining, is_default)
    assert error.portal_url == f"{mock_portal.url}{LINK}"


def test_the_sixth_charge_within_the_hour_is_too_many(client, mock_portal):
    for number in range(5):
        charge(client, "10", key=f"earlier-{number}")
    error = failure(charge, client)
    assert (type(error), error.error) == (nb.BillingRateLimited, "rate_limited")
    assert error.retry_after in range(3590, 3601)
    assert len(mock_portal.organisation.charges) == 5


STATUSES = {situation.code: situation.status for situation in SITUATIONS if situation.code}


@pytest.mark.parametrize("code", STATUSES)
@pytest.mark.parametrize("operation", sorted(KEYED))
def test_the_code_alone_is_enough_for_a_typed_error_with_a_sentence(operation, code, client, mock_portal):
    mock_portal.inject(Fault.reply(STATUSES[code], {"error": code}), operation, times=2)
    error = failure(CALLS[operation], client)
    assert type(error) is RAISES[code]
    assert (error.error, error.status, error.payload) == (code, STATUSES[code], {"error": code})
    assert (error.portal_url, error.retry_after, error.outcome_unknown) == (None, None, False)
    assert (error.code, error.actor, error.recovery) == (None, None, None)
    assert str(error).endswith(".")
    assert code not in str(error)
    if type(error) is nb.BillingMonthlyCapExceeded:
        assert (error.remaining_usd, error.is_default_ceiling) == (None, None)


def test_every_operation_meets_every_code_that_the_contract_declares():
    assert {situation.code for situation in SITUATIONS if situation.code} == set(RAISES)
    assert {situation.operation for situation in REFUSALS} == set(OPERATIONS)
