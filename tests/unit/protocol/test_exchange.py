"""The rules of an exchange, with no network and no clock: each step is answered by hand."""

import pytest

from nous_billing.credentials import Credentials
from nous_billing.errors import (
    BillingAuthError,
    BillingInvalidRequest,
    BillingNetworkError,
    BillingResponseError,
    BillingServerError,
    BillingSessionRevoked,
    BillingTimeout,
)
from nous_billing.models import ChargeAccepted
from nous_billing.portal import DEFAULT_PORTAL_BASE_URL
from nous_billing.protocol import operations
from nous_billing.protocol.exchange import Resolve, Send, exchange
from nous_billing.protocol.replies import Failure
from tests.unit.drive import DEADLINE, OWNER_STATE, PREVIEW, call, charge, credentials, play, reply

STATE = operations.get_billing_state()
TOP_UP = operations.patch_auto_top_up(True, 20, 100)
STATUS = operations.get_charge_status("ch_1")
CHARGE = charge()
EACH = pytest.mark.parametrize(
    "operation", [STATE, TOP_UP, STATUS, CHARGE], ids=["state", "top-up", "status", "charge"]
)

ACCEPTED = reply(202, {"chargeId": "ch_1"})
REFUSED = reply(401, {"error": "invalid_token"})
REVOKED = reply(401, {"error": "session_revoked", "recovery": "login"})
STALE = Failure("the connection was closed", sent=True, stale=True)


def tokens(played):
    return [step.credentials.access_token for step in played.sent]


def test_a_call_resolves_a_token_sends_the_request_and_reads_the_reply():
    played = call(CHARGE, ACCEPTED)
    assert played.steps == [Resolve(DEADLINE), Send(CHARGE, PREVIEW, credentials(), DEADLINE)]
    assert played.result == ChargeAccepted(charge_id="ch_1", raw={"chargeId": "ch_1"})


def test_after_a_401_the_same_request_goes_out_with_another_token_under_the_same_key():
    played = call(CHARGE, REFUSED, credentials("token-2"), ACCEPTED)
    assert played.result.charge_id == "ch_1"
    assert tokens(played) == ["token-1", "token-2"]
    first, second = played.sent
    assert first.operation is second.operation is CHARGE
    assert second.operation.headers["Idempotency-Key"] == "key-1"
    assert {step.deadline for step in played.steps} == {DEADLINE}


def test_the_source_is_told_which_token_was_rejected():
    played = call(STATE, REFUSED, credentials("token-2"), reply(200, OWNER_STATE))
    assert played.resolved == [Resolve(DEADLINE), Resolve(DEADLINE, credentials("token-1"))]


def test_the_base_url_is_resolved_again_with_the_token():
    played = call(STATE, REFUSED, Credentials("token-2", "https://moved.example"), reply(200, OWNER_STATE))
    assert [step.base_url for step in played.sent] == [PREVIEW, "https://moved.example"]
    assert played.result.portal_url == "https://moved.example/billing?topup=open"


def test_the_environment_is_read_again_with_the_token(monkeypatch):
    flow = exchange(STATE, base_url=None, deadline=DEADLINE)
    next(flow)
    assert flow.send(credentials()).base_url == PREVIEW
    monkeypatch.setenv("HERMES_PORTAL_BASE_URL", "https://operator.example")
    flow.send(REFUSED)
    assert flow.send(credentials("token-2")).base_url == "https://operator.example"


@EACH
def test_the_rejected_token_itself_is_not_sent_again(operation):
    played = call(operation, REFUSED, credentials("token-1", "https://moved.example"))
    assert len(played.sent) == 1
    assert type(played.error) is BillingAuthError
    assert (played.error.status, played.error.error, played.error.outcome_unknown) == (401, "invalid_token", False)


@EACH
def test_a_second_401_is_final(operation):
    played = call(operation, REFUSED, credentials("token-2"), REFUSED)
    assert tokens(played) == ["token-1", "token-2"]
    assert (type(played.error), played.error.status) == (BillingAuthError, 401)
    assert not played.error.outcome_unknown


@EACH
def test_a_revoked_session_is_final_at_once(operation):
    played = call(operation, REVOKED)
    assert len(played.resolved) == len(played.sent) == 1
    assert type(played.error) is BillingSessionRevoked
    assert played.error.recovery == "login"


def test_a_session_revoked_after_the_token_was_replaced_is_final_too():
    played = call(STATE, REFUSED, credentials("token-2"), REVOKED)
    assert type(played.error) is BillingSessionRevoked


@pytest.mark.parametrize(
    "unreadable",
    [reply(401), reply(401, b"<html>"), reply(401, failure=STALE), reply(401, unreadable="is compressed")],
    ids=["empty", "page", "broken-off", "compressed"],
)
def test_a_401_without_a_usable_body_is_a_refused_token_all_the_same(unreadable):
    assert call(CHARGE, unreadable, credentials("token-2"), ACCEPTED).result.charge_id == "ch_1"


@EACH
@pytest.mark.parametrize("at", ["first", "after-a-401"])
def test_what_the_source_raises_comes_through(operation, at):
    error = BillingNetworkError("down", error="network_error")
    flow = exchange(operation, base_url=None, deadline=DEADLINE)
    before = [] if at == "first" else [credentials(), REFUSED]
    assert play(flow, *before, error).error is error


@EACH
@pytest.mark.parametrize("at", ["first", "after-a-401"])
def test_credentials_that_come_too_late_are_a_timeout_in_which_nothing_was_charged(operation, at):
    late = Failure("the credentials were still being renewed", sent=False, timed_out=True)
    before = [] if at == "first" else [credentials(), REFUSED]
    error = play(exchange(operation, base_url=None, deadline=DEADLINE), *before, late).error
    assert type(error) is BillingTimeout
    assert (error.error, error.outcome_unknown, error.status) == ("network_error", False, None)


@pytest.mark.parametrize("operation", [STATE, STATUS], ids=["state", "status"])
def test_a_get_is_sent_once_more_when_a_kept_connection_was_dead(operation):
    body = OWNER_STATE if operation is STATE else {"status": "pending"}
    played = call(operation, STALE, reply(200, body))
    assert played.caught is None
    assert played.sent[0] == played.sent[1]
    assert len(played.resolved) == 1


@pytest.mark.parametrize("operation", [STATE, STATUS], ids=["state", "status"])
def test_a_get_is_not_sent_a_third_time(operation):
    assert type(call(operation, STALE, STALE).error) is BillingNetworkError


def test_a_get_is_sent_once_more_in_all_also_where_a_401_lies_between():
    played = call(STATE, STALE, REFUSED, credentials("token-2"), STALE)
    assert len(played.sent) == 3
    assert type(played.error) is BillingNetworkError


@pytest.mark.parametrize("operation", [TOP_UP, CHARGE], ids=["top-up", "charge"])
@pytest.mark.parametrize("sent", [True, False])
def test_what_changes_something_is_never_sent_again(operation, sent):
    played = call(operation, Failure("closed", sent=sent, stale=True))
    assert len(played.sent) == 1
    assert played.error.outcome_unknown is (sent and operation in (CHARGE, TOP_UP))


@EACH
def test_a_get_that_failed_on_a_live_connection_is_not_sent_again(operation):
    assert len(call(operation, Failure("reset", sent=True)).sent) == 1


@pytest.mark.parametrize("operation", [TOP_UP, CHARGE], ids=["top-up", "charge"])
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_reply_that_asks_to_come_back_is_raised_and_not_retried(operation, status):
    assert len(call(operation, reply(status, headers={"retry-after": "1"})).sent) == 1


@EACH
@pytest.mark.parametrize("sent", [True, False], ids=["sent", "unsent"])
@pytest.mark.parametrize("timed_out", [True, False], ids=["late", "broken"])
def test_a_failure_says_whether_a_charge_may_have_been_made(operation, sent, timed_out):
    cause = OSError("reset by peer")
    error = call(operation, Failure("reset by peer", sent=sent, timed_out=timed_out, cause=cause)).error
    assert type(error) is (BillingTimeout if timed_out else BillingNetworkError)
    assert (error.error, error.status, error.payload) == ("network_error", None, {})
    assert error.outcome_unknown is (operation in (CHARGE, TOP_UP) and sent)
    assert error.__cause__ is cause
    assert "reset by peer" in str(error)
    assert ("same idempotency key" in str(error)) is (operation is CHARGE and sent)
    assert ("Nothing was charged" in str(error)) is (operation is CHARGE and not sent)
    assert ("may have been saved" in str(error)) is (operation is TOP_UP and sent)
    assert ("Nothing was saved" in str(error)) is (operation is TOP_UP and not sent)
    assert str(error).startswith("The portal did not answer in time" if timed_out else "Could not reach the portal")


@pytest.mark.parametrize(
    ("own", "hermes", "nous", "of_credentials", "address"),
    [
        ("https://own.example", "https://hermes.example", "https://nous.example", PREVIEW, "https://own.example"),
        (None, "https://hermes.example", "https://nous.example", PREVIEW, "https://hermes.example"),
        (None, " ", "https://nous.example/", PREVIEW, "https://nous.example"),
        (None, None, None, PREVIEW, PREVIEW),
        (None, None, None, f"{PREVIEW}/", PREVIEW),
        (None, None, None, "http://localhost:3000", "http://localhost:3000"),
        (None, None, None, None, DEFAULT_PORTAL_BASE_URL),
        # What nobody uses is not looked at.
        ("https://own.example", None, None, "http://evil.example", "https://own.example"),
        (None, "https://hermes.example", None, "http://evil.example", "https://hermes.example"),
    ],
)
def test_the_clients_address_precedes_the_environments_and_that_the_credentials(
    monkeypatch, own, hermes, nous, of_credentials, address
):
    for name, value in (("HERMES_PORTAL_BASE_URL", hermes), ("NOUS_PORTAL_BASE_URL", nous)):
        if value is not None:
            monkeypatch.setenv(name, value)
    played = play(exchange(CHARGE, base_url=own, deadline=DEADLINE), Credentials("token-1", of_credentials), ACCEPTED)
    assert [step.base_url for step in played.sent] == [address]


@pytest.mark.parametrize("bad", ["http://evil.example", "", "not a url", "https://h.example?a"])
def test_no_token_goes_to_an_address_of_the_credentials_that_cannot_be_used(bad):
    played = play(exchange(CHARGE, base_url=None, deadline=DEADLINE), Credentials("token-1", bad))
    assert played.sent == []
    assert type(played.error) is BillingInvalidRequest
    assert played.error.error == "invalid_base_url"
    assert str(played.error).startswith("The portal URL of the credentials ")


def test_no_token_goes_anywhere_when_the_environments_address_cannot_be_used(monkeypatch):
    monkeypatch.setenv("NOUS_PORTAL_BASE_URL", "http://evil.example")
    played = play(exchange(CHARGE, base_url=None, deadline=DEADLINE), credentials())
    assert (played.sent, played.error.error) == ([], "invalid_base_url")


@EACH
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_is_no_result(operation, status):
    played = call(operation, reply(status, {"chargeId": "ch_1"}, {"location": "https://evil.example/"}))
    assert len(played.sent) == 1
    assert type(played.error) is BillingResponseError
    assert (played.error.error, played.error.status) == ("endpoint_unavailable", status)
    assert "evil.example" not in str(played.error)
    assert played.error.outcome_unknown is (operation in (CHARGE, TOP_UP))


@EACH
@pytest.mark.parametrize("headers", [{}, {"content-type": "text/html"}, {"content-type": "text/html; charset=utf-8"}])
def test_a_web_page_as_a_success_is_not_this_api(operation, headers):
    error = call(operation, reply(200, b"<!doctype html><title>Portal</title>", headers)).error
    assert type(error) is BillingResponseError
    assert (error.error, error.status, error.payload) == ("endpoint_unavailable", 200, {})
    assert "Check the base URL" in str(error)
    assert error.outcome_unknown is (operation in (CHARGE, TOP_UP))


@EACH
@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8", "application/problem+json"])
@pytest.mark.parametrize("body", [b'{"chargeId": "ch', b"{", b'{"balanceUsd": NaN}', b"\xff"])
def test_json_that_is_broken_breaks_the_contract(operation, kind, body):
    error = call(operation, reply(200, body, {"content-type": kind})).error
    assert (type(error), error.error, error.payload) == (BillingResponseError, "invalid_response", {})
    assert error.outcome_unknown is (operation in (CHARGE, TOP_UP))


@EACH
def test_a_success_that_may_not_be_read_says_why(operation):
    error = call(operation, reply(200, unreadable="is larger than 1048576 bytes")).error
    assert (type(error), error.error) == (BillingResponseError, "invalid_response")
    assert "The portal's reply is larger than 1048576 bytes." in str(error)
    assert error.outcome_unknown is (operation in (CHARGE, TOP_UP))


@EACH
@pytest.mark.parametrize("timed_out", [True, False])
def test_a_success_that_broke_off_is_a_network_error(operation, timed_out):
    broken = Failure("the connection was closed", sent=True, timed_out=timed_out)
    played = call(operation, reply(200, failure=broken))
    assert type(played.error) is (BillingTimeout if timed_out else BillingNetworkError)
    assert len(played.sent) == 1
    assert played.error.outcome_unknown is (operation in (CHARGE, TOP_UP))


def test_a_charge_was_sent_where_its_status_came_back_whatever_the_transport_says():
    error = call(CHARGE, reply(202, failure=Failure("the request could not be written", sent=False))).error
    assert error.outcome_unknown


def test_the_status_of_a_refusal_says_more_than_that_its_body_broke_off():
    error = call(CHARGE, reply(500, failure=Failure("reset", sent=True))).error
    assert (type(error), error.status, error.outcome_unknown) == (BillingServerError, 500, True)


def test_a_message_about_a_broken_contract_stays_short():
    body = {"status": "settled", "amountUsd": "x" * 500_000, "settledAt": None}
    assert len(str(call(STATUS, reply(200, body)).error)) < 500


def test_no_step_shows_the_token():
    played = call(CHARGE, REFUSED, Credentials("canary-2", PREVIEW), ACCEPTED)
    assert "canary" not in repr(played.steps)
    assert "token-1" not in repr(played.steps)


def test_what_admits_a_request_is_asked_before_each_with_its_own_token_and_address():
    asked = []

    def before_send(credentials, address, once):
        asked.append((credentials.access_token, address, (yield from once(STATE)).org.id))

    flow = exchange(CHARGE, base_url=None, deadline=DEADLINE, before_send=before_send)
    state, moved = reply(200, OWNER_STATE), Credentials("token-2", "https://moved.example")
    played = play(flow, credentials(), state, REFUSED, moved, state, ACCEPTED)
    assert asked == [("token-1", PREVIEW, "org_1"), ("token-2", "https://moved.example", "org_1")]
    assert [step.operation.moves_money for step in played.sent] == [False, True, False, True]
    assert {step.deadline for step in played.steps} == {DEADLINE}


def test_a_request_that_is_not_admitted_is_not_sent():
    error = BillingInvalidRequest("elsewhere", error="wrong_organisation")

    def before_send(credentials, address, once):
        raise error
        yield

    played = play(exchange(CHARGE, base_url=None, deadline=DEADLINE, before_send=before_send), credentials())
    assert (played.error, played.sent) == (error, [])


def test_a_token_that_is_refused_as_it_is_looked_at_is_replaced_and_looked_at_anew():
    def before_send(credentials, address, once):
        yield from once(STATE)

    flow = exchange(CHARGE, base_url=None, deadline=DEADLINE, before_send=before_send)
    played = play(flow, credentials(), REFUSED, credentials("token-2"), reply(200, OWNER_STATE), ACCEPTED)
    assert tokens(played) == ["token-1", "token-2", "token-2"]
    assert played.result.charge_id == "ch_1"


def test_what_admits_a_charge_is_sent_once_more_on_a_dead_connection_and_the_charge_is_not():
    def before_send(credentials, address, once):
        yield from once(STATE)

    def flow():
        return exchange(CHARGE, base_url=None, deadline=DEADLINE, before_send=before_send)

    assert play(flow(), credentials(), STALE, reply(200, OWNER_STATE), ACCEPTED).result.charge_id == "ch_1"
    failed = play(flow(), credentials(), reply(200, OWNER_STATE), STALE)
    assert (len(failed.sent), failed.error.outcome_unknown) == (2, True)


def test_a_failure_of_what_admits_a_charge_says_nothing_of_a_charge():
    def before_send(credentials, address, once):
        yield from once(STATE)

    flow = exchange(CHARGE, base_url=None, deadline=DEADLINE, before_send=before_send)
    assert not play(flow, credentials(), Failure("reset", sent=True)).error.outcome_unknown


UNKNOWN = " The charge may have been made: try again with the same idempotency key, never a new one."
RESET = Failure("reset by peer", sent=True)
UNSENT = Failure("connection refused", sent=False)
LATE = Failure("the time allowed for the call has passed", sent=True, timed_out=True)
BROKEN = reply(200, b"{", {"content-type": "application/json"})


@pytest.mark.parametrize(
    ("operation", "answer", "sentence"),
    [
        (STATE, RESET, "Could not reach the portal: reset by peer."),
        (CHARGE, RESET, f"Could not reach the portal: reset by peer.{UNKNOWN}"),
        (CHARGE, UNSENT, "Could not reach the portal: connection refused. Nothing was charged."),
        (STATE, LATE, "The portal did not answer in time: the time allowed for the call has passed."),
        (CHARGE, LATE, f"The portal did not answer in time: the time allowed for the call has passed.{UNKNOWN}"),
        (STATE, reply(200, unreadable="is compressed"), "The portal's reply is compressed."),
        (CHARGE, reply(202, unreadable="is compressed"), f"The portal's reply is compressed.{UNKNOWN}"),
        (STATE, BROKEN, "The portal's reply is not valid JSON."),
        (CHARGE, BROKEN, f"The portal's reply is not valid JSON.{UNKNOWN}"),
        (
            STATE,
            reply(200, b"<html>"),
            "Something other than the billing API answered, such as a web page. Check the base URL.",
        ),
        (
            CHARGE,
            reply(202, b"{}"),
            f"The portal's reply does not match the API contract (chargeId is missing).{UNKNOWN}",
        ),
        (
            STATUS,
            reply(200, {"status": "settled", "amountUsd": "x", "settledAt": "2026-06-13T10:00:00Z"}),
            "The portal's reply does not match the API contract (amountUsd is not a decimal string of dollars).",
        ),
    ],
)
def test_each_failure_has_its_sentence(operation, answer, sentence):
    error = call(operation, answer).error
    assert (str(error), error.message) == (sentence, sentence)


@pytest.mark.parametrize(
    ("answer", "code", "payload", "status"),
    [
        (reply(202, {"charge": 1}), "invalid_response", {"charge": 1}, 202),
        (reply(202, [1]), "invalid_response", {}, 202),
        (reply(202, b" \n"), "invalid_response", {}, 202),
        (BROKEN, "invalid_response", {}, 200),
        (reply(203, b"<html>"), "endpoint_unavailable", {}, 203),
        (reply(206, unreadable="is compressed"), "invalid_response", {}, 206),
    ],
)
def test_a_reply_that_breaks_the_contract_is_kept_as_far_as_it_could_be_read(answer, code, payload, status):
    error = call(CHARGE, answer).error
    assert (type(error), error.error) == (BillingResponseError, code)
    assert (error.payload, error.status) == (payload, status)
    assert error.__suppress_context__ or error.__context__ is None


def test_a_link_of_a_refusal_is_one_of_the_address_that_refused():
    answer = reply(403, {"error": "no_payment_method", "portalUrl": "/billing"})
    assert call(CHARGE, answer).error.portal_url == f"{PREVIEW}/billing"
    assert call(CHARGE, answer, base_url="https://own.example").error.portal_url == "https://own.example/billing"


def test_where_the_result_cannot_be_loaded_nothing_is_sent(monkeypatch):
    def fail(self):
        raise ImportError("sys.meta_path is None")

    monkeypatch.setattr(operations.Operation, "load_result", fail)
    played = play(exchange(charge(), base_url=None, deadline=DEADLINE))
    assert (type(played.error), played.error.outcome_unknown, played.sent) == (BillingNetworkError, False, [])
    assert str(played.error) == "Could not reach the portal: the program is ending. Nothing was charged."
