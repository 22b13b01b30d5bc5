"""What the facade sends is what the contract asks for, and what it refuses is what the contract forbids."""

import json
from urllib.parse import unquote

import pytest
from schemathesis.core import NotSet
from schemathesis.generation import GenerationMode

import nous_billing as nb
from tests.documented import CONSTRAINED, SITUATIONS, argument_schemas, body_schemas, snake, validator
from tests.registry import ENTRIES, RAISES
from tests.registry import KEY as ANY_KEY

from . import contract
from .reached import FACADE
from .sending import assert_within_the_contract, decoded, refused


def arguments_of(operation, case):
    """What the method takes, from a generated request. A request that lacks some of it has no way through the facade.

    Raises:
        LookupError: It is such a request.
        TypeError: Its body is no object.
    """
    given = {**(case.headers or {}), **(case.query or {}), **({} if isinstance(case.body, NotSet) else case.body)}
    in_path = (case.path_parameters or {}).items()
    given |= {name: unquote(value) if isinstance(value, str) else value for name, value in in_path}
    taken = {snake(name): value for name, value in given.items()}
    optional = ENTRIES[operation].optional
    return {name: taken.get(name) if name in optional else taken[name] for name in ENTRIES[operation].arguments}


@pytest.mark.parametrize("situation", SITUATIONS, ids=str)
def test_a_request_that_the_contract_allows_is_sent_as_it_is(situation, rig, facade, for_all, record_property):
    reached = []

    def sent(case):
        rig.renew()
        situation.prepare(rig, (case.headers or {}).get("Idempotency-Key", ANY_KEY))
        outcome = facade.call(situation.operation, arguments_of(situation.operation, case))
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
            assert type(outcome) is (RAISES[situation.code] if situation.code else nb.BillingServerError)
            assert (outcome.status, outcome.error) == (situation.status, situation.code)
        reached.append(case)

    for_all(sent, contract.requests(situation.operation), share=0.1)
    record_property("reached", (FACADE, situation.operation, situation.status, len(reached)))


@pytest.mark.parametrize("operation", CONSTRAINED)
def test_a_request_that_the_contract_forbids_is_refused_or_mended(operation, rig, facade, for_all):
    outcomes = set()

    def refused_or_mended(case):
        rig.renew()
        try:
            arguments = arguments_of(operation, case)
        except (LookupError, TypeError):
            return
        outcome = facade.call(operation, arguments)
        outcomes.add(refused(outcome))
        if refused(outcome):
            assert rig.portal.requests == []
            each = all(_valid(operation, name, value) for name, value in arguments.items())
            assert not (each and _valid_together(operation, case.body))
        else:
            *asked_first, request = rig.portal.requests
            assert_within_the_contract(request, operation)
            # Amounts that are None are those of the billing state.
            reads_state = operation == "patch_auto_top_up" and None in arguments.values()
            assert [each.operation for each in asked_first] == ["get_billing_state"] * reads_state

    # Few of what it forbids can be said with arguments.
    for_all(refused_or_mended, contract.requests(operation, GenerationMode.NEGATIVE), share=6)
    assert True in outcomes


def _valid_together(operation, body):
    schemas = body_schemas(operation)
    return not schemas or validator({"anyOf": schemas}).is_valid(body)


def _valid(operation, name, value):
    """Whether the contract allows a value in its place as it is."""
    return any(validator(schema).is_valid(value) for schema in argument_schemas(operation, name))
