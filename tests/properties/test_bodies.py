"""Whatever the body at whatever status: a typed result or a ``BillingError``, in time, and the truth about a charge."""

import json
import time
from decimal import Decimal
from http import HTTPStatus

import pytest
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

import nous_billing as nb
from nous_billing.mock import Fault, MockPortal
from tests.documented import CALLS, CHANGING, IN_JSON, KEYED, OPERATIONS, PAIRS, json_of, returns
from tests.registry import Rig
from tests.typed import is_typed

from . import contract
from .bodies import MUTATIONS, ODD_JSON, mutated

TIMEOUT = 5
# A busy machine may hold up a call by so many seconds; what has lost its deadline takes longer.
SLACK = 3
STATUSES = range(200, 600)
MEDIA_TYPES = ["application/json", "text/html; charset=utf-8", "application/problem+json", ""]


@pytest.fixture
def meet(both_kinds):
    """Let both clients meet a reply of a portal that has acted on their request, or has not; check what they make of
    it."""
    portal = MockPortal()
    with portal.serve() as url:
        rig = Rig(portal)
        source = Renewed(rig)
        clients = [kind.client(source, base_url=url, timeout=TIMEOUT) for kind in both_kinds]

        def meet(operation, status, body, media_type, acts):
            for client in clients:
                rig.renew()
                portal.requests.clear()
                fault = Fault.reply(status, body, {"Content-Type": media_type}, acts=acts)
                portal.inject(fault, operation)
                started = time.monotonic()
                try:
                    result, error = CALLS[operation](client), None
                except nb.BillingError as caught:
                    result, error = None, caught
                assert time.monotonic() - started < TIMEOUT + SLACK
                assert len(portal.requests) == 1
                if error is None:
                    assert status < 300
                    assert len(body) <= 2**20
                    assert is_typed(result, returns(operation))
                else:
                    assert_tells_the_truth(error, operation, status, body)
                    assert error.outcome_unknown or not rig.organisation.charges

        yield meet


class Renewed:
    """Credentials of the rig's latest person."""

    def __init__(self, rig):
        self._rig = rig

    def fingerprint(self):
        return self._rig.token

    def resolve(self, *, rejected=None):
        return nb.Credentials(self._rig.token)


def assert_tells_the_truth(error, operation, status, body):
    assert error.status == status
    assert str(error).strip()
    assert error.outcome_unknown is (operation in CHANGING and not is_refusal(status, body))
    if status < 300:
        assert type(error) is nb.BillingResponseError
        assert error.error in ("invalid_response", "endpoint_unavailable")


def is_refusal(status, body):
    """Whether the portal says by it that it has not acted."""
    code = code_of(body)
    if status == 503:
        return code in ("temporarily_unavailable", "stripe_unavailable")
    own = isinstance(code, str) and code.strip() != ""
    if not 400 <= status < 500 or status == 408 or status not in set(HTTPStatus):
        return False
    if status == 409:
        return code == "idempotency_conflict"
    return own or status in (401, 429)


def code_of(body):
    try:
        payload = json.loads(body.decode("utf-8-sig"), parse_float=Decimal, parse_constant=int)
    except (ValueError, ArithmeticError, RecursionError):
        return None
    return payload.get("error") if isinstance(payload, dict) and len(body) <= 2**20 else None


def bodiless(status, body):
    """A reply of these statuses has no body, whatever it may say."""
    return b"" if status in (204, 304) else body


@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize("operation", IN_JSON)
def test_a_mutated_body_is_a_typed_result_or_a_typed_error(operation, mutation, meet, for_all):
    def met(status, body, media_type, acts):
        body = bodiless(status, body)
        meet(operation, status, body, media_type, acts and not is_refusal(status, body))

    for_all(
        met,
        st.sampled_from([200, 202, 503]) | st.sampled_from(STATUSES),
        st.sampled_from(
            [pair[1] for pair in PAIRS if pair[0] == operation and pair[1] not in (500, 502, 504) and json_of(*pair)]
        ).flatmap(lambda status: mutated(operation, status, mutation)),
        st.sampled_from(MEDIA_TYPES),
        st.booleans(),
        share=0.12,
    )


# A read, and the calls that may have moved money; the others are met at any status above.
@pytest.mark.parametrize("operation", [next(name for name in OPERATIONS if name not in CHANGING), *sorted(KEYED)])
def test_at_every_status_a_bad_body_is_a_typed_error(operation, meet):
    bodies = [text.encode() for text in ODD_JSON if len(text) < 1000]
    for status in STATUSES:
        body = bodiless(status, bodies[status % len(bodies)])
        meet(operation, status, body, MEDIA_TYPES[status % 3], not is_refusal(status, body))


SUCCESSES = [(operation, status) for operation, status in PAIRS if status < 300 and operation in IN_JSON]


@pytest.mark.parametrize(("operation", "status"), SUCCESSES)
def test_a_success_that_breaks_the_contract_is_a_typed_error_or_a_result_of_the_annotated_types(
    operation, status, meet, for_all
):
    def met(reply):
        meet(operation, status, reply.body, "application/json", acts=False)

    for_all(met, contract.replies(operation, status, GenerationMode.NEGATIVE), share=0.5)
