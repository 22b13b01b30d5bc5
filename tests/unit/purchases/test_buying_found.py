"""What a call finds in the store, before it begins or meanwhile, and what it makes of that."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from nous_billing import errors
from nous_billing.errors import (
    BillingIdempotencyConflict,
    BillingPurchaseUncertain,
)
from nous_billing.protocol.exchange import Send
from tests.unit.drive import NOW, PREVIEW, reply
from tests.unit.shop import (
    ACCEPTED,
    DROPPED,
    EACH_REFUSAL,
    KEY,
    PENDING,
    SENDING,
    UNSENT,
    Shelf,
    Shop,
    kinds,
)


@pytest.mark.parametrize("status", ["settled", "failed"])
def test_a_purchase_that_has_ended_is_returned_to_a_login_of_its_organisation_and_nothing_is_posted(shop, status):
    found = replace(ACCEPTED, status=status, revision=3)
    shop.store = Shelf(found)
    played = shop.buy("50.00")
    assert played.result == found
    assert kinds(played) == ["RunBlocking", "Resolve", "GET /api/billing/state"]
    assert shop.store.history == []


def test_a_purchase_with_a_charge_is_polled_and_never_posted(shop):
    shop.store = Shelf(ACCEPTED)
    shop.portal.charges["org_1", KEY] = ("ch_1", b"")
    played = shop.buy()
    assert (played.result.status, played.result.started_at) == ("settled", SENDING.started_at)
    assert shop.portal.posts == []
    assert shop.store.statuses == ["settled"]


def test_a_purchase_that_may_have_been_sent_is_posted_again_with_the_same_key(shop):
    shop.store = Shelf(SENDING)
    purchase = shop.buy().result
    assert (purchase.status, purchase.started_at) == ("settled", SENDING.started_at)
    assert shop.portal.posts == [(KEY, b'{"amountUsd":50}')]


def test_a_purchase_that_may_have_been_sent_is_saved_again_before_it_is_posted_again(shop):
    shop.store = Shelf(SENDING)
    shop.portal.posted = [reply(429)]
    shop.buy()
    assert (shop.store.statuses, shop.kept.revision) == (["sending"], 2)


@EACH_REFUSAL
def test_a_refusal_of_a_purchase_that_may_have_been_sent_leaves_it_open(shop, refusal):
    shop.store = Shelf(SENDING)
    shop.portal.posted = [refusal]
    error = shop.buy().error
    assert (type(error), error.last_error.status, error.charge_id) == (BillingPurchaseUncertain, refusal.status, None)
    assert shop.kept.status == "sending"


def test_a_purchase_that_was_not_made_starts_anew(shop):
    shop.store = Shelf(replace(SENDING, status="not_made", revision=2))
    purchase = shop.buy().result
    assert (purchase.status, purchase.revision) == ("settled", 5)
    assert purchase.started_at == datetime.fromtimestamp(NOW, UTC)


def test_a_purchase_that_was_not_made_and_is_refused_anew_is_refused(shop):
    shop.store = Shelf(replace(SENDING, status="not_made", revision=2))
    shop.portal.posted = [reply(403, {"error": "no_payment_method"})]
    assert type(shop.buy().error) is errors.BillingNoPaymentMethod
    assert shop.store.statuses == ["sending", "not_made"]


@pytest.mark.parametrize(
    "found",
    [SENDING, ACCEPTED, *(replace(ACCEPTED, status=status) for status in ("settled", "failed"))],
    ids=lambda found: found.status,
)
def test_another_amount_under_the_key_is_a_conflict_before_anything_is_sent(shop, found):
    shop.store = Shelf(found)
    played = shop.buy("50.01")
    assert type(played.error) is BillingIdempotencyConflict
    assert (played.error.status, played.error.error, played.error.payload) == (None, "idempotency_conflict", {})
    assert (kinds(played), shop.kept) == (["RunBlocking"], found)


# What the portal may have forgotten

DAY = timedelta(days=1)
NOW_DATE = datetime.fromtimestamp(NOW, UTC)


@pytest.mark.parametrize("started_at", [NOW_DATE - DAY, NOW_DATE, NOW_DATE + DAY])
def test_what_was_begun_up_to_a_day_ago_is_posted_again(shop, started_at):
    shop.store = Shelf(replace(SENDING, started_at=started_at))
    purchase = shop.buy().result
    assert (purchase.status, purchase.started_at, len(shop.portal.posts)) == ("settled", started_at, 1)


@pytest.mark.parametrize(
    "started_at",
    [NOW_DATE - DAY - timedelta(seconds=1), NOW_DATE + DAY + timedelta(seconds=1), datetime(1, 1, 1, 1, tzinfo=UTC)],
)
def test_what_may_have_been_made_more_than_a_day_ago_or_by_a_wrong_clock_is_not_posted_again(shop, started_at):
    found = replace(SENDING, started_at=started_at)
    shop.store = Shelf(found)
    played = shop.buy()
    error = played.error
    assert (type(error), error.last_error.error) == (BillingPurchaseUncertain, "purchase_too_old")
    assert str(error) == (
        "It is not known whether $50.00 for Acme was charged. The purchase was started more than a day ago. Look at "
        "the billing page before you buy anything again: the portal may no longer know the key. "
        f"(Key key-1, started {started_at:%Y-%m-%d %H:%M} UTC.)"
    )
    assert (error.portal_url, error.is_too_old) == (f"{PREVIEW}/billing?topup=open", True)
    assert (kinds(played), shop.kept) == (["RunBlocking"], found)


LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("resuming", [True, False])
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (PENDING, "The portal reports it as pending, as it does for a charge that it does not know."),
        (UNSENT, "Could not reach the portal: connection refused."),
        (
            reply(403, {"error": "x", "message": "No."}),
            "The charge can no longer be polled, and may have settled: No.",
        ),
    ],
    ids=["pending", "unsent", "403"],
)
def test_an_old_purchase_with_a_charge_is_polled_once_and_sends_the_person_to_the_billing_page(
    shop, resuming, answer, reason
):
    shop.store = Shelf(replace(ACCEPTED, started_at=LONG_AGO))
    shop.portal.polled = [answer]
    played = shop.resume() if resuming else shop.buy()
    error = played.result[0] if resuming else played.error
    assert (type(error), error.is_too_old, error.charge_id, shop.clock.passed) == (
        BillingPurchaseUncertain,
        True,
        "ch_1",
        0,
    )
    assert str(error) == (
        "$50.00 for Acme was accepted as charge ch_1, and it can no longer be found out here how that ended. "
        f"{reason} Look at the billing page before you buy anything again, and remove this purchase from the store "
        "once you have seen there how it ended. (Key key-1, started 2020-01-01 00:00 UTC.)"
    )
    assert (kinds(played).count("GET /api/billing/charge/ch_1"), shop.portal.posts) == (1, [])


def test_an_old_purchase_with_a_charge_is_polled(shop):
    shop.store = Shelf(replace(ACCEPTED, started_at=datetime(2020, 1, 1, tzinfo=UTC)))
    shop.portal.charges["org_1", KEY] = ("ch_1", b"")
    assert shop.buy().result.status == "settled"


def test_an_old_purchase_that_was_not_made_starts_anew(shop):
    shop.store = Shelf(replace(SENDING, status="not_made", started_at=datetime(2020, 1, 1, tzinfo=UTC)))
    assert shop.buy().result.started_at == NOW_DATE


# What another call does meanwhile


class Meanwhile(Shelf):
    """What is kept changes once, after it was first looked at."""

    def __init__(self, kept, then):
        super().__init__(*kept)
        self.then = then

    def load(self, key=None):
        found = super().load(key)
        if self.then is not None:
            self.kept, self.then = self.then, None
        return found


def test_a_purchase_that_was_saved_many_times_meanwhile_goes_on_from_there(clock):
    shop = Shop(clock, Meanwhile([], {KEY: replace(SENDING, revision=500)}))
    assert (shop.buy().result.status, shop.kept.revision) == ("settled", 503)


def test_a_purchase_that_is_gone_from_the_store_meanwhile_is_kept_anew(clock):
    shop = Shop(clock, Meanwhile([replace(SENDING, revision=7)], {}))
    assert (shop.buy().result.status, shop.kept.revision) == ("settled", 3)


def at_its_post(shop, work):
    """Buy, and do something else just as the post arrives."""

    def answer(step):
        if isinstance(step, Send) and step.operation.moves_money:
            work()
        return original(step)

    original, shop.answer = shop.answer, answer
    return shop.buy()


@pytest.mark.parametrize("status", ["settled", "failed"])
def test_a_call_whose_own_post_was_refused_returns_what_another_has_ended(shop, status):
    ended = replace(ACCEPTED, status=status)
    shop.portal.posted = [reply(403, {"error": "no_payment_method"})]
    played = at_its_post(shop, lambda: shop.store.save(ended))
    assert played.result == shop.kept == ended


@pytest.mark.parametrize(
    "refusal",
    [reply(403, {"error": "no_payment_method"}), reply(429), DROPPED, UNSENT],
    ids=["403", "429", "lost", "unsent"],
)
def test_a_call_whose_own_posts_came_to_nothing_goes_on_with_the_charge_that_another_had_accepted(shop, refusal):
    shop.portal.posted = [refusal]
    shop.portal.charges["org_1", KEY] = ("ch_1", b"")
    played = at_its_post(shop, lambda: shop.store.save(ACCEPTED))
    assert (played.result.status, played.result.charge_id, len(shop.portal.posts)) == ("settled", "ch_1", 1)


def test_a_call_whose_own_post_was_refused_leaves_open_what_another_has_sent(shop):
    shop.portal.posted = [reply(403, {"error": "no_payment_method"})]
    sent = replace(SENDING, revision=2)
    error = at_its_post(shop, lambda: shop.store.save(sent)).error
    assert (type(error), error.charge_id, shop.kept) == (BillingPurchaseUncertain, None, sent)


def at_its_first_save(shop, found):
    """Buy, and have another call save this just before."""
    save = shop.store.save

    def late(purchase):
        shop.store.kept.setdefault(KEY, found)
        return save(purchase)

    shop.store.save = late
    return shop.buy()


def test_a_call_that_finds_it_accepted_as_it_would_post_polls_and_does_not_post(shop):
    shop.portal.charges["org_1", KEY] = ("ch_1", b"")
    played = at_its_first_save(shop, ACCEPTED)
    assert (played.result.status, played.result.charge_id, shop.portal.posts) == ("settled", "ch_1", [])
    assert shop.seen[0] == ACCEPTED


@pytest.mark.parametrize("status", ["settled", "failed"])
def test_a_call_that_finds_it_ended_as_it_would_post_returns_it_without_a_request(shop, status):
    ended = replace(ACCEPTED, status=status)
    played = at_its_first_save(shop, ended)
    assert (played.result, shop.portal.posts) == (ended, [])
    assert kinds(played)[-1] == "RunBlocking"


def test_a_call_that_finds_it_sent_as_it_would_post_says_that_it_sends_too(shop):
    shop.portal.posted = [reply(429)]
    error = at_its_first_save(shop, SENDING).error
    assert (type(error), shop.store.statuses, shop.kept.revision) == (BillingPurchaseUncertain, ["sending"], 2)


@pytest.mark.parametrize("found", [SENDING, ACCEPTED], ids=lambda found: found.status)
@pytest.mark.parametrize("elsewhere", [{"organisation_id": "org_9"}, {"portal_base_url": "https://other.example"}])
def test_a_call_that_finds_it_begun_elsewhere_as_it_would_post_is_refused(shop, found, elsewhere):
    found = replace(found, **elsewhere)
    error = at_its_first_save(shop, found).error
    assert error.error == "wrong_organisation"
    assert (shop.portal.posts, shop.kept) == ([], found)


@pytest.mark.parametrize("status", ["settled", "failed"])
def test_a_call_whose_own_post_was_accepted_leaves_as_it_is_what_another_has_ended(shop, status):
    ended = replace(ACCEPTED, status=status)
    played = at_its_post(shop, lambda: shop.store.save(ended))
    assert played.result == shop.kept == ended
    assert shop.store.statuses == ["sending", status]


def test_a_call_whose_own_post_was_accepted_is_open_though_another_has_called_it_not_made(shop):
    shop.portal.polled = [reply(403, {"error": "org_access_denied"})]
    error = at_its_post(shop, lambda: shop.store.save(replace(SENDING, status="not_made", revision=2))).error
    assert (type(error), error.charge_id, shop.kept.status) == (BillingPurchaseUncertain, "ch_1", "pending")
