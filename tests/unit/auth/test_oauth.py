"""The flows of a refresh and of a device login, each step answered by hand: what is sent, and what a person is told."""

import pytest

from nous_billing._secrets import Secret
from nous_billing.auth import oauth
from nous_billing.auth.device_login import DeviceCode, device_login
from nous_billing.errors import BillingAuthError, BillingNetworkError, BillingTimeout
from nous_billing.protocol.exchange import Sleep
from nous_billing.protocol.replies import Failure
from tests.unit.drive import NOW, PREVIEW, answer_steps, reply

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PAIR = reply(200, {"access_token": "at_2", "refresh_token": "rt_2", "expires_in": 900, "scope": "a b"})
CODE = {
    "device_code": "dc_1",
    "user_code": "ABCD-EFGH",
    "verification_uri": "/device",
    "verification_uri_complete": "/device?user_code=ABCD-EFGH",
    "expires_in": 60,
    "interval": 7,
}
PENDING = reply(400, {"error": "authorization_pending"})
LOST = Failure("reset by peer", sent=True)
UNSENT = Failure("connection refused", sent=False)
LATE = Failure("the time allowed for the call has passed", sent=True, timed_out=True)


def renew(clock, *answers, failures=0):
    def answer(step):
        return clock.sleep(step.seconds) if isinstance(step, Sleep) else left.pop(0)

    left = list(answers)
    played = answer_steps(oauth.refresh(PREVIEW, "client-1", Secret("rt_1"), clock, failures), answer)
    assert not left
    return played


def log_in(clock, *answers, cancelled=None, on_code=None):
    def answer(step):
        return clock.sleep(step.seconds) if isinstance(step, Sleep) else left.pop(0)

    left = list(answers)
    shown = []
    flow = device_login(PREVIEW, "client-1", "a b", on_code or shown.append, cancelled, clock)
    played = answer_steps(flow, answer)
    assert not left
    return played, shown


def test_a_refresh_sends_the_form_of_the_contract_and_no_credentials(clock):
    (step,) = renew(clock, PAIR).sent
    assert (step.base_url, step.credentials, step.deadline) == (PREVIEW, None, clock.monotonic() + 10)
    assert (step.operation.method, step.operation.path) == ("POST", "/api/oauth/token")
    assert step.operation.headers == {**FORM, "x-nous-refresh-token": "rt_1"}
    assert step.operation.body == b"grant_type=refresh_token&client_id=client-1"
    assert not step.operation.moves_money


def test_a_refresh_returns_all_that_the_portal_says_of_the_tokens(clock):
    assert renew(clock, PAIR).result == oauth.Tokens(
        access_token=Secret("at_2"),
        refresh_token=Secret("rt_2"),
        requested_at=NOW,
        expires_in=900.0,
        scope="a b",
        token_type="Bearer",
    )


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        ({"access_token": " at_2 "}, ("at_2", None, None, None, "Bearer")),
        ({"access_token": "at_2", "token_type": " MAC "}, ("at_2", None, None, None, "MAC")),
        ({"access_token": "at_2", "refresh_token": " ", "scope": 5}, ("at_2", None, None, None, "Bearer")),
        ({"access_token": "at_2", "expires_in": 0.5, "scope": ""}, ("at_2", None, 0.5, "", "Bearer")),
        ({"access_token": "at_2", "scope": "a " * 999 + "b"}, ("at_2", None, None, "a " * 999 + "b", "Bearer")),
    ],
)
def test_what_the_portal_does_not_say_of_the_tokens_is_none(clock, body, tokens):
    told = renew(clock, reply(200, body)).result
    assert (told.access_token, told.refresh_token, told.expires_in, told.scope, told.token_type) == tokens


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"error": "invalid_grant"}, "invalid_grant"),
        ({"error": "invalid_token"}, "invalid_token"),
        ({"error": "refresh_token_reused"}, "refresh_token_reused"),
        ({"error": "x", "error_description": "Token REUSE."}, "x"),
        ({"error": "x", "error_description": "x" * 1000 + " Reuse."}, "x"),
        ({"error_description": "reused"}, "invalid_grant"),
    ],
)
@pytest.mark.parametrize("status", [200, 299, 400, 401, 499])
def test_a_login_that_the_portal_has_ended_is_said_to_be_so(clock, body, error, status):
    played = renew(clock, reply(status, body, {"x-request-id": "req_1"}))
    assert (type(played.error), played.error.status, played.error.error) == (BillingAuthError, 401, error)
    assert str(played.error) == f"The portal has ended this login ({error}). Log in again."
    assert played.error.request_id == "req_1"
    assert len(played.sent) == 1


@pytest.mark.parametrize(
    ("answer", "cls", "status", "sentence"),
    [
        (UNSENT, BillingNetworkError, None, "right now: connection refused. Try again in 5 s."),
        (
            Failure("the time allowed for the call has passed", sent=False, timed_out=True),
            BillingTimeout,
            None,
            "right now: the time allowed for the call has passed. Try again in 5 s.",
        ),
        (reply(503, {"error": "invalid_grant"}), BillingNetworkError, 503, "right now (HTTP 503). Try again in 5 s."),
        (reply(429, {"error": "invalid_grant"}), BillingNetworkError, 429, "right now (HTTP 429). Try again in 5 s."),
        (reply(302), BillingNetworkError, 302, "right now (HTTP 302). Try again in 5 s."),
        (reply(404, {"access_token": "x"}), BillingNetworkError, 404, "right now (HTTP 404). Try again in 5 s."),
        (reply(399, {"error": "invalid_grant"}), BillingNetworkError, 399, "right now (HTTP 399). Try again in 5 s."),
    ],
)
def test_what_may_pass_is_said_to_be_so_and_not_replayed(clock, answer, cls, status, sentence):
    played = renew(clock, answer)
    assert (type(played.error), played.error.status, played.error.error) == (cls, status, "network_error")
    assert str(played.error) == f"The login could not be renewed {sentence}"
    assert (len(played.sent), clock.passed) == (1, 0)


@pytest.mark.parametrize(
    ("answer", "failures", "pause"),
    [
        (reply(429, {}, {"retry-after": "77"}), 3, 77),
        (reply(503, {}, {"retry-after": "0"}), 1, 15),
        (reply(200, {"error": "slow_down"}), 2, 45),
        (reply(400, {}), 0, 5),
        (UNSENT, 2, 30),
    ],
)
def test_a_renewal_that_failed_says_when_to_try_again(clock, answer, failures, pause):
    error = renew(clock, answer, failures=failures).error
    assert (error.retry_after, error.message.partition(". ")[2]) == (pause, f"Try again in {pause} s.")


@pytest.mark.parametrize(
    "answer",
    [
        LOST,
        LATE,
        reply(500),
        reply(502),
        reply(504),
        reply(200, {}),
        reply(204),
        reply(500, {"error": "invalid_grant"}),
    ],
)
def test_a_refresh_whose_token_may_be_spent_is_replayed_twice_after_one_and_two_seconds(clock, answer):
    played = renew(clock, answer, answer, answer)
    assert [step.deadline for step in played.sent] == [1010.0, 1011.0, 1013.0]
    assert played.error.error == "network_error"
    assert {step.operation.body for step in played.sent} == {played.sent[0].operation.body}


@pytest.mark.parametrize("status", [200, 500, 502, 504])
def test_a_portal_that_asks_for_a_longer_pause_gets_no_replay_within_it(clock, status):
    short, long = (reply(status, {}, {"retry-after": seconds}) for seconds in ("1", "300"))
    played = renew(clock, short, long)
    assert (len(played.sent), clock.passed) == (2, 1)
    assert (type(played.error), played.error.retry_after) == (BillingNetworkError, 300)


def test_a_replay_counts_the_life_of_its_tokens_from_its_own_beginning(clock):
    assert renew(clock, LOST, PAIR).result.requested_at == NOW + 1


def test_a_token_that_was_found_spent_by_a_replay_ends_the_login(clock):
    assert renew(clock, LOST, reply(400, {"error": "invalid_grant"})).error.error == "invalid_grant"


# Device login


def test_a_device_login_asks_for_a_code_shows_it_and_polls_until_it_is_approved(clock):
    played, (code,) = log_in(clock, reply(200, CODE), PENDING, PAIR)
    assert code == DeviceCode(
        user_code="ABCD-EFGH",
        verification_uri=f"{PREVIEW}/device",
        verification_uri_complete=f"{PREVIEW}/device?user_code=ABCD-EFGH",
        expires_in=60.0,
    )
    asked, *polled = played.sent
    assert (asked.operation.path, asked.operation.body) == ("/api/oauth/device/code", b"client_id=client-1&scope=a+b")
    assert (asked.operation.headers, asked.operation.method, asked.base_url) == (FORM, "POST", PREVIEW)
    for step in polled:
        assert (step.operation.path, step.operation.headers, step.base_url) == ("/api/oauth/token", FORM, PREVIEW)
        assert step.operation.body == (
            b"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_id=client-1&device_code=dc_1"
        )
    assert [step.deadline for step in played.sent] == [1010.0, 1017.0, 1024.0]
    # Nobody who cannot cancel is woken in between.
    assert [step for step in played.steps if isinstance(step, Sleep)] == [Sleep(7.0), Sleep(7.0)]
    assert (played.result.access_token, played.result.requested_at) == ("at_2", NOW + 14)


@pytest.mark.parametrize("missing", ["device_code", "user_code", "verification_uri"])
@pytest.mark.parametrize("value", [None, " ", 5])
def test_a_code_that_is_not_complete_is_not_shown(clock, missing, value):
    played, shown = log_in(clock, reply(200, {**CODE, missing: value}))
    assert (type(played.error), played.error.error, shown) == (BillingNetworkError, "network_error", [])
    assert str(played.error) == "The portal's login code is incomplete. Try again shortly."


def test_a_device_code_that_is_no_token_is_not_polled_with(clock):
    played, shown = log_in(clock, reply(200, {**CODE, "device_code": "dc\x00"}))
    assert (type(played.error), played.error.error, shown) == (BillingAuthError, "invalid_token", [])
    assert str(played.error) == (
        "The portal's device code is blank or has characters that a token cannot have. Log in again."
    )


def test_what_a_person_is_shown_of_a_login_can_be_printed(clock):
    hostile = "AB\x1b[2JCD\u202e\r\nEF"
    _, (code,) = log_in(clock, reply(200, {**CODE, "user_code": hostile}), PAIR)
    told = "AB\ufffd[2JCD\ufffd\ufffd\ufffdEF"
    assert code.user_code == told
    played, _ = log_in(clock, reply(400, {"error": hostile}))
    assert (str(played.error), played.error.error) == (f"The portal refused the login ({told}).", told)
    scope = renew(clock, reply(200, {"access_token": "at", "scope": hostile, "token_type": hostile})).result
    assert (scope.scope, scope.token_type) == (told, told)


@pytest.mark.parametrize(
    ("answer", "cls", "status", "sentence"),
    [
        (
            UNSENT,
            BillingNetworkError,
            None,
            "The login could not be started: connection refused. Try again shortly.",
        ),
        (LATE, BillingTimeout, None, f"The login could not be started: {LATE.reason}. Try again shortly."),
        (
            reply(503, CODE),
            BillingNetworkError,
            503,
            "The login could not be started (HTTP 503). Try again shortly.",
        ),
        (reply(404), BillingNetworkError, 404, "The login could not be started (HTTP 404). Try again shortly."),
        (
            reply(429, headers={"retry-after": "30"}),
            BillingNetworkError,
            429,
            "The login could not be started (HTTP 429). Try again in 30 s.",
        ),
    ],
)
def test_a_portal_that_gives_no_code_is_said_to_be_so(clock, answer, cls, status, sentence):
    played, shown = log_in(clock, answer)
    assert (type(played.error), played.error.status, played.error.error) == (cls, status, "network_error")
    assert (str(played.error), shown) == (sentence, [])


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("access_denied", "The login was refused on the portal."),
        ("expired_token", "The code expired before it was approved. Log in again."),
        ("invalid_client", "The portal refused the login (invalid_client)."),
    ],
)
@pytest.mark.parametrize("before", [[], [reply(200, CODE)], [reply(200, CODE), PENDING]])
@pytest.mark.parametrize("status", [200, 400])
def test_a_refusal_has_its_sentence(clock, error, sentence, before, status):
    played, _ = log_in(clock, *before, reply(status, {"error": error}))
    assert (type(played.error), played.error.error, str(played.error)) == (BillingAuthError, error, sentence)


@pytest.mark.parametrize(
    "answer",
    [
        PENDING,
        reply(200, {"error": "authorization_pending"}),
        UNSENT,
        LATE,
        reply(500, {"error": "access_denied"}),
        reply(404, {"access_token": "x"}),
        reply(200, {}),
        reply(400, {}),
        reply(400, {"error": ["access_denied"]}),
        reply(302, {"error": "access_denied"}),
    ],
)
def test_what_may_pass_ends_no_login_and_changes_no_interval(clock, answer):
    played, _ = log_in(clock, reply(200, CODE), answer, answer, PAIR)
    assert (played.result.access_token, clock.passed) == ("at_2", 21)


@pytest.mark.parametrize(
    "answer",
    [
        reply(200, {"error": "slow_down"}),
        reply(400, {"error": "slow_down"}),
        reply(429, {"error": "access_denied"}),
        reply(429, headers={"retry-after": "12"}),
    ],
)
def test_each_answer_that_asks_to_slow_down_adds_five_seconds(clock, answer):
    played, _ = log_in(clock, reply(200, CODE), answer, answer, PAIR)
    assert [step.deadline - 1010 for step in played.sent] == [0, 7, 19, 36]


def test_the_next_poll_waits_for_as_long_as_the_portal_asks_and_the_one_after_it_does_not(clock):
    busy = reply(503, headers={"retry-after": "20"})
    played, _ = log_in(clock, reply(200, CODE), busy, PENDING, PAIR)
    assert [step.deadline - 1010 for step in played.sent] == [0, 7, 27, 34]


def test_a_code_that_expires_while_the_portal_asks_to_wait_has_expired(clock):
    played, _ = log_in(clock, reply(200, CODE), reply(503, headers={"retry-after": "3600"}))
    assert (played.error.error, clock.passed) == ("expired_token", 60)


@pytest.mark.parametrize(
    ("interval", "expires_in", "polls"), [(None, None, 119), (0, 0, 119), ("x", True, 119), (60, 60, 0)]
)
def test_a_code_has_ten_minutes_and_is_polled_every_five_seconds_unless_the_portal_says_otherwise(
    clock, interval, expires_in, polls
):
    code = {**CODE, "interval": interval, "expires_in": expires_in}
    played, (shown,) = log_in(clock, reply(200, code), *[PENDING] * polls)
    assert (type(played.error), played.error.error) == (BillingAuthError, "expired_token")
    assert clock.passed == shown.expires_in == (60 if polls == 0 else 600)


def test_a_login_that_is_cancelled_before_its_code_is_shown_shows_none(clock):
    played, shown = log_in(clock, reply(200, CODE), cancelled=lambda: True)
    assert (type(played.error), played.error.error, shown) == (BillingAuthError, "login_cancelled", [])
    assert str(played.error) == "The login was cancelled."


@pytest.mark.parametrize("moment", [0.1, 0.25, 6.9, 7.0, 8.0])
def test_a_login_that_is_cancelled_while_it_waits_ends_within_a_quarter_of_a_second(clock, moment):
    played, _ = log_in(
        clock, reply(200, CODE), *([PENDING] if moment > 7 else []), cancelled=lambda: clock.passed >= moment
    )
    assert played.error.error == "login_cancelled"
    assert moment <= clock.passed <= moment + 0.25


def test_what_ends_a_login_shows_no_code_of_the_device_in_a_traceback(clock):
    flow = device_login(PREVIEW, "client-1", "a", lambda code: None, None, clock)
    next(flow)
    flow.send(reply(200, CODE))
    flow.send(None)
    with pytest.raises(KeyboardInterrupt) as caught:
        flow.throw(KeyboardInterrupt())
    frames = [entry.frame for entry in caught.traceback if entry.path.name == "device_login.py"]
    assert frames
    assert all("dc_1" not in repr(frame.f_locals) for frame in frames)


def test_a_pause_that_no_system_can_wait_for_is_waited_for_in_parts(clock):
    played, _ = log_in(clock, reply(200, {**CODE, "interval": 5e10, "expires_in": 9e10}), PAIR)
    slept = [step.seconds for step in played.steps if isinstance(step, Sleep)]
    assert (sum(slept), max(slept)) == (5e10, 31_536_000)
