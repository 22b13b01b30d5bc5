"""The rules of waiting for a charge, on a clock that moves only when somebody sleeps."""

import math
from decimal import Decimal

import pytest

from nous_billing import errors
from nous_billing._base_client import BaseClient
from nous_billing.credentials import StaticToken
from nous_billing.errors import (
    BillingChargeCancelled,
    BillingChargeTimeout,
    BillingChargeUnconfirmed,
    BillingError,
    BillingInvalidRequest,
)
from nous_billing.models import ChargeFailed, ChargePending, ChargeSettled
from nous_billing.protocol.exchange import Send, Sleep
from nous_billing.protocol.replies import Failure
from nous_billing.protocol.seconds import check_seconds
from nous_billing.protocol.settlement import DEFAULT_CAP, DEFAULT_INTERVAL, settlement
from tests.unit.drive import credentials, reply, short, waiting

PENDING = reply(200, {"status": "pending"})
SETTLED = reply(200, {"status": "settled", "amountUsd": "50", "settledAt": "2026-06-13T10:00:00Z"})
DECLINED = reply(200, {"status": "failed", "reason": "card_declined"})
DOWN = Failure("connection refused", sent=False)
LATE = Failure("the time allowed for the call has passed", sent=True, timed_out=True)


def flow(clock, charge_id="ch_1", **options):
    """As the client makes it."""
    options = {"interval": 2.0, "cap": 300.0, "on_poll": None, "cancelled": None, **options}
    client = BaseClient(StaticToken("unused"), None, options.pop("timeout", 15.0), clock)
    return client._settlement(charge_id, **options)


def wait(clock, polls, **options):
    return waiting(flow(clock, **options), polls, clock)


def limited(status, retry_after):
    return reply(status, {"error": "rate_limited"}, {} if retry_after is None else {"retry-after": str(retry_after)})


def test_a_charge_that_settles_is_returned(clock):
    played, begun = wait(clock, [PENDING, PENDING, SETTLED])
    assert isinstance(played.result, ChargeSettled)
    assert played.result.amount_usd == Decimal(50)
    assert begun == [0, 2, 4]
    assert {step.operation.path for step in played.sent} == {"/api/billing/charge/ch_1"}


def test_a_charge_that_fails_is_returned_and_not_raised(clock):
    played, _ = wait(clock, [PENDING, DECLINED])
    assert isinstance(played.result, ChargeFailed)
    assert played.result.reason == "card_declined"


def test_the_first_poll_is_made_at_once(clock):
    played, begun = wait(clock, [SETTLED], interval=30.0)
    assert (begun, clock.passed) == ([0], 0)
    assert played.caught is None


def test_a_status_never_heard_of_goes_on(clock):
    played, begun = wait(clock, [reply(200, {"status": "reviewing"}), SETTLED])
    assert isinstance(played.result, ChargeSettled)
    assert len(begun) == 2


def test_a_wait_polls_every_two_seconds_for_five_minutes():
    assert (DEFAULT_INTERVAL, DEFAULT_CAP) == (2.0, 300.0)


def test_a_charge_still_pending_at_the_cap_is_a_timeout_and_no_failure(clock):
    played, begun = wait(clock, [PENDING], cap=10.0, interval=3.0)
    error = played.error
    assert type(error) is BillingChargeTimeout
    assert (error.error, error.charge_id, error.last_error, error.outcome_unknown) == (
        "charge_timeout",
        "ch_1",
        None,
        True,
    )
    assert "10 seconds" in str(error)
    # A last poll is begun at the cap, however little of an interval was left.
    assert begun == [0, 3, 6, 9, 10]


def test_each_poll_has_its_own_deadline(clock):
    played, begun = wait(clock, [PENDING, PENDING, SETTLED], timeout=7.0)
    assert [step.deadline for step in played.sent] == [1000.0 + moment + 7.0 for moment in begun]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("retry_after", "interval", "pause"),
    [
        (None, 2.0, 5),
        ("soon", 2.0, 5),
        ("-5", 2.0, 5),
        ("inf", 2.0, 5),
        ("1" * 30, 2.0, 5),
        (0, 2.0, 2),
        (1, 2.0, 2),
        (2, 2.0, 2),
        (7, 2.0, 7),
        (30, 2.0, 30),
        (31, 2.0, 30),
        (3600, 2.0, 30),
        (999_999_999, 2.0, 30),
        ("Sun, 15 Jun 2025 15:06:50 GMT", 2.0, 10),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 2.0, 2),
        (None, 10.0, 10),
        (3, 10.0, 10),
        (3600, 60.0, 60),
        (0, 0.5, 0.5),
    ],
)
def test_a_rate_limit_backs_off_as_it_was_told_within_bounds(clock, status, retry_after, interval, pause):
    played, begun = wait(clock, [limited(status, retry_after), SETTLED], interval=interval)
    assert isinstance(played.result, ChargeSettled)
    assert begun == [0, pause]


def test_backing_off_ends_at_the_cap(clock):
    played, begun = wait(clock, [limited(429, 3600)], cap=40.0)
    assert begun == [0, 30, 40]
    assert type(played.error) is BillingChargeTimeout
    assert type(played.error.last_error) is errors.BillingRateLimited
    assert played.error.__cause__ is played.error.last_error


PASSING = [
    DOWN,
    LATE,
    Failure("reset", sent=True),
    reply(500),
    reply(502, b"<html>"),
    reply(504),
    reply(520),
    limited(429, 1),
    limited(503, 1),
    reply(503, {"error": "stripe_unavailable"}, {"retry-after": "1"}),
    reply(200, b"<html>"),
    reply(404, b"<html>"),
    reply(302, b""),
    reply(200, b'{"status":"settled"}'),
    reply(200, unreadable="is compressed"),
    reply(200, failure=LATE),
    errors.BillingNetworkError("could not renew the login", error="network_error"),
]


@pytest.mark.parametrize("passing", PASSING, ids=range(len(PASSING)))
def test_what_may_pass_is_outlived(clock, passing):
    played, _ = wait(clock, [passing, passing, PENDING, passing, SETTLED])
    assert isinstance(played.result, ChargeSettled)


@pytest.mark.parametrize("passing", PASSING, ids=range(len(PASSING)))
def test_what_does_not_pass_until_the_cap_is_a_timeout_that_says_what_it_was(clock, passing):
    seen = []
    played, _ = wait(clock, [passing], cap=20.0, on_poll=seen.append)
    assert type(played.error) is BillingChargeTimeout
    assert played.error.last_error is seen[-1] is played.error.__cause__
    assert played.error.status == seen[-1].status


def test_a_good_poll_clears_what_went_wrong_before(clock):
    played, _ = wait(clock, [DOWN, DOWN, PENDING], cap=20.0)
    assert type(played.error) is BillingChargeTimeout
    assert (played.error.last_error, played.error.__cause__) == (None, None)


LOST = [
    (reply(401, {"error": "invalid_token"}), errors.BillingAuthError),
    (reply(401, {"error": "session_revoked", "recovery": "login"}), errors.BillingSessionRevoked),
    (reply(403, {"error": "insufficient_scope", "portalUrl": "/billing"}), errors.BillingScopeRequired),
    (reply(403, {"error": "remote_spending_revoked", "actor": "admin"}), errors.BillingRemoteSpendingRevoked),
    (reply(403, {"error": "role_required", "portalUrl": "/billing"}), errors.BillingRoleRequired),
    (reply(403, {"error": "org_access_denied", "portalUrl": "/billing"}), errors.BillingAccessDenied),
    (reply(403, {"error": "cli_billing_disabled", "portalUrl": "/billing"}), errors.BillingDisabled),
    (errors.BillingAuthError("Not logged in.", error="invalid_token"), errors.BillingAuthError),
]


@pytest.mark.parametrize(("loss", "cls"), LOST, ids=range(len(LOST)))
def test_access_lost_while_waiting_leaves_the_charge_unconfirmed_and_never_failed(clock, loss, cls):
    seen = []
    played, begun = wait(clock, [PENDING, DOWN, loss], on_poll=seen.append)
    error = played.error
    assert type(error) is BillingChargeUnconfirmed
    assert type(error.last_error) is cls
    assert error.__cause__ is error.last_error
    assert (error.error, error.charge_id, error.outcome_unknown) == ("charge_unconfirmed", "ch_1", True)
    assert (error.status, error.portal_url, error.actor) == (
        error.last_error.status,
        error.last_error.portal_url,
        error.last_error.actor,
    )
    assert "may have settled" in str(error)
    assert error.last_error.message in str(error)
    assert len(begun) == 3
    assert [type(outcome) for outcome in seen] == [ChargePending, errors.BillingNetworkError]


def test_a_wait_cancelled_before_it_began_sends_nothing(clock):
    played, _ = wait(clock, [SETTLED], cancelled=lambda: True)
    assert (played.sent, played.resolved) == ([], [])
    assert type(played.error) is BillingChargeCancelled
    assert (played.error.error, played.error.charge_id) == ("charge_cancelled", "ch_1")
    assert (played.error.outcome_unknown, played.error.last_error) == (True, None)


def test_a_wait_cancelled_by_what_a_poll_showed_ends_before_any_sleep(clock):
    seen = []
    played, begun = wait(clock, [DOWN], on_poll=seen.append, cancelled=lambda: bool(seen))
    assert type(played.error) is BillingChargeCancelled
    assert (begun, clock.passed) == ([0], 0)
    assert played.error.last_error is seen[0]


@pytest.mark.parametrize("moment", [0.1, 0.25, 1.9, 2.0, 11.3])
@pytest.mark.parametrize("interval", [2.0, 30.0])
def test_a_cancellation_during_a_sleep_is_noticed_within_a_quarter_of_a_second(clock, moment, interval):
    played, _ = wait(clock, [PENDING], interval=interval, cancelled=lambda: clock.passed >= moment)
    assert type(played.error) is BillingChargeCancelled
    assert moment <= clock.passed <= moment + 0.25


def test_backing_off_can_be_cancelled_as_soon(clock):
    played, begun = wait(clock, [limited(429, 30)], cancelled=lambda: clock.passed >= 1.0)
    assert type(played.error) is BillingChargeCancelled
    assert type(played.error.last_error) is errors.BillingRateLimited
    assert (begun, clock.passed) == ([0], 1.0)


def test_a_charge_that_settled_is_returned_though_the_caller_gave_up_during_the_poll(clock):
    seen = []
    played, _ = wait(clock, [SETTLED], on_poll=seen.append, cancelled=lambda: bool(seen))
    assert isinstance(played.result, ChargeSettled)


def test_nobody_who_cannot_cancel_is_woken_between_two_polls(clock):
    played, _ = wait(clock, [PENDING, SETTLED], interval=10.0)
    assert [step.seconds for step in played.steps if isinstance(step, Sleep)] == [10.0]


def test_a_nap_that_ended_early_is_slept_again(clock):
    waits = flow(clock, interval=10.0)
    next(waits)
    waits.send(credentials())
    assert waits.send(PENDING) == Sleep(10.0)
    clock.sleep(4)
    assert waits.send(None) == Sleep(6.0)
    clock.sleep(6)
    assert not isinstance(waits.send(None), (Sleep, Send))


def test_the_caller_is_told_every_outcome_in_order(clock):
    seen = []
    wait(
        clock, [PENDING, reply(500), limited(429, 1), reply(200, {"status": "reviewing"}), SETTLED], on_poll=seen.append
    )
    assert [type(outcome) for outcome in seen] == [
        ChargePending,
        errors.BillingServerError,
        errors.BillingRateLimited,
        ChargePending,
        ChargeSettled,
    ]
    assert [seen[0].status, seen[3].status] == ["pending", "reviewing"]


@pytest.mark.parametrize(
    "error", [ZeroDivisionError(), errors.BillingNetworkError("of the callback"), KeyboardInterrupt()]
)
@pytest.mark.parametrize("poll", [PENDING, SETTLED, DOWN], ids=["pending", "settled", "down"])
def test_what_the_callback_raises_comes_through(clock, error, poll):
    def on_poll(outcome):
        raise error

    if isinstance(error, BillingError):
        assert wait(clock, [poll], on_poll=on_poll)[0].error is error
        return
    with pytest.raises(type(error)) as caught:
        wait(clock, [poll], on_poll=on_poll)
    assert caught.value is error


def test_a_typed_error_of_the_caller_is_not_taken_for_the_portals(clock):
    error = errors.BillingAuthError("mine", error="invalid_token")

    def cancelled():
        raise error

    assert wait(clock, [PENDING], cancelled=cancelled)[0].error is error


def test_what_asking_for_a_cancellation_raises_comes_through(clock):
    with pytest.raises(ZeroDivisionError):
        wait(clock, [PENDING], cancelled=lambda: bool(1 / 0))


NO_SECONDS = [
    0,
    0.0,
    -1,
    -0.5,
    math.nan,
    math.inf,
    -math.inf,
    None,
    "5",
    True,
    False,
    Decimal(5),
    [5],
    b"5",
    10**400,
    1e300,
]


@pytest.mark.parametrize("value", NO_SECONDS, ids=short)
@pytest.mark.parametrize("name", ["interval", "cap"])
def test_what_is_no_length_of_time_is_refused_before_anything_is_sent(clock, name, value):
    played, _ = wait(clock, [SETTLED], **{name: value})
    assert played.steps == []
    assert type(played.error) is BillingInvalidRequest
    assert played.error.error == "invalid_timeout"
    assert str(played.error).startswith(f"{name} must be")


@pytest.mark.parametrize("value", NO_SECONDS, ids=short)
def test_a_timeout_is_checked_by_the_same_rule(value):
    with pytest.raises(BillingInvalidRequest, match=r"^timeout must be") as caught:
        check_seconds(value, "timeout")
    assert caught.value.error == "invalid_timeout"


@pytest.mark.parametrize("value", [1, 0.001, 15.0, 86_400, 31_536_000.0])
def test_a_length_of_time_is_taken_as_it_is(value):
    assert check_seconds(value, "timeout") is value


@pytest.mark.parametrize("charge_id", [None, "", " ", "..", "a b", 5, "x" * 256], ids=short)
def test_what_cannot_be_a_charge_id_is_refused_before_anything_is_sent(clock, charge_id):
    played, _ = wait(clock, [SETTLED], charge_id=charge_id)
    assert played.steps == []
    assert played.error.error == "invalid_charge_id"


def test_a_login_that_could_not_be_saved_ends_no_wait(clock):
    unsaved = errors.BillingLoginNotSaved("The disk is full.", error="login_not_saved")
    steps = flow(clock)
    next(steps)
    assert isinstance(steps.throw(unsaved), Sleep)


def test_at_the_cap_it_is_said_what_kept_the_end_from_being_learned(clock):
    with pytest.raises(BillingChargeTimeout, match=r"could not be read for 4 seconds: Could not reach"):
        raise wait(clock, [DOWN], cap=4)[0].error


STILL_OPEN = (
    "This is not a failure: it may have settled, or may still settle. Look at the billing page, or wait for it again."
)


@pytest.mark.parametrize(
    ("polls", "options", "sentence"),
    [
        ([PENDING], {"cap": 10.4}, f"The charge was still pending after 10 seconds. {STILL_OPEN}"),
        (
            [DOWN],
            {"cap": 4},
            "The status of the charge could not be read for 4 seconds: Could not reach the portal: connection refused. "
            f"{STILL_OPEN}",
        ),
        ([PENDING], {"cancelled": lambda: True}, "Stopped waiting for the charge. It may still settle."),
        (
            [errors.BillingAuthError("Not logged in.")],
            {},
            "The charge can no longer be polled, and may have settled: Not logged in.",
        ),
        ([], {"cap": 0}, "cap must be a number of seconds above 0 and at most 31536000, not 0."),
        ([], {"interval": -0.5}, "interval must be a number of seconds above 0 and at most 31536000, not -0.5."),
        ([], {"interval": "5"}, "interval must be a number of seconds above 0 and at most 31536000, not str."),
    ],
)
def test_each_end_without_a_result_has_its_sentence(clock, polls, options, sentence):
    assert str(wait(clock, polls, **options)[0].error) == sentence


@pytest.mark.parametrize("value", [31_536_000.5, 31_536_001])
def test_more_than_a_year_is_refused(value):
    with pytest.raises(BillingInvalidRequest):
        check_seconds(value, "timeout")


def test_each_poll_goes_to_the_callers_address_and_is_looked_at_before_it_leaves(clock):
    looked = []

    def before_send(credentials, address, once):
        looked.append((credentials.access_token, address))
        return
        yield

    waits = settlement(
        "ch_1",
        interval=2.0,
        cap=300.0,
        tell=None,
        cancelled=None,
        base_url="https://own.example",
        timeout=15.0,
        clock=clock,
        before_send=before_send,
    )
    played, _ = waiting(waits, [PENDING, SETTLED], clock)
    assert [step.base_url for step in played.sent] == ["https://own.example"] * 2
    assert looked == [("token-1", "https://own.example")] * 2
