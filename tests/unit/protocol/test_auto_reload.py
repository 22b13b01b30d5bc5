"""Auto-reload can be switched off at any time, whatever its amounts are."""

import pytest

from nous_billing.errors import BillingInvalidRequest, BillingServerError
from nous_billing.protocol.auto_reload import patch_auto_top_up
from tests.unit.drive import DEADLINE, OWNER_STATE, credentials, play, reply

# Not where the credentials are from.
GIVEN = "https://given.example"
SAVED = reply(200, {"ok": True})


def saving(enabled, threshold, top_up_amount, *answers):
    flow = patch_auto_top_up(enabled, threshold, top_up_amount, base_url=GIVEN, deadline=DEADLINE)
    return play(flow, *answers)


def state(auto_reload):
    return reply(200, {**OWNER_STATE, "autoReload": auto_reload})


@pytest.mark.parametrize(
    ("enabled", "threshold", "top_up_amount", "body"),
    [
        (True, 20, "100.50", b'{"enabled":true,"threshold":20,"topUpAmount":100.50}'),
        (False, 20, 100, b'{"enabled":false,"threshold":20,"topUpAmount":100}'),
        (False, 0, 0.0, b'{"enabled":false,"threshold":0,"topUpAmount":0.0}'),
    ],
)
def test_amounts_that_are_given_are_sent_as_they_are(enabled, threshold, top_up_amount, body):
    played = saving(enabled, threshold, top_up_amount, credentials(), SAVED)
    assert [step.operation.body for step in played.sent] == [body]
    assert played.caught is played.result is None


@pytest.mark.parametrize(
    ("auto_reload", "given", "sent"),
    [
        ({"enabled": True, "thresholdUsd": "20.50", "reloadToUsd": "100"}, (None, None), (b"20.50", b"100")),
        ({"enabled": True, "thresholdUsd": "20.50", "reloadToUsd": "100"}, (5, None), (b"5", b"100")),
        ({"enabled": True, "thresholdUsd": "20.50", "reloadToUsd": "100"}, (None, 5), (b"20.50", b"5")),
        ({"enabled": True, "thresholdUsd": None, "reloadToUsd": "100"}, (None, None), (b"0", b"100")),
        # No request may have them; they must not keep it switched on.
        ({"enabled": True, "thresholdUsd": "0.005", "reloadToUsd": "-1"}, (None, None), (b"0", b"0")),
        (None, (None, None), (b"0", b"0")),
    ],
)
def test_to_switch_off_the_amounts_of_the_state_are_sent_or_else_0(auto_reload, given, sent):
    played = saving(False, *given, credentials(), state(auto_reload), credentials(), SAVED)
    assert [step.operation.method for step in played.sent] == ["GET", "PATCH"]
    assert played.sent[1].operation.body == b'{"enabled":false,"threshold":%b,"topUpAmount":%b}' % sent
    assert {(step.base_url, step.deadline) for step in played.sent} == {(GIVEN, DEADLINE)}


@pytest.mark.parametrize(
    ("enabled", "threshold", "top_up_amount"),
    [(True, None, 100), (True, 20, None), (True, 0, 100), (True, 20, 0), (False, -1, None), (False, None, "x")],
)
def test_what_cannot_be_sent_is_refused_before_anything_is(enabled, threshold, top_up_amount):
    played = saving(enabled, threshold, top_up_amount)
    assert type(played.error) is BillingInvalidRequest
    assert played.error.error == "invalid_amount"


def test_a_state_that_cannot_be_read_saves_nothing():
    error = saving(False, None, None, credentials(), reply(500)).error
    assert (type(error), error.outcome_unknown) == (BillingServerError, False)
