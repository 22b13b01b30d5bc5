"""Generated requests, valid and not, against the portal."""

from decimal import Decimal

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode

from nous_billing.mock import MockClock, MockPortal
from nous_billing.mock.openapi import load_document

CONFIG = {
    "seed": 1,
    "generation": {"deterministic": True, "database": "none", "max-examples": 50, "with-security-parameters": False},
    "phases": {"stateful": {"inference": {"algorithms": []}}},
    # Whatever the id looks like, it is unknown and its charge pending.
    "operations": [
        {
            "include-operation-id": "get_charge_status",
            "checks": {"negative_data_rejection": {"expected-statuses": [200]}},
        }
    ],
}
BOUNDED = settings(
    max_examples=50, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


def generous_portal():
    """A portal that has a reason to refuse only what the contract forbids."""
    portal = MockPortal(MockClock(frozen=True))
    portal.organisation.monthly_cap = Decimal(10) ** 12
    portal.organisation.bounds = (Decimal("0.01"), Decimal(1000000))
    return portal


PORTAL = generous_portal()
TOKEN = PORTAL.issue_token(lifetime=10.0**9)
SCHEMA = schemathesis.openapi.from_asgi("/openapi.json", PORTAL.app, config=SchemathesisConfig.from_dict(CONFIG))
OPERATIONS = [(path, method.upper()) for path, methods in load_document()["paths"].items() for method in methods]


def send(case, headers=None):
    # An hour later the limiter has forgotten.
    PORTAL.clock.advance(3601)
    return case.call(headers=headers)


def authorised():
    return {"Authorization": f"Bearer {TOKEN}"}


@SCHEMA.parametrize()
@BOUNDED
def test_every_generated_request_is_answered_within_the_contract(case):
    case.validate_response(send(case, authorised()), headers=authorised())
    assert PORTAL.violations == []


@pytest.mark.parametrize(
    ("path", "method", "mode"),
    [
        (path, method, mode)
        for path, method in OPERATIONS
        for mode in GenerationMode
        # Nothing can be wrong with a request that takes nothing.
        if (path, mode) != ("/api/billing/state", GenerationMode.NEGATIVE)
    ],
)
def test_401_comes_before_any_look_at_the_key_or_the_body(path, method, mode):
    @BOUNDED
    @given(case=SCHEMA[path][method].as_strategy(generation_mode=mode))
    def check(case):
        before = len(PORTAL.organisation.charges)
        for headers in ({}, {"Authorization": "Bearer nonsense"}):
            response = send(case, headers)
            assert (response.status_code, response.json()["error"]) == (401, "invalid_token")
        assert len(PORTAL.organisation.charges) == before

    check()


def test_an_accepted_charge_leads_to_its_status():
    class Following(SCHEMA.as_state_machine()):
        def get_call_kwargs(self, case):
            PORTAL.clock.advance(3601)
            return {"headers": authorised()}

    Following.run(settings=settings(BOUNDED, max_examples=20, stateful_step_count=5))
    assert PORTAL.violations == []
    polled = {
        request.path.rpartition("/")[2] for request in PORTAL.requests if request.operation == "get_charge_status"
    }
    assert polled & {charge.id for charge in PORTAL.organisation.charges}
