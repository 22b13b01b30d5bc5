"""Every reply that is no success becomes its typed error, and nothing else ever escapes."""

import json
import time
from decimal import Context, Decimal, getcontext, localcontext
from http import HTTPStatus
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nous_billing import errors
from nous_billing.errors import BillingError
from nous_billing.models import ChargeAccepted
from nous_billing.money import MAX_AMOUNT_USD
from nous_billing.protocol import operations, replies
from nous_billing.protocol.error_codes import REFUSALS, statuses
from nous_billing.protocol.exchange import exchange
from nous_billing.protocol.failures import error_from_reply
from nous_billing.protocol.replies import decode_json
from tests.documented import DOCUMENT, PAIRS, headers_of, refusals
from tests.registry import RAISES
from tests.unit.drive import DEADLINE, NOW, PREVIEW, answer_steps, call, charge, credentials, refusal, reply, short

LINK = "/billing?topup=open"

# Status, body, Retry-After, and what becomes of them: every error of the contract as in its example, and some more.
ROWS = [
    *{
        (status, code): (status, body, headers_of(operation, status).get("Retry-After"), RAISES[code])
        for operation, status in PAIRS
        if status >= 400
        for code, body in refusals(operation, status).items()
    }.values(),
    (403, {"error": "remote_spending_revoked", "actor": "self"}, None, errors.BillingRemoteSpendingRevoked),
    (403, {"error": "cli_billing_disabled", "portalUrl": LINK}, None, errors.BillingDisabled),
    (403, {"error": "a_gate_of_tomorrow", "portalUrl": LINK}, None, errors.BillingAccessDenied),
    (429, {"error": "rate_limited"}, "3600", errors.BillingRateLimited),
    (500, {"error": "internal"}, None, errors.BillingServerError),
    (500, {}, None, errors.BillingServerError),
    (502, {}, None, errors.BillingServerError),
    (504, {"error": "upstream"}, None, errors.BillingServerError),
]
BROKEN_BODIES = [
    b"",
    b"  \n",
    b"<!doctype html><title>Sign in</title>",
    b"null",
    b"[]",
    b'["error"]',
    b'"error"',
    b"17",
    b"true",
    b"\xff\xfe\x00",
    b'{"error": "\xff"}',
    b"\xef\xbb\xbf",
    b"NaN",
    b'{"error": NaN}',
    b'{"error": Infinity}',
    b'{"error": -Infinity}',
    b'{"error": ' + b"9" * 5000 + b"}",
    b'{"error": 1e999999999999999999999}',
    b"[" * 200_000,
    b'{"a":' * 100_000,
    b'{"error": "rate_limi',
    b"{",
    b'{"error": {}, "message": [], "portalUrl": 5, "remainingUsd": {}}',
    b'{"error": "", "message": " "}',
    b"{} {}",
    b"\x00",
]
STATUSES = [300, 302, 304, 400, 401, 403, 404, 405, 409, 410, 418, 429, 500, 501, 502, 503, 504, 520, 599]


PATCH = operations.patch_auto_top_up(True, 20, 100)
STATE = operations.get_billing_state()
EACH_EFFECT = pytest.mark.parametrize(
    "operation", [charge(), PATCH, operations.get_billing_state()], ids=["charge", "setting", "read"]
)
CHARGE_MAY_BE = " The charge may have been made: try again with the same idempotency key, never a new one."
MAY_BE_SAVED = " The settings may have been saved: read the billing state to find out."
REGISTERED = set(HTTPStatus)


def may_have_acted(status, operation):
    """Whether a reply that has only a status leaves open what became of the request."""
    return operation.method != "GET" and status not in (401, 429)


def expected_class(status, operation):
    """The class of a reply that has only a status."""
    if status >= 500 and may_have_acted(status, operation):
        return errors.BillingServerError
    if status == 408 or (status >= 400 and status not in REGISTERED):
        return errors.BillingServerError
    if may_have_acted(status, operation):
        return errors.BillingResponseError
    exact = {
        400: errors.BillingInvalidRequest,
        401: errors.BillingAuthError,
        403: errors.BillingAccessDenied,
        409: errors.BillingIdempotencyConflict,
        429: errors.BillingRateLimited,
        503: errors.BillingRateLimited,
    }
    return exact.get(status, errors.BillingServerError if status >= 500 else errors.BillingResponseError)


@pytest.mark.parametrize(("status", "body", "retry_after", "cls"), ROWS)
@EACH_EFFECT
def test_every_row_of_the_contract_becomes_its_error(status, body, retry_after, cls, operation):
    headers = {} if retry_after is None else {"retry-after": retry_after}
    error = refusal(reply(status, body, headers), operation)
    assert type(error) is cls
    assert (error.status, error.error) == (status, body.get("error"))
    assert error.retry_after == (None if retry_after is None else int(retry_after))
    assert error.portal_url == (PREVIEW + LINK if "portalUrl" in body else None)
    assert error.payload == body
    assert (error.code, error.actor, error.recovery) == (body.get("code"), body.get("actor"), body.get("recovery"))
    assert error.outcome_unknown is (operation.method != "GET" and status in (500, 502, 504))
    assert str(error) == error.message
    assert "message" not in body or str(error) == body["message"]


@EACH_EFFECT
def test_every_status_without_a_usable_body_is_an_error_that_says_the_status(operation):
    for status, body in product(range(200, 600), (b"", b"<html>")):
        error = refusal(reply(status, body), operation)
        assert type(error) is expected_class(status, operation)
        assert error.status == status
        assert (error.payload, error.portal_url, error.retry_after) == ({}, None, None)
        assert error.outcome_unknown is may_have_acted(status, operation)
        assert str(error).endswith(CHARGE_MAY_BE) is (error.outcome_unknown and operation.moves_money)
        assert str(error).endswith(MAY_BE_SAVED) is (error.outcome_unknown and not operation.moves_money)
        if status < 300:
            assert error.error == ("endpoint_unavailable" if body else "invalid_response")
        else:
            assert error.error == ("endpoint_unavailable" if type(error) is errors.BillingResponseError else None)
            assert len(str(error)) > 20


@pytest.mark.parametrize("body", BROKEN_BODIES, ids=short)
def test_a_malformed_body_leaves_an_error_by_its_status(body):
    for status in STATUSES:
        error = refusal(reply(status, body), charge())
        assert type(error) is expected_class(status, charge())
        assert error.status == status
        assert isinstance(error.payload, dict)


@pytest.mark.parametrize("body", BROKEN_BODIES, ids=short)
def test_a_malformed_success_is_an_error_of_the_reply(body):
    called = charge(), operations.get_billing_state(), PATCH, operations.get_charge_status("ch_1")
    for status, operation in product([200, 202, 204], called):
        error = call(operation, reply(status, body)).error
        assert type(error) is errors.BillingResponseError
        assert error.error in ("endpoint_unavailable", "invalid_response")
        assert (error.status, error.outcome_unknown) == (status, operation.method != "GET")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["error", "chargeId", "status"]), inner)
    ),
    max_leaves=10,
)


@given(
    status=st.integers(min_value=100, max_value=999),
    body=st.binary() | JSON.map(lambda value: json.dumps(value).encode()),
    link=st.text(),
    wait=st.text(),
    operation=st.sampled_from([charge(), operations.get_billing_state(), operations.get_charge_status("ch_1")]),
)
@settings(deadline=None)
def test_whatever_comes_back_only_a_billing_error_escapes(status, body, link, wait, operation):
    answer = reply(status, body, {"retry-after": wait, "content-type": link})
    tokens = iter([credentials(), credentials()])
    flow = exchange(operation, base_url=None, deadline=DEADLINE)
    played = answer_steps(flow, lambda step: answer if hasattr(step, "operation") else next(tokens))
    assert played.caught is None or isinstance(played.caught, BillingError)
    assert played.caught is not None or status < 300
    assert error_from_reply(answer, PREVIEW, charge()).status == status


def test_a_byte_order_mark_does_not_lose_a_charge_id():
    accepted = call(charge(), reply(202, b'\xef\xbb\xbf{"chargeId":"ch_1"}')).result
    assert accepted == ChargeAccepted(charge_id="ch_1", raw={"chargeId": "ch_1"})


def test_a_byte_order_mark_does_not_lose_an_error_code():
    answer = reply(401, b'\xef\xbb\xbf{"error":"session_revoked"}')
    assert error_from_reply(answer, PREVIEW, operations.get_billing_state()).error == "session_revoked"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("60", 60),
        (" 60 ", 60),
        ("0", 0),
        ("0060", 60),
        ("999999999", 999_999_999),
        ("Sun, 15 Jun 2025 15:07:40 GMT", 60),
        ("Sunday, 15-Jun-25 15:07:40 GMT", 60),
        ("Sun Jun 15 15:07:40 2025", 60),
        ("Sun, 15 Jun 2025 17:07:40 +0200", 60),
        ("Sun, 15 Jun 2025 15:06:40 GMT", 0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("-5", None),
        ("+5", None),
        ("1.5", None),
        ("inf", None),
        ("-inf", None),
        ("Infinity", None),
        ("nan", None),
        ("soon", None),
        ("", None),
        ("60, 60", None),
        ("1e3", None),
        ("٦٠", None),
        ("1" * 30, None),
        ("Sun, 99 Jun 2025 15:07:40 GMT", None),
        ("Sun, 15 Jun 2025 15:07:40 -9999", None),
        ("Sun, 15 Jun 99999999999999999999 15:07:40 GMT", None),
        ("\x00", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_else_nothing(value, seconds):
    answer = reply(429, {"error": "rate_limited"}, {"retry-after": value})
    assert error_from_reply(answer, PREVIEW, charge()).retry_after == seconds


@pytest.fixture
def far_from_greenwich(monkeypatch):
    monkeypatch.setenv("TZ", "XXX-9")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a process cannot be changed here")
@pytest.mark.usefixtures("far_from_greenwich")
def test_a_retry_after_date_without_a_zone_is_in_utc_wherever_one_is():
    answer = reply(429, headers={"retry-after": "Sun Jun 15 15:07:40 2025"})
    assert error_from_reply(answer, PREVIEW, charge()).retry_after == 60


def test_a_retry_after_date_is_rounded_up_to_whole_seconds():
    answer = replies.Reply(503, {"retry-after": "Sun, 15 Jun 2025 15:07:40 GMT"}, b"", NOW + 0.25)
    assert error_from_reply(answer, PREVIEW, operations.get_billing_state()).retry_after == 60


def test_a_reply_without_retry_after_says_none():
    assert error_from_reply(reply(429), PREVIEW, charge()).retry_after is None


@pytest.mark.parametrize(
    ("body", "remaining", "ceiling"),
    [
        ({"remainingUsd": "12.50", "isDefaultCeiling": False}, Decimal("12.50"), False),
        ({"remainingUsd": "-3", "isDefaultCeiling": True}, Decimal(-3), True),
        ({}, None, None),
        ({"remainingUsd": None, "isDefaultCeiling": None}, None, None),
        ({"remainingUsd": 12.5, "isDefaultCeiling": "true"}, None, None),
        ({"remainingUsd": "1e999999999", "isDefaultCeiling": 1}, None, None),
    ],
)
def test_the_rest_of_the_monthly_cap_is_read_where_it_is_money(body, remaining, ceiling):
    error = refusal(reply(403, {"error": "monthly_cap_exceeded", **body}), charge())
    assert isinstance(error, errors.BillingMonthlyCapExceeded)
    assert (error.remaining_usd, error.is_default_ceiling) == (remaining, ceiling)


@pytest.mark.parametrize("message", [None, 5, "", "  ", {}])
def test_the_sdk_says_what_happened_where_the_portal_does_not(message):
    error = refusal(reply(403, {"error": "no_payment_method", "message": message}), charge())
    assert str(error) == "No saved card can be charged. Set up a saved card on the portal."


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        *(
            (
                status,
                b"",
                f"The portal's address redirects (HTTP {status}), which is not followed. Check the base URL.",
            )
            for status in (300, 302, 399)
        ),
        (404, b"<html>", "There is no billing API at this address (HTTP 404). Check the base URL."),
        (520, b"", "The portal is failing (HTTP 520). Try again shortly."),
        (503, b"", "The portal is failing (HTTP 503). Try again shortly."),
        (403, b'{"error":"tomorrow"}', "The portal refused the request (tomorrow)."),
        (400, b"", "The portal refused the request (HTTP 400)."),
        (404, b'{"error":"not_found"}', "The portal refused the request (not_found)."),
        (408, b"stream timeout", "The portal is failing (HTTP 408). Try again shortly."),
        (499, b"", "The portal is failing (HTTP 499). Try again shortly."),
    ],
)
def test_a_message_names_what_there_is_to_name(status, body, text):
    assert str(refusal(reply(status, body), operations.get_billing_state())) == text


@pytest.mark.parametrize(
    ("status", "code", "cls"),
    [
        (403, "session_revoked", errors.BillingAccessDenied),
        (503, "no_payment_method", errors.BillingServerError),
        (409, "role_required", errors.BillingResponseError),
        (429, "no_payment_method", errors.BillingRateLimited),
        (500, "stripe_unavailable", errors.BillingServerError),
        (404, "monthly_cap_exceeded", errors.BillingResponseError),
    ],
)
def test_a_code_that_comes_with_another_status_has_the_class_of_the_status(status, code, cls):
    error = refusal(reply(status, {"error": code}), charge())
    assert (type(error), error.error) == (cls, code)
    # The sentence of the table speaks of the status that it is for.
    assert str(error).removesuffix(CHARGE_MAY_BE) in (
        f"The portal is failing (HTTP {status}). Try again shortly.",
        f"The portal refused the request ({code}).",
        f"The portal's answer does not say for certain what it did ({code}, HTTP {status}).",
    )


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 413, 418])
@pytest.mark.parametrize("body", [b"<html>", b"", {"message": "Forbidden"}], ids=["page", "empty", "no code"])
@pytest.mark.parametrize(("operation", "outcome"), [(charge(), CHARGE_MAY_BE), (PATCH, MAY_BE_SAVED)])
def test_only_the_portals_own_refusal_says_that_nothing_was_done(status, body, operation, outcome):
    foreign = refusal(reply(status, body), operation)
    assert (type(foreign), foreign.outcome_unknown) == (errors.BillingResponseError, True)
    assert str(foreign).endswith(outcome)
    own = refusal(reply(status, {"error": "a_gate_of_tomorrow"}), operation)
    # A conflict of an unknown kind may be one with the same request, which is still being worked on.
    assert (own.outcome_unknown, own.error) == (status == 409, "a_gate_of_tomorrow")
    assert ("may have been" in str(own)) is own.outcome_unknown


@pytest.mark.parametrize("status", [401, 429])
@pytest.mark.parametrize("operation", [charge(), PATCH])
def test_what_stands_at_the_door_has_let_nothing_in(status, operation):
    error = refusal(reply(status, b"<html>"), operation)
    assert (type(error), error.outcome_unknown) == (expected_class(status, operation), False)


def test_one_code_at_two_statuses_has_its_class_and_sentence_at_both(monkeypatch):
    row = ((401, 403), errors.BillingSessionRevoked, "The portal has ended this login. Log in again.")
    monkeypatch.setitem(REFUSALS, "session_revoked", row)
    for status in (401, 403):
        error = refusal(reply(status, {"error": "session_revoked"}), charge())
        assert (type(error), str(error), error.status) == (*row[1:], status)
    assert type(refusal(reply(409, {"error": "session_revoked"}), STATE)) is errors.BillingIdempotencyConflict


def test_an_error_code_of_an_unknown_path_is_kept():
    error = refusal(reply(404, {"error": "not_found"}), charge())
    assert (type(error), error.error) == (errors.BillingResponseError, "not_found")


def test_no_message_tells_a_person_that_they_have_no_card():
    assert "no card" not in REFUSALS["no_payment_method"][2].lower()


def test_a_503_of_the_portal_charged_nothing_but_that_of_a_proxy_may_have_lost_the_reply():
    assert not refusal(reply(503, {"error": "temporarily_unavailable"}), charge()).outcome_unknown
    assert refusal(reply(503, b"<html>"), charge()).outcome_unknown
    assert not refusal(reply(503, b"<html>"), operations.get_billing_state()).outcome_unknown


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"1.10", Decimal("1.10")),
        (b"0.1", Decimal("0.1")),
        (b"1e2", Decimal("1e2")),
        (b"12345678901234567890.123", Decimal("12345678901234567890.123")),
        (b"7", 7),
    ],
)
def test_no_number_is_read_as_a_float(text, value):
    read = decode_json(b'{"a":[' + text + b"]}")["a"][0]
    assert type(read) is type(value)
    assert str(read) == str(value)


@pytest.mark.parametrize("body", [body for body in BROKEN_BODIES if b"<" in body or b"NaN" in body or len(body) > 1000])
def test_what_is_no_json_is_a_value_error_and_no_other(body):
    with pytest.raises(ValueError, match=r"\w"):
        decode_json(body)


@pytest.mark.parametrize("name", ["NaN", "Infinity", "-Infinity"])
def test_a_constant_that_only_python_reads_is_no_json(name):
    with pytest.raises(ValueError, match=f"^{name} is not JSON$"):
        decode_json(f'{{"a": {name}}}'.encode())


def test_the_decimal_context_of_the_caller_does_not_change_what_is_read():
    with localcontext(Context(prec=3, traps=list(getcontext().flags))):
        assert decode_json(b"12345.678") == Decimal("12345.678")
    with localcontext(Context(traps=[])), pytest.raises(ValueError, match="a number that is too long"):
        decode_json(b"1e999999999999999999999")


def test_a_403_has_a_class_of_its_own_where_a_program_can_do_something_of_its_own_about_it():
    by_class = {}
    for code, (_, kind, _) in REFUSALS.items():
        if 403 in statuses(code):
            by_class.setdefault(kind, set()).add(code)
    others = {"org_access_denied", "preview_rejected", "subscription_mutation_rejected"}
    assert by_class.pop(errors.BillingAccessDenied) == others | {"auto_top_up_disabled_failures"}
    cards = {"no_payment_method", "card_expired", "card_mismatch", "card_paused"}
    assert by_class.pop(errors.BillingNoPaymentMethod) == cards
    assert {len(codes) for codes in by_class.values()} == {1}


def test_the_greatest_amount_is_that_of_the_contract():
    assert Decimal(DOCUMENT["components"]["schemas"]["AmountUsd"]["maximum"]) == MAX_AMOUNT_USD


def test_a_503_with_a_code_that_is_not_the_portals_may_have_lost_the_reply_too():
    error = error_from_reply(reply(503, {"error": "upstream connect error"}), PREVIEW, charge())
    assert (type(error), error.outcome_unknown) == (errors.BillingServerError, True)


@pytest.mark.parametrize("status", [302, 500, 502, 503, 504, 520])
def test_where_the_outcome_is_unknown_the_sentence_says_to_send_the_same_key(status):
    error = error_from_reply(reply(status, {"message": "Sorry."}), PREVIEW, charge())
    assert str(error) == f"Sorry.{CHARGE_MAY_BE}"
    assert str(error_from_reply(reply(status, {"message": "Sorry."}), PREVIEW, PATCH)) == f"Sorry.{MAY_BE_SAVED}"
    assert (
        str(error_from_reply(reply(status, {"message": "Sorry."}), PREVIEW, operations.get_billing_state())) == "Sorry."
    )
