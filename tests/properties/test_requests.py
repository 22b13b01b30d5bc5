"""What the facade sends is what the contract asks for, and what it refuses is what the contract forbids."""

import json
from urllib.parse import unquote

import pytest
from schemathesis.generation import GenerationMode

import nous_billing as nb
from tests.sockets.test_error_rows import CODES

from . import contract
from .reached import FACADE
from .sending import AMOUNT, CHARGE_ID, KEY, assert_within_the_contract, decoded, refused
from .situations import SITUATIONS

# What each method takes, from a generated request; a request that is no such thing has no way through the facade.
ARGUMENTS = {
    "get_billing_state": lambda case: {},
    "patch_auto_top_up": lambda case: {
        "enabled": case.body["enabled"],
        "threshold": case.body["threshold"],
        "top_up_amount": case.body["topUpAmount"],
    },
    "post_charge": lambda case: {
        "amount_usd": case.body["amountUsd"],
        "idempotency_key": case.headers["Idempotency-Key"],
    },
    "get_charge_status": lambda case: {"charge_id": unquote(case.path_parameters["chargeId"])},
}


@pytest.mark.parametrize("situation", SITUATIONS, ids=str)
def test_a_request_that_the_contract_allows_is_sent_as_it_is(situation, rig, facade, for_all, record_property):
    reached = []

    def sent(case):
        rig.renew()
        situation.prepare(rig, case)
        outcome = facade.call(situation.operation, ARGUMENTS[situation.operation](case))
        (request,) = rig.portal.requests
        assert_within_the_contract(request, situation.operation)
        if request.body:
            assert decoded(request.body) == decoded(json.dumps(case.body))
        if "Idempotency-Key" in (case.headers or {}):
            assert request.headers["idempotency-key"] == case.headers["Idempotency-Key"]
        case.validate_response(facade.reply, contract.CONFORMANCE)
        assert facade.reply.status_code == situation.status
        if situation.status < 300:
            assert not isinstance(outcome, nb.BillingError)
        else:
            assert type(outcome) is (CODES[situation.code].raises if situation.code else nb.BillingServerError)
            assert (outcome.status, outcome.error) == (situation.status, situation.code)
        reached.append(case)

    for_all(sent, contract.requests(situation.operation), share=0.1)
    record_property("reached", (FACADE, situation.operation, situation.status, len(reached)))


@pytest.mark.parametrize("operation", ["patch_auto_top_up", "post_charge", "get_charge_status"])
def test_a_request_that_the_contract_forbids_is_refused_or_mended(operation, rig, facade, for_all):
    outcomes = set()

    def refused_or_mended(case):
        rig.renew()
        try:
            arguments = ARGUMENTS[operation](case)
        except (KeyError, TypeError):
            return
        outcome = facade.call(operation, arguments)
        outcomes.add(refused(outcome))
        if refused(outcome):
            assert rig.portal.requests == []
            assert not all(_valid(name, value) for name, value in arguments.items())
        else:
            *asked_first, request = rig.portal.requests
            assert_within_the_contract(request, operation)
            # Amounts that are None are those of the billing state.
            reads_state = None in arguments.values()
            assert [each.operation for each in asked_first] == ["get_billing_state"] * reads_state

    for_all(refused_or_mended, contract.requests(operation, GenerationMode.NEGATIVE))
    assert True in outcomes


def _valid(name, value):
    """Whether the contract allows a value in its place as it is."""
    match name:
        case "enabled":
            return isinstance(value, bool)
        case "idempotency_key":
            return KEY.is_valid(value)
        case "charge_id":
            return CHARGE_ID.is_valid(value)
        case _:
            return AMOUNT.is_valid(value)
