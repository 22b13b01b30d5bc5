"""The mock keeps the contract, whatever it is asked."""

import pytest
import requests
from hypothesis import settings
from schemathesis.generation import GenerationMode

from tests.documented import CONSTRAINED, OPERATIONS, PAIRS, SCOPED, SITUATIONS
from tests.registry import KEY

from . import contract
from .reached import MOCK

# Nothing can be wrong with a request that takes nothing, or any text.
REQUESTS = [
    *((operation, GenerationMode.POSITIVE) for operation in OPERATIONS),
    *((operation, GenerationMode.NEGATIVE) for operation in CONSTRAINED),
]


@pytest.fixture
def send(rig):
    """Send a generated request as it is, with the rig's token or with other headers."""
    with requests.Session() as session:
        session.trust_env = False

        def call(case, headers=None):
            if headers is None:
                headers = {"Authorization": f"Bearer {rig.token}"}
            return case.call(base_url=rig.portal.url, session=session, headers=headers)

        yield call


@pytest.mark.parametrize(("operation", "mode"), REQUESTS)
def test_every_generated_request_is_answered_within_the_contract(operation, mode, rig, send, for_all):
    def answered(case):
        rig.renew()
        case.validate_response(send(case), headers={"Authorization": f"Bearer {rig.token}"})

    for_all(answered, contract.requests(operation, mode), share=0.3)


@pytest.mark.parametrize(("operation", "mode"), REQUESTS)
def test_without_the_scope_only_what_needs_none_can_be_called(operation, mode, rig, send, for_all):
    def answered(case):
        rig.renew()
        rig.log_in(scope="inference:invoke")
        response = send(case)
        case.validate_response(response, contract.CONFORMANCE)
        if operation in SCOPED:
            assert (response.status_code, response.json()["error"]) == (403, "insufficient_scope")
        else:
            assert response.status_code not in (401, 403)

    for_all(answered, contract.requests(operation, mode), share=0.3)


@pytest.mark.parametrize(("operation", "mode"), REQUESTS)
def test_401_comes_before_any_look_at_the_key_or_the_body(operation, mode, rig, send, for_all):
    def refused(case):
        for headers in ({}, {"Authorization": "Bearer nonsense"}):
            response = send(case, headers)
            assert (response.status_code, response.json()["error"]) == (401, "invalid_token")

    for_all(refused, contract.requests(operation, mode), share=0.3)
    assert rig.organisation.charges == []


@pytest.mark.parametrize("situation", SITUATIONS, ids=str)
def test_each_documented_status_has_a_situation_that_reaches_it(situation, rig, send, for_all, record_property):
    reached = []

    def answered(case):
        rig.renew()
        situation.prepare(rig, (case.headers or {}).get("Idempotency-Key", KEY))
        response = send(case)
        case.validate_response(response, contract.CONFORMANCE)
        assert response.status_code == situation.status
        assert situation.code is None or response.json()["error"] == situation.code
        reached.append(case)

    for_all(answered, contract.requests(situation.operation), share=0.1)
    record_property("reached", (MOCK, situation.operation, situation.status, len(reached)))


def test_every_documented_status_has_a_situation():
    assert {(situation.operation, situation.status) for situation in SITUATIONS} == set(PAIRS)


@pytest.mark.parametrize("has_scope", [True, False])
def test_an_accepted_charge_leads_to_its_status(has_scope, rig, record_property):
    if not has_scope:
        rig.log_in(scope="inference:invoke")
    answers = set()
    examples = max(1, settings().max_examples // 5)

    class Following(contract.SCHEMA.as_state_machine()):
        def get_call_kwargs(self, case):
            rig.portal.clock.advance(3601)
            return {"base_url": rig.portal.url, "headers": {"Authorization": f"Bearer {rig.token}"}}

        def validate_response(self, response, case, **kwargs):
            super().validate_response(response, case, **kwargs)
            answers.add((case.operation.definition.raw["operationId"], response.status_code))

    rig.portal.settle_after = 2 * 3601
    Following.run(settings=settings(max_examples=examples, stateful_step_count=6))
    record_property("examples", examples)
    polled = {request.path.rpartition("/")[2] for request in rig.portal.requests if request.method == "GET"}
    followed = [charge for charge in rig.organisation.charges if charge.id in polled]
    if has_scope:
        assert followed
        assert ("post_charge", 202) in answers
    else:
        assert not followed
        assert {status for operation, status in answers if operation in SCOPED} == {403}
