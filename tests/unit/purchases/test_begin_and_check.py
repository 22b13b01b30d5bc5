"""A purchase without waiting: begun, checked once at a time, and followed. Only the call that begins it charges."""

from dataclasses import replace

import pytest

from nous_billing.errors import (
    BillingDuplicateCharge,
    BillingInvalidRequest,
    BillingPurchaseNotFound,
    BillingPurchaseStoreError,
    BillingPurchaseUncertain,
)
from tests.unit.drive import reply
from tests.unit.shop import (
    ACCEPTED,
    DECLINED,
    DROPPED,
    KEY,
    LOST,
    PENDING,
    REFUSALS,
    SENDING,
    UNSENT,
    Shelf,
    Shop,
    kinds,
    posts,
)

SETTLED = replace(ACCEPTED, status="settled", revision=3)
NOT_MADE = replace(SENDING, status="not_made", revision=2)
OLD = replace(SENDING, started_at=SENDING.started_at.replace(year=2020))
OLD_ACCEPTED = replace(ACCEPTED, started_at=OLD.started_at)


def begin(shop, **options):
    return shop.run(shop.buying(**options).begin())


def check(shop, key=KEY):
    return shop.run(shop.client._checking(key, shop.store))


def polls(played):
    return [step for step in played.sent if "/charge/" in step.operation.path]


def known(shop, *charge_ids):
    """The portal has made charges that a store may know of."""
    for number, charge_id in enumerate(charge_ids or ["ch_1"]):
        shop.portal.charges["org_1", f"{KEY}-{number}"] = (charge_id, b"")


class TestBegin:
    def test_it_returns_as_soon_as_the_charge_is_accepted_and_polls_nothing(self, shop):
        played = begin(shop)
        assert (played.result.status, played.result.charge_id, played.result) == ("pending", "ch_1", shop.kept)
        assert (shop.store.statuses, polls(played), len(posts(played))) == (["sending", "pending"], [], 1)

    @pytest.mark.parametrize("found", [ACCEPTED, SETTLED])
    def test_what_was_accepted_before_is_returned_to_a_login_of_its_organisation_and_never_posted(self, shop, found):
        shop.store = Shelf(found)
        played = begin(shop)
        assert (played.result, kinds(played)) == (found, ["RunBlocking", "Resolve", "GET /api/billing/state"])

    @pytest.mark.parametrize(
        "answers", [[each] for each in [*REFUSALS, LOST, UNSENT]] + [[DROPPED] * 9, [LOST, REFUSALS[3]]]
    )
    def test_it_ends_as_buy_credits_does_in_class_and_words_and_in_the_store(self, clock, answers):
        first, second = Shop(clock), Shop(clock)
        first.portal.posted, second.portal.posted = list(answers), list(answers)
        bought, begun = first.buy(), begin(second)
        assert (type(begun.caught), str(begun.caught or "")) == (type(bought.caught), str(bought.caught or ""))
        assert second.portal.posts == first.portal.posts
        waited = ["settled"] if bought.caught is None else []
        assert second.store.statuses + waited == first.store.statuses

    @pytest.mark.parametrize(
        "failure", [{"token": "elsewhere"}, {"states": [reply(500)]}], ids=["elsewhere", "unreadable"]
    )
    def test_an_open_purchase_is_not_shown_to_a_login_whose_organisation_is_not_its_own(self, shop, failure):
        shop.store = Shelf(ACCEPTED)
        shop.token = failure.get("token", shop.token)
        shop.portal.states = failure.get("states", [])
        error = begin(shop).error
        assert (type(error), error.outcome_unknown) == (BillingPurchaseUncertain, True)
        assert "has ended" not in str(error)

    def test_a_second_charge_for_the_key_is_told(self, shop):
        shop.store = Shelf(replace(ACCEPTED, other_charge_ids=("ch_2",)))
        assert begin(shop).error.charge_ids == ("ch_1", "ch_2")


class TestCheck:
    @pytest.mark.parametrize("found", [SENDING, ACCEPTED, SETTLED, NOT_MADE, OLD, OLD_ACCEPTED])
    @pytest.mark.parametrize("polled", [PENDING, reply(500), DECLINED, DROPPED])
    def test_it_never_makes_a_charge_and_polls_once_at_most(self, shop, found, polled):
        shop.store = Shelf(found)
        shop.portal.polled = [polled] * 5
        played = check(shop)
        assert (posts(played), shop.portal.posts) == ([], [])
        assert len(polls(played)) == (found.status == "pending")

    @pytest.mark.parametrize("found", [SENDING, SETTLED, NOT_MADE])
    def test_what_has_no_charge_to_poll_is_returned_as_it_is_kept(self, shop, found):
        shop.store = Shelf(found)
        assert check(shop).result == found
        assert shop.store.history == []

    def test_what_is_still_pending_is_returned_and_not_raised(self, shop):
        shop.store = Shelf(ACCEPTED)
        shop.portal.polled = [PENDING]
        assert check(shop).result == ACCEPTED

    @pytest.mark.parametrize(("polled", "status"), [(None, "settled"), (DECLINED, "failed")])
    def test_an_end_is_saved_before_it_is_returned(self, shop, polled, status):
        known(shop)
        shop.store = Shelf(ACCEPTED)
        shop.portal.polled = [polled] if polled else []
        purchase = check(shop).result
        assert (purchase.status, purchase) == (status, shop.kept)

    @pytest.mark.parametrize(
        "polled", [reply(500), reply(429, {"error": "rate_limited"}, {"retry-after": "7"}), REFUSALS[3], DROPPED]
    )
    def test_a_poll_that_fails_leaves_it_open_and_says_why(self, shop, polled):
        shop.store = Shelf(ACCEPTED)
        shop.portal.polled = [polled]
        error = check(shop).error
        assert (type(error), error.charge_id, error.status) == (
            BillingPurchaseUncertain,
            "ch_1",
            getattr(polled, "status", None),
        )
        assert ("0 seconds" in str(error), error.retry_after) == (False, 7 if error.status == 429 else None)
        assert shop.kept == ACCEPTED

    @pytest.mark.parametrize("found", [OLD, OLD_ACCEPTED])
    def test_what_can_no_longer_be_found_out_sends_the_person_to_the_billing_page(self, shop, found):
        shop.store = Shelf(found)
        shop.portal.polled = [PENDING]
        error = check(shop).error
        assert (type(error), error.is_too_old) == (BillingPurchaseUncertain, True)
        assert "Look at the billing page before you buy anything again" in str(error)

    @pytest.mark.parametrize("found", [SENDING, ACCEPTED, SETTLED, NOT_MADE])
    def test_a_login_of_another_organisation_is_told_nothing_of_how_it_ended(self, shop, found):
        shop.store = Shelf(found)
        shop.token = "elsewhere"
        error = check(shop).error
        reason = error if found.has_ended else error.last_error
        assert "wrong_organisation" in (reason.error, getattr(getattr(reason, "last_error", None), "error", None))

    @pytest.mark.parametrize("state", [UNSENT, DROPPED, reply(500), reply(503), reply(200, b"<html>")])
    def test_what_was_not_made_is_never_said_to_be_free_or_to_have_been_made(self, shop, state):
        shop.store, shop.portal.states = Shelf(NOT_MADE), [state]
        error = check(shop).error
        assert (isinstance(error, BillingPurchaseUncertain), error.outcome_unknown) == (False, False)
        assert "charges nothing" not in str(error)
        # The same key charges now, and no message may have said that it does not.
        assert (shop.buy().result.status, len(shop.portal.posts)) == ("settled", 1)

    def test_a_second_charge_for_the_key_is_told(self, shop):
        shop.store = Shelf(replace(SETTLED, other_charge_ids=("ch_2",)))
        assert type(check(shop).error) is BillingDuplicateCharge

    def test_a_key_that_the_store_does_not_have_says_nothing_of_a_charge(self, shop):
        error = check(shop).error
        assert (type(error), error.error, error.outcome_unknown) == (
            BillingPurchaseNotFound,
            "purchase_not_found",
            True,
        )
        assert "not known here whether one was made" in str(error)

    @pytest.mark.parametrize("key", ["", "two words"])
    def test_what_is_no_key_is_refused_at_once(self, shop, key):
        with pytest.raises(BillingInvalidRequest, match=r"idempotency[_ ]key"):
            shop.client._checking(key, shop.store)


class TestFollow:
    def follow(self, shop, saved=(), **options):
        """What is told, and when. `saved` maps seconds to what another call saves then."""
        following = shop.client._following(KEY, shop.store, **{"interval": 2.0, "cap": 20.0, **options})
        left = dict(saved)

        def answer(step):
            for seconds in [each for each in left if shop.clock.passed >= each]:
                assert shop.store.save(left.pop(seconds))
            return original(step)

        original, shop.answer = shop.answer, answer
        told = []
        while (purchase := shop.raising_flow(following.next())) is not None:
            told.append((round(shop.clock.passed), purchase.status))
        return told

    @pytest.fixture
    def shop(self, clock):
        shop = Shop(clock)
        shop.raising_flow = lambda flow: self.raised(shop.run(flow))
        known(shop)
        return shop

    @staticmethod
    def raised(played):
        assert posts(played) == []
        if played.caught is not None:
            raise played.caught
        return played.result

    def test_each_change_is_told_once_until_the_end(self, shop):
        shop.store = Shelf(SENDING)
        shop.portal.polled = [PENDING, PENDING]
        assert self.follow(shop, {3: ACCEPTED}) == [(0, "sending"), (4, "pending"), (8, "settled")]

    @pytest.mark.parametrize("found", [SETTLED, NOT_MADE])
    def test_what_has_ended_is_told_once(self, shop, found):
        shop.store = Shelf(found)
        assert self.follow(shop) == [(0, found.status)]

    @pytest.mark.parametrize(
        ("passing", "ended"),
        [(reply(500), 4), (DROPPED, 4), (reply(429, {"error": "rate_limited"}, {"retry-after": "9"}), 11)],
    )
    def test_an_error_that_may_pass_is_outlived_and_the_portal_may_ask_to_slow_down(self, shop, passing, ended):
        shop.store = Shelf(ACCEPTED)
        shop.portal.polled = [PENDING, passing]
        assert self.follow(shop) == [(0, "pending"), (ended, "settled")]

    @pytest.mark.parametrize("found", [SETTLED, NOT_MADE])
    def test_what_has_ended_is_told_once_the_login_can_be_seen_to_be_of_its_organisation(self, shop, found):
        shop.store = Shelf(found)
        shop.portal.states = [reply(500), DROPPED, reply(429, {"error": "rate_limited"}, {"retry-after": "9"})]
        assert self.follow(shop) == [(13, found.status)]

    def test_a_store_that_fails_for_a_moment_is_outlived(self, shop):
        shop.store = Shelf(SETTLED)
        load, failures = shop.store.load, [OSError("locked")]
        vars(shop.store)["load"] = lambda key: self.raise_one(failures) or load(key)
        assert self.follow(shop) == [(2, "settled")]

    @staticmethod
    def raise_one(failures):
        if failures:
            raise failures.pop()

    @pytest.mark.parametrize(
        ("found", "polled"), [(SENDING, []), (ACCEPTED, [PENDING] * 9), (ACCEPTED, [reply(500)] * 9)]
    )
    def test_at_the_cap_it_is_not_known_and_not_called_failed(self, shop, found, polled):
        shop.store = Shelf(found)
        shop.portal.polled = polled
        with pytest.raises(BillingPurchaseUncertain) as caught:
            self.follow(shop, cap=9.0)
        assert (caught.value.key, caught.value.is_too_old, round(shop.clock.passed)) == (KEY, False, 9)

    @pytest.mark.parametrize("found", [[], [OLD], [replace(ACCEPTED, organisation_id="org_9")]])
    def test_what_cannot_pass_is_raised_at_once(self, shop, found):
        shop.store = Shelf(*found)
        with pytest.raises((BillingPurchaseUncertain, BillingPurchaseStoreError)):
            self.follow(shop)
        assert shop.clock.passed == 0

    @pytest.mark.parametrize(("name", "value"), [("interval", 0), ("cap", None)])
    def test_what_is_no_length_of_time_is_refused_before_the_first_step(self, shop, name, value):
        with pytest.raises(BillingInvalidRequest, match=name):
            shop.client._following(KEY, shop.store, **{"interval": 2.0, "cap": 20.0, name: value})
