"""The headers of a reply, on results and errors."""

import copy
import pickle
from dataclasses import replace

import pytest

from nous_billing import ReplyHeaders
from nous_billing._reply_headers import request_id
from nous_billing.errors import BillingChargeUnsettled, BillingError, BillingResponseError
from nous_billing.protocol import operations
from nous_billing.protocol.replies import Failure
from tests.unit.drive import OWNER_STATE, SUBSCRIPTION, call, charge, reply

SENT = {"X-Request-Id": "req_1", "Set-Cookie": "session=canary"}
CUT = Failure("the connection broke", sent=True)
RESULTS = [
    (operations.get_billing_state(), OWNER_STATE),
    (charge(), {"chargeId": "ch_1"}),
    (operations.get_charge_status("ch_1"), {"status": "pending"}),
    (operations.get_subscription(), SUBSCRIPTION),
]


@pytest.mark.parametrize(("operation", "body"), RESULTS)
def test_a_result_has_the_headers_of_its_reply_which_count_in_no_comparison_and_in_no_repr(operation, body):
    result = call(operation, reply(200, body, SENT)).result
    without = call(operation, reply(200, body)).result
    assert (result.request_id, result.headers["x-REQUEST-id"], result.headers) == ("req_1", "req_1", ReplyHeaders(SENT))
    assert (without.request_id, dict(without.headers)) == (None, {})
    assert result == without
    assert hash(result) == hash(without)
    assert hash(result.headers) == hash(ReplyHeaders(SENT)) != hash(ReplyHeaders({}))
    assert "canary" not in repr(result) + repr(result.headers)
    assert not hasattr(result.headers, "__dict__")
    assert result.raw == without.raw
    assert pickle.loads(pickle.dumps(result)).request_id == replace(result).request_id == "req_1"


@pytest.mark.parametrize(
    "answer",
    [
        reply(403, {"error": "role_required"}, SENT),
        reply(502, b"<html>", SENT),
        reply(202, b"{", SENT | {"content-type": "application/json"}),
        reply(202, b"<html>", SENT),
        reply(202, {}, SENT),
        reply(202, b"", SENT, failure=CUT),
        reply(202, b"", SENT, unreadable="is compressed"),
    ],
)
def test_an_error_that_comes_of_a_reply_has_its_headers(answer):
    error = call(charge(), answer).error
    assert (error.request_id, error.headers["SET-COOKIE"]) == ("req_1", "session=canary")
    assert "canary" not in str(error) + repr(error) + repr(vars(error))
    assert copy.copy(error).headers == pickle.loads(pickle.dumps(error)).headers == error.headers
    assert BillingChargeUnsettled("x", charge_id="ch_1", error="e", last_error=error).request_id == "req_1"


def test_an_error_without_a_reply_has_none_nor_has_one_that_a_version_without_headers_pickled():
    old = BillingResponseError("x", status=500)
    del old.__dict__["headers"]
    for error in (call(charge(), CUT).error, BillingError("x"), pickle.loads(pickle.dumps(old))):
        assert (error.request_id, dict(error.headers)) == (None, {})


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({}, None),
        ({"x-request-id": "  "}, None),
        ({"cf-ray": "r", "x-request-id": " a "}, "a"),
        ({"x-request-id": "", "x-correlation-id": "c"}, "c"),
        ({"x-request-id": "a\x1b[2J"}, "a\ufffd[2J"),
        ({"request-id": "x" * 1000}, "x" * 200),
    ],
)
def test_the_id_of_a_request_is_the_first_that_is_there_made_safe_to_print(headers, found):
    assert request_id(headers) == found
