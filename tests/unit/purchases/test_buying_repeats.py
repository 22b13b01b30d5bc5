"""When a post is repeated, and when it is not."""

from dataclasses import replace
from decimal import Decimal

import pytest

from nous_billing import errors
from nous_billing.errors import (
    BillingIdempotencyConflict,
    BillingPurchaseUncertain,
)
from nous_billing.protocol.exchange import Resolve, Sleep
from nous_billing.protocol.replies import Failure
from tests.unit.drive import reply
from tests.unit.shop import (
    DROPPED,
    EACH_REFUSAL,
    KEY,
    LOST,
    SENDING,
    UNSENT,
    Shelf,
    posts,
)

LATE = Failure("the time allowed for the call has passed", sent=True, timed_out=True)
DOWN = [
    UNSENT,
    DROPPED,
    LATE,
    reply(500),
    reply(502, b"<html>"),
    reply(504, {"error": "timeout"}),
    reply(503, b"<html>"),
    reply(200, b"<html>"),
    reply(202, {"chargeId": ""}),
    reply(202, b"{"),
    reply(302),
    reply(202, failure=Failure("reset", sent=False)),
    reply(202, unreadable="is compressed"),
]
EACH_DOWN = pytest.mark.parametrize("down", DOWN, ids=range(len(DOWN)))


@EACH_DOWN
def test_a_post_without_a_definite_answer_is_repeated_unchanged(shop, down):
    shop.portal.posted = [down]
    played = shop.buy()
    assert played.result.status == "settled"
    first, second = posts(played)
    assert first.operation is second.operation
    assert shop.portal.posts == [(KEY, b'{"amountUsd":50}')] * 2
    assert {step.credentials.access_token for step in played.sent} == {"token-1"}


@pytest.mark.parametrize("kept", ["50.00", "5E+1", "50.000000"])
def test_a_purchase_is_continued_with_the_same_bytes_whatever_places_the_store_keeps(shop, kept):
    shop.portal.posted = [LOST] * 4
    shop.buy()
    shop.store.kept[KEY] = replace(shop.kept, amount_usd=Decimal(kept))
    assert shop.buy().result.status == "settled"
    assert shop.portal.posts == [(KEY, b'{"amountUsd":50}')] * 5


@EACH_DOWN
def test_a_post_is_repeated_three_times_after_one_three_and_nine_seconds_and_no_more(shop, down):
    shop.portal.posted = [down] * 5
    played = shop.buy()
    assert len(shop.portal.posts) == 4
    assert [step.seconds for step in played.steps if isinstance(step, Sleep)] == [1, 3, 9]
    if down is UNSENT:
        assert type(played.error) is errors.BillingNetworkError
        assert shop.store.statuses == ["sending", "not_made"]
    else:
        assert type(played.error) is BillingPurchaseUncertain
        assert shop.store.statuses == ["sending"]


@EACH_REFUSAL
def test_a_post_is_never_repeated_after_a_definite_answer(shop, refusal):
    shop.portal.posted = [refusal]
    played = shop.buy()
    assert len(shop.portal.posts) == 1
    assert shop.clock.passed == 0
    assert type(played.error) is not BillingPurchaseUncertain
    assert (played.error.status, played.error.outcome_unknown) == (refusal.status, False)
    assert shop.store.statuses == ["sending", "not_made"]


@EACH_REFUSAL
@pytest.mark.parametrize("before", [LOST, DROPPED, reply(500)], ids=["made", "lost", "500"])
def test_a_definite_refusal_does_not_settle_what_an_earlier_lost_reply_left_open(shop, refusal, before):
    shop.portal.posted = [before, refusal]
    played = shop.buy()
    assert type(played.error) is BillingPurchaseUncertain
    assert played.error.last_error.status == refusal.status
    assert not played.error.last_error.outcome_unknown
    assert played.error.__cause__ is played.error.last_error
    assert (len(shop.portal.posts), shop.store.statuses) == (2, ["sending"])


def test_each_post_has_a_deadline_of_its_own(shop):
    shop.portal.posted = [DROPPED, DROPPED]
    assert [step.deadline for step in posts(shop.buy())] == [1015, 1016, 1019]


@pytest.mark.parametrize(
    "down", [UNSENT, DROPPED, LATE, reply(500), reply(502, b"<html>")], ids=["unsent", "reset", "late", "500", "502"]
)
def test_a_state_that_cannot_be_read_for_now_is_asked_for_again_and_nothing_was_sent(shop, down):
    shop.portal.states = [down] * 4
    played = shop.buy()
    assert (shop.portal.posts, shop.store.history) == ([], [])
    assert type(played.error) is not BillingPurchaseUncertain
    assert shop.clock.passed == 13
    shop.portal.states = [down]
    assert shop.buy().result.status == "settled"


@pytest.mark.parametrize(
    "refusal",
    [reply(403, {"error": "org_access_denied"}), reply(429), reply(503), reply(404), reply(200, b"<html>")],
    ids=["403", "429", "503", "404", "page"],
)
def test_a_state_that_is_refused_ends_the_purchase_before_it_began(shop, refusal):
    shop.portal.states = [refusal]
    played = shop.buy()
    assert (shop.portal.posts, shop.store.history, shop.clock.passed) == ([], [], 0)
    assert played.error.status == refusal.status


@pytest.mark.parametrize("passing", [True, False])
def test_what_the_source_of_the_token_raises_is_outlived_where_it_may_pass(shop, passing):
    error = (
        errors.BillingLoginNotSaved("The disk is full.", error="login_not_saved")
        if passing
        else errors.BillingAuthError("Not logged in.", error="invalid_token")
    )
    raised = []

    def answer(step):
        if isinstance(step, Resolve) and not raised:
            raised.append(error)
            return error
        return original(step)

    original, shop.answer = shop.answer, answer
    played = shop.buy()
    if passing:
        assert (played.result.status, shop.seen[0]) == ("settled", error)
    else:
        assert (played.error, shop.portal.posts, shop.store.history) == (error, [], [])


# A 409


CONFLICT = reply(409, {"error": "idempotency_conflict", "code": "c"}, {"x-request-id": "req_1"})


@pytest.mark.parametrize("before", [[], [UNSENT]], ids=["first", "unsent"])
def test_an_idempotency_conflict_is_a_fault_of_the_program_where_nothing_was_sent_before(shop, before):
    shop.portal.posted = [*before, CONFLICT]
    error = shop.buy().error
    assert type(error) is BillingIdempotencyConflict
    assert str(error) == (
        f"The key {KEY} was already used for another amount. Each purchase that a person confirms needs its own "
        "key: this is a bug in the calling program. Nothing more was charged."
    )
    assert (error.status, error.error, error.code, error.outcome_unknown) == (409, "idempotency_conflict", "c", False)
    assert (error.payload, error.request_id) == ({"error": "idempotency_conflict", "code": "c"}, "req_1")
    assert shop.kept.status == "not_made"


@pytest.mark.parametrize("before", [[LOST], [DROPPED, DROPPED], "found"], ids=["made", "lost", "found"])
def test_an_idempotency_conflict_says_nothing_of_what_was_sent_before_with_the_same_key_and_amount(shop, before):
    if before == "found":
        shop.store, before = Shelf(SENDING), []
    shop.portal.posted = [*before, CONFLICT]
    error = shop.buy().error
    assert (type(error), type(error.last_error)) == (BillingPurchaseUncertain, BillingIdempotencyConflict)
    assert "is not known whether $50.00 for Acme was charged. The portal then refused the key (HTTP 409)." in str(error)
    for sentence in ("another amount", "Nothing more was charged", "bug in the calling program"):
        assert sentence not in str(error)
    assert shop.kept.status == "sending"


@pytest.mark.parametrize(
    "answer", [reply(409, {"error": "in_progress"}), reply(409, b"<html>"), reply(409)], ids=["code", "page", "empty"]
)
def test_any_other_409_leaves_the_purchase_uncertain(shop, answer):
    # It may say that the same key is still being worked on, or be by a proxy: the same key is sent again.
    shop.portal.posted = [answer] * 4
    error = shop.buy().error
    assert (type(error), error.last_error.status, error.status) == (BillingPurchaseUncertain, 409, 409)
    assert "another amount" not in str(error)
    assert (len(shop.portal.posts), shop.store.statuses) == (4, ["sending"])
