"""Whatever becomes of replies and processes: one charge for a key, and the truth about it."""

import json
from decimal import Decimal

from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

import nous_billing as nb
from nous_billing._printable import printable_value
from nous_billing.mock import Fault

from . import contract


def lost(*replies):
    """Replies that say nothing of the charge, which was made or was not."""
    return st.booleans().flatmap(lambda acts: st.sampled_from([reply(acts=acts) for reply in replies]))


def answered(status, error, **headers):
    return lambda acts=False: Fault.reply(status, {"error": error}, headers, acts=acts)


PASSES = Fault.drip(0)
MAY_BE_MADE = lost(
    Fault.drop,
    lambda acts: Fault.raw(b"garbage", acts=acts),
    lambda acts: Fault.html(503, acts=acts),
    lambda acts: Fault.reply(202, {"chargeId": 1}, acts=acts),
    lambda acts: Fault.reply(204, acts=acts),
    *(answered(status, "oops") for status in (302, 409, 500, 502, 504)),
)
REFUSED = st.sampled_from(
    [Fault.unavailable(), Fault.unavailable("stripe_unavailable"), answered(403, "role_required")()]
    + [answered(status, "not_known_yet")() for status in (400, 401, 403, 404, 429)]
)
FAULTS = st.one_of(
    st.tuples(st.just("post_charge"), MAY_BE_MADE),
    st.tuples(st.just("post_charge"), MAY_BE_MADE),
    st.tuples(st.sampled_from(["post_charge", "get_charge_status", "get_billing_state"]), REFUSED | st.just(PASSES)),
    st.tuples(st.sampled_from(["get_charge_status", "get_billing_state"]), MAY_BE_MADE),
)
WAYS = st.sampled_from(["buy_credits", "begin_purchase", "check_purchase"])
PRESSES = st.lists(st.tuples(WAYS, st.lists(FAULTS, max_size=8), st.integers(0, 16) | st.just(10**6)), max_size=4)


def test_whatever_becomes_of_replies_and_processes_a_purchase_is_charged_once_and_told_as_it_is(begin, for_all):
    def story(scene, presses):
        for way, faults, steps in presses:
            sent = len(scene.posts)
            outcome = scene.press(faults, steps, way=way)
            scene.assert_true(outcome, way)
            assert len(scene.posts) == sent or way != "check_purchase"
            yield outcome
            # Otherwise the limit of five charges an hour would answer most of it.
            scene.clock.advance(3601)
        ended = scene.press()
        scene.assert_true(ended)
        assert isinstance(ended, nb.Purchase)
        posts = len(scene.posts)
        assert scene.press() == ended
        assert len(scene.posts) == posts
        yield ended

    for_all(
        lambda presses, last4: begin(story, presses, last4=last4), PRESSES, st.sampled_from(["4242", "9995"]), share=0.4
    )


STATUS = ("get_charge_status", 200)
POLLED = st.one_of(
    *(contract.replies(*STATUS, mode).map(lambda reply: reply.body) for mode in GenerationMode),
    st.builds(lambda status: json.dumps({"status": status}).encode(), st.text()),
    st.builds(lambda reason: json.dumps({"status": "failed", "reason": reason}).encode(), st.text()),
)


def test_whatever_a_poll_says_the_purchase_ends_as_that_or_as_the_ledger_has_it(begin, for_all):
    def story(scene, body):
        outcome = scene.press([("get_charge_status", Fault.reply(200, body))])
        assert (type(outcome), outcome.charge_id, outcome) == (nb.Purchase, scene.charge.id, scene.kept())
        if (outcome.status, outcome.added_usd) != ("settled", scene.charge.amount):
            said = json.loads(body)
            assert (said["status"], said.get("reason") and printable_value(said["reason"])) == (
                outcome.status,
                outcome.reason,
            )
            assert repr(outcome.added_usd) == repr(Decimal(said["amountUsd"]) if outcome.status == "settled" else None)
        assert scene.press() == outcome
        assert len(scene.posts) == 1
        yield outcome

    for_all(lambda body: begin(story, body), POLLED, share=0.5)
