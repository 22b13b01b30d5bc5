"""How long the token endpoint is left alone after it failed."""

import pytest

from nous_billing.auth.backoff import pause_after, wanted_pause
from nous_billing.protocol.replies import Failure
from tests.unit.drive import reply

SENT = Failure("reset by peer", sent=True)
UNSENT = Failure("connection refused", sent=False)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("1", 1),
        ("3600", 3600),
        ("3601", 3600),
        ("999999999", 3600),
        ("Sun, 15 Jun 2025 15:07:10 GMT", 30),
        ("Mon, 15 Jun 2099 15:07:10 GMT", 3600),
        ("Sun, 15 Jun 2025 15:06:40 GMT", None),
        ("Sun, 15 Jun 2014 15:07:10 GMT", None),
        ("0", None),
        ("-5", None),
        ("soon", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 429, 503])
def test_what_the_portal_asks_for_counts_up_to_an_hour(value, seconds, status):
    answer = reply(status, headers={"retry-after": value})
    assert wanted_pause(answer) == seconds
    assert pause_after(answer, 1) == (seconds or 15)


@pytest.mark.parametrize("answer", [SENT, UNSENT])
def test_without_a_reply_the_portal_asks_for_nothing(answer):
    assert wanted_pause(answer) is None


@pytest.mark.parametrize(
    ("answer", "pauses"), [(SENT, [5, 15, 45, 135, 300]), (reply(503), [5, 15, 45, 135, 300]), (UNSENT, [5, 15, 30])]
)
def test_the_pause_grows_up_to_an_end_that_is_nearer_where_nothing_was_sent(answer, pauses):
    assert [pause_after(answer, failures) for failures in range(len(pauses))] == pauses
    assert pause_after(answer, 10**9) == pauses[-1]
