"""The rules of waiting until the subscription shows an upgrade, on a clock that moves only when somebody sleeps."""

import math

import pytest

from nous_billing import errors
from nous_billing._base_client import BaseClient
from nous_billing.credentials import StaticToken
from nous_billing.errors import BillingInvalidRequest, BillingTimeout
from nous_billing.models import Subscription
from nous_billing.protocol.exchange import Sleep
from nous_billing.protocol.replies import Failure
from nous_billing.protocol.upgrade import DEFAULT_UPGRADE_CAP
from tests.unit.drive import PLUS, PREVIEW, SUBSCRIPTION, reply, short, waiting

NO_PLAN = reply(200, {**SUBSCRIPTION, "current": None})
PENDING = reply(200, SUBSCRIPTION)
UPGRADED = reply(200, {**SUBSCRIPTION, "current": {**PLUS, "tierId": "tier_super", "tierName": "Super"}})
DOWN = Failure("connection refused", sent=False)
STILL = "This is not a failure: the upgrade may still show. Read the subscription again."


def wait(clock, reads, tier="tier_super", *, base_url=None, timeout=15.0, interval=2.0, cap=30.0):
    """As the client makes it."""
    client = BaseClient(StaticToken("unused"), base_url, timeout, clock)
    return waiting(client._upgrade_wait(tier, interval, cap), reads, clock)


def test_the_subscription_is_returned_as_soon_as_it_is_on_the_tier(clock):
    played, begun = wait(clock, [PENDING, NO_PLAN, UPGRADED], " tier_super ")
    assert isinstance(played.result, Subscription)
    assert played.result.current.tier_id == "tier_super"
    assert begun == [0, 2, 4]
    assert {(step.operation.method, step.operation.path) for step in played.sent} == {
        ("GET", "/api/billing/subscription")
    }


def test_a_subscription_that_is_there_already_is_returned_without_a_sleep(clock):
    played, begun = wait(clock, [UPGRADED], interval=30.0)
    assert (begun, clock.passed, played.caught) == ([0], 0, None)


def test_each_read_has_its_own_deadline(clock):
    played, begun = wait(clock, [PENDING, UPGRADED], timeout=7.0)
    assert [step.deadline for step in played.sent] == [1000.0 + moment + 7.0 for moment in begun]


def test_each_read_goes_to_the_address_of_the_client(clock):
    played, _ = wait(clock, [PENDING, UPGRADED], base_url="https://elsewhere.example")
    assert {step.base_url for step in played.sent} == {"https://elsewhere.example"}


def test_a_wait_lasts_half_a_minute():
    assert DEFAULT_UPGRADE_CAP == 30.0


def test_a_subscription_that_does_not_show_it_at_the_cap_is_a_timeout_and_no_failure(clock):
    played, begun = wait(clock, [PENDING], interval=3.0, cap=10.0)
    error = played.error
    assert type(error) is BillingTimeout
    assert str(error) == f"The subscription did not show the upgrade in 10 seconds. {STILL}"
    assert (error.error, error.status, error.outcome_unknown, error.__cause__) == ("upgrade_timeout", None, True, None)
    assert error.portal_url == f"{PREVIEW}/plan"
    # A last read is begun at the cap, however little of an interval was left.
    assert begun == [0, 3, 6, 9, 10]


@pytest.mark.parametrize(
    ("last", "cls", "status", "seen"),
    [
        (DOWN, errors.BillingNetworkError, None, "Could not reach the portal: connection refused."),
        (reply(502, b"<html>"), errors.BillingServerError, 502, "The portal is failing (HTTP 502). Try again shortly."),
        # What a read says of charges is not said of an upgrade that may have been made.
        (
            reply(503, {"error": "stripe_unavailable", "message": "Down. Nothing was charged.", "portalUrl": "/down"}),
            errors.BillingStripeUnavailable,
            503,
            "Down.",
        ),
    ],
    ids=["network", "server", "processor"],
)
def test_a_subscription_that_cannot_be_read_until_the_cap_is_a_timeout_that_says_why(clock, last, cls, status, seen):
    error = wait(clock, [PENDING, last], cap=20.0)[0].error
    assert type(error) is BillingTimeout
    assert str(error) == f"The subscription could not be read: {seen} {STILL}"
    assert (error.error, error.status, error.outcome_unknown) == ("upgrade_timeout", status, True)
    assert type(error.__cause__) is cls
    assert error.portal_url == (f"{PREVIEW}/down" if seen == "Down." else None)


def test_a_good_read_clears_what_went_wrong_before(clock):
    error = wait(clock, [DOWN, reply(500), PENDING], cap=20.0)[0].error
    assert (error.__cause__, error.status) == (None, None)


PASSING = [
    DOWN,
    Failure("the time allowed for the call has passed", sent=True, timed_out=True),
    reply(500),
    reply(503, {"error": "temporarily_unavailable"}, {"retry-after": "1"}),
    reply(404, b"<html>"),
    reply(200, {"org": None}),
    errors.BillingLoginNotSaved("The disk is full.", error="login_not_saved"),
]


@pytest.mark.parametrize("passing", PASSING, ids=range(len(PASSING)))
def test_what_may_pass_is_outlived(clock, passing):
    played, _ = wait(clock, [passing, PENDING, passing, UPGRADED])
    assert isinstance(played.result, Subscription)


@pytest.mark.parametrize(("retry_after", "pause"), [(None, 5), ("0", 2), ("7", 7), ("31", 30)])
def test_a_rate_limit_backs_off_as_it_was_told(clock, retry_after, pause):
    headers = {} if retry_after is None else {"retry-after": retry_after}
    _, begun = wait(clock, [reply(429, {"error": "rate_limited"}, headers), UPGRADED])
    assert begun == [0, pause]


def test_backing_off_ends_at_the_cap(clock):
    played, begun = wait(clock, [reply(429, {"error": "rate_limited"}, {"retry-after": "3600"})], cap=40.0)
    assert (begun, type(played.error.__cause__)) == ([0, 30, 40], errors.BillingRateLimited)


@pytest.mark.parametrize(
    ("loss", "cls"),
    [
        (reply(401, {"error": "session_revoked"}), errors.BillingSessionRevoked),
        (reply(403, {"error": "org_access_denied"}), errors.BillingAccessDenied),
        (errors.BillingAuthError("Not logged in.", error="invalid_token"), errors.BillingAuthError),
    ],
    ids=["revoked", "denied", "logged out"],
)
def test_a_subscription_that_can_no_longer_be_read_ends_the_wait(clock, loss, cls):
    played, begun = wait(clock, [PENDING, loss])
    assert (type(played.error), begun) == (cls, [0, 2])


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, None, "5", True], ids=short)
@pytest.mark.parametrize("name", ["interval", "cap"])
def test_what_is_no_length_of_time_is_refused_before_anything_is_sent(clock, name, value):
    played, _ = wait(clock, [UPGRADED], **{name: value})
    assert (type(played.error), played.error.error, played.steps) == (BillingInvalidRequest, "invalid_timeout", [])
    assert str(played.error).startswith(f"{name} must be")


def test_what_cannot_be_a_tier_is_refused_before_anything_is_sent(clock):
    played, _ = wait(clock, [UPGRADED], "")
    assert (played.error.error, played.steps) == ("invalid_subscription_type", [])


def test_nobody_is_woken_between_two_reads(clock):
    played, _ = wait(clock, [PENDING, UPGRADED], interval=10.0)
    assert [step.seconds for step in played.steps if isinstance(step, Sleep)] == [10.0]
