"""What the facade sends is what the contract asks for, and what it refuses is what the contract forbids."""

import json
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

import nous_billing as nb
from nous_billing import StaticToken
from nous_billing.mock import MockPortal
from tests.sockets.test_error_rows import CODES

from . import contract
from .documented import PLACES
from .reached import FACADE
from .situations import SITUATIONS, Rig

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
AMOUNT = contract.validator({"$ref": "#/components/schemas/AmountUsd"})
KEY = contract.validator({"$ref": "#/components/parameters/IdempotencyKey/schema"})
CHARGE_ID = contract.validator({"$ref": "#/components/schemas/ChargeId"})


class Recording(httpx.HTTPTransport):
    """Keeps the reply that crossed the wire."""

    def handle_request(self, request):
        self.reply = super().handle_request(request)
        self.reply.read()
        self.reply.request = request
        # The HTTP library notes it when a reply is closed, which this one is before that.
        self.reply.elapsed = timedelta()
        return self.reply


@pytest.fixture
def transport():
    return Recording()


@pytest.fixture
def rig():
    portal = MockPortal()
    with portal.serve():
        yield Rig(portal)
    assert portal.violations == []


@pytest.fixture
def call(rig, transport):
    """Call a method of the facade for the rig's person; returns its result or its error."""
    with httpx.Client(transport=transport) as http:

        def call(operation, arguments):
            rig.portal.requests.clear()
            client = nb.BillingClient(StaticToken(rig.token), base_url=rig.portal.url, http_client=http)
            try:
                return getattr(client, operation)(**arguments)
            except nb.BillingError as error:
                return error

        yield call


def refused(outcome):
    """Whether the facade itself refused, and sent nothing."""
    return isinstance(outcome, nb.BillingInvalidRequest) and outcome.status is None


def assert_within_the_contract(request, operation):
    """What crossed the wire is a request that the contract allows."""
    path, method, documented = PLACES[operation]
    folder, _, charge_id = request.path.rpartition("/")
    assert request.method == method
    assert request.path == path or (path == f"{folder}/{{chargeId}}" and CHARGE_ID.is_valid(unquote(charge_id)))
    if operation == "post_charge":
        assert KEY.is_valid(request.headers["idempotency-key"])
    if "requestBody" not in documented:
        assert request.body == b""
        return
    media_type, content = next(iter(documented["requestBody"]["content"].items()))
    assert request.headers["content-type"] == media_type
    contract.validator(content["schema"]).validate(decoded(request.body))


def decoded(body):
    return json.loads(body, parse_float=Decimal)


@pytest.mark.parametrize("situation", SITUATIONS, ids=str)
def test_a_request_that_the_contract_allows_is_sent_as_it_is(situation, rig, call, transport, for_all, record_property):
    reached = []

    def sent(case):
        rig.renew()
        situation.prepare(rig, case)
        outcome = call(situation.operation, ARGUMENTS[situation.operation](case))
        (request,) = rig.portal.requests
        assert_within_the_contract(request, situation.operation)
        if request.body:
            assert decoded(request.body) == decoded(json.dumps(case.body))
        if "Idempotency-Key" in (case.headers or {}):
            assert request.headers["idempotency-key"] == case.headers["Idempotency-Key"]
        case.validate_response(transport.reply, contract.CONFORMANCE)
        assert transport.reply.status_code == situation.status
        if situation.status < 300:
            assert not isinstance(outcome, nb.BillingError)
        else:
            assert type(outcome) is (CODES[situation.code].raises if situation.code else nb.BillingServerError)
            assert (outcome.status, outcome.error) == (situation.status, situation.code)
        reached.append(case)

    for_all(sent, contract.requests(situation.operation), share=0.1)
    record_property("reached", (FACADE, situation.operation, situation.status, len(reached)))


@pytest.mark.parametrize("operation", ["patch_auto_top_up", "post_charge", "get_charge_status"])
def test_a_request_that_the_contract_forbids_is_refused_or_mended(operation, rig, call, for_all):
    outcomes = set()

    def refused_or_mended(case):
        rig.renew()
        try:
            arguments = ARGUMENTS[operation](case)
        except (KeyError, TypeError):
            return
        outcome = call(operation, arguments)
        outcomes.add(refused(outcome))
        if refused(outcome):
            assert rig.portal.requests == []
            assert not all(_valid(name, value) for name, value in arguments.items())
        else:
            (request,) = rig.portal.requests
            assert_within_the_contract(request, operation)

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


GIVEN: st.SearchStrategy[Any] = (
    st.decimals()
    | st.decimals(min_value=0, max_value=1_100_000, places=2)
    | st.integers(-10, 10_000_000)
    | st.floats()
    | st.integers(1, 100_000_000).map(lambda cents: cents / 100)
    | st.sampled_from([0.1 + 0.2, "1e3", "0.001", " 50 ", "١٢", "NaN", "-0", "0.00", True, None, [], b"50"])
    | st.decimals(min_value=0, max_value=1_100_000, places=2).map(str)
)


def test_an_amount_is_sent_as_that_number_or_refused_for_a_reason_of_the_contract(rig, call, for_all):
    outcomes = set()

    def sent_or_refused(amount):
        rig.renew()
        outcome = call("post_charge", {"amount_usd": amount, "idempotency_key": "k"})
        outcomes.add(refused(outcome))
        if refused(outcome):
            assert outcome.error == "invalid_amount"
            assert rig.portal.requests == []
            assert not _is_money(amount)
        else:
            (request,) = rig.portal.requests
            assert_within_the_contract(request, "post_charge")
            (value,) = decoded(request.body).values()
            assert value == Decimal(repr(amount) if isinstance(amount, float) else amount)
            assert rig.organisation.charges[0].amount == value

    for_all(sent_or_refused, GIVEN, share=3)
    assert outcomes == {True, False}


def _is_money(amount):
    """Whether it says a number of dollars that the contract allows: a string as a plain number, a float as its repr."""
    if isinstance(amount, bool) or not isinstance(amount, (Decimal, int, float, str)):
        return False
    # Refused though a Decimal would read it: an exponent, digits of other scripts, "_" or "+" in a string. Such a text
    # is more likely a slip than a sum.
    if isinstance(amount, str) and not re.fullmatch(r"[0-9]{1,16}(\.[0-9]{1,16})?", amount.strip()):
        return False
    number = Decimal(repr(amount) if isinstance(amount, float) else amount)
    return number.is_finite() and 0 < number <= 1_000_000 and number * 100 == int(number * 100)


@pytest.mark.parametrize(
    ("operation", "name", "schema", "errors"),
    [
        ("post_charge", "idempotency_key", KEY, {"idempotency_key_required", "invalid_idempotency_key"}),
        ("get_charge_status", "charge_id", CHARGE_ID, {"invalid_charge_id"}),
    ],
)
def test_a_key_and_an_id_are_sent_as_given_or_refused_for_a_reason_of_the_contract(
    operation, name, schema, errors, rig, call, for_all
):
    outcomes = set()

    def sent_or_refused(text):
        rig.renew()
        outcome = call(operation, {"amount_usd": 50, name: text} if operation == "post_charge" else {name: text})
        outcomes.add(refused(outcome))
        # White space around it is not a part of it.
        text = text.strip() if isinstance(text, str) else text
        assert refused(outcome) is not schema.is_valid(text)
        if refused(outcome):
            assert outcome.error in errors
            assert rig.portal.requests == []
        else:
            (request,) = rig.portal.requests
            assert_within_the_contract(request, operation)
            arrived = request.headers.get("idempotency-key", unquote(request.path.rpartition("/")[2]))
            assert arrived == text

    visible = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=260)
    for_all(
        sent_or_refused,
        st.text() | visible | st.sampled_from([".", "..", "a\n", " a ", "a b", "%2e", "~" * 255, "~" * 256, None, 1]),
        share=2,
    )
    assert outcomes == {True, False}
