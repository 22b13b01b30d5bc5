"""A purchase happens once, whatever becomes of its replies, its login, its program or its other presses."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

import nous_billing as nb
from nous_billing import AsyncBillingClient, PurchaseDirectory, StaticToken
from nous_billing.mock import Card, Fault, MockPortal
from tests.registry import KEY
from tests.sockets.harness import AwaitedMovedClock, Kind
from tests.sockets.shop import AMOUNT, Renewing, Shop


@pytest.fixture
def shop(client_kind, mock_portal, tmp_path):
    return Shop(client_kind, mock_portal, tmp_path)


class CrashError(Exception):
    """The program dies, as far as the purchase is concerned."""


def crash():
    raise CrashError


def test_the_name_of_the_organisation_is_safe_to_print(shop):
    shop.portal.organisation.name = "Ac\x1b[31mme\u202e"
    paid = shop.press(shop.client())
    assert paid.organisation_name == "Ac\ufffd[31mme\ufffd"
    assert "Ac\ufffd[31mme\ufffd" in paid.message


# --- A reply that is lost

LOST = {
    "drop": lambda acts: Fault.drop(acts=acts),
    "stall": lambda acts: Fault.stall(acts=acts),
    "garbage": lambda acts: Fault.raw(b"garbage\r\n\r\n", acts=acts),
    "HTML 200": lambda acts: Fault.html(200, acts=acts),
    "HTML 502": lambda acts: Fault.html(502, acts=acts),
    "HTML 503": lambda acts: Fault.html(503, acts=acts),
    "500": lambda acts: Fault.reply(500, {"error": "internal"}, acts=acts),
    "502": lambda acts: Fault.reply(502, acts=acts),
    "504": lambda acts: Fault.reply(504, {}, acts=acts),
    "no chargeId": lambda acts: Fault.reply(202, {}, acts=acts),
    "a redirect": lambda acts: Fault.reply(302, headers={"location": "/elsewhere"}, acts=acts),
}


@pytest.mark.parametrize(
    ("name", "acts"), [*((name, True) for name in LOST), ("drop", False), ("stall", False), ("HTML 502", False)]
)
def test_a_charge_whose_reply_is_lost_is_sent_again_and_made_once(name, acts, shop):
    shop.portal.inject(LOST[name](acts), "post_charge")
    if name == "stall":
        assert_outlives_a_timeout(shop)
        return
    shop.assert_paid(shop.press(shop.client()))
    shop.assert_one_charge(posts=2)
    assert shop.heard[0] == "sending"
    assert shop.heard[1].startswith("Billing")
    assert set(shop.heard[2:]) == {"pending", "settled"}


def assert_outlives_a_timeout(shop):
    client = shop.client(timeout=0.5)
    # What is loaded when it is first used takes no time of the purchase.
    shop.kept()
    client.get_billing_state(timeout=10)
    shop.assert_paid(shop.press(client))
    assert "BillingTimeout" in shop.heard
    # On a machine that is busy one more may run out.
    assert len(shop.posts()) >= 2
    shop.assert_one_charge(posts=len(shop.posts()))


@pytest.mark.parametrize("part", ["headers", "body"])
def test_a_reply_that_drips_beyond_the_deadline_is_lost_too(part, shop):
    shop.portal.inject(Fault.drip(0.1, part), "post_charge")
    assert_outlives_a_timeout(shop)


@pytest.mark.parametrize("acts", [True, False], ids=["charged", "not charged"])
@pytest.mark.parametrize("with_store", [True, False], ids=["store", "memory"])
def test_not_knowing_is_no_failure_and_the_same_key_finds_out(with_store, acts, shop):
    store = {} if with_store else {"store": None}
    client = shop.client()
    shop.portal.inject(Fault.drop(acts=acts), "post_charge", times=4)
    error = shop.press(client, **store)
    assert type(error) is nb.BillingPurchaseUncertain
    assert (error.key, error.amount_usd, error.charge_id) == (KEY, Decimal(AMOUNT), None)
    assert type(error.last_error) is nb.BillingNetworkError
    assert error.outcome_unknown is True
    assert str(error).startswith("It is not known whether $50.25 for Acme was charged. Could not reach the portal: ")
    assert "continue this purchase with the same amount and the same key: that charges at most once" in str(error)
    assert f"(Key {KEY}, started " in str(error)
    assert error.portal_url == f"{shop.portal.url}/billing?topup=open"
    assert len(shop.ledger()) == acts
    shop.assert_posts(4)
    # 1, 3 and 9 seconds, less what the machine took.
    assert 11 < sum(shop.clock.sleeps) < 13.1
    if with_store:
        assert shop.kept().status == "sending"
        client = shop.client()
    shop.assert_paid(shop.press(client, **store))
    shop.assert_one_charge(posts=5)


def test_a_card_whose_first_reply_is_always_lost_pays_once(shop):
    shop.portal.organisation.card = Card("visa", "0500")
    shop.assert_paid(shop.press(shop.client()))
    shop.assert_one_charge(posts=2)


def test_a_portal_that_is_down_for_the_first_two_tries(client_kind, tmp_path):
    portal = MockPortal()
    port = int(portal.start().rpartition(":")[2])
    shop = Shop(client_kind, portal, tmp_path)
    client = shop.client()
    portal.stop()
    tries = []

    def hear(progress):
        if isinstance(progress, nb.BillingError):
            tries.append(progress)
            if len(tries) == 2:
                portal.start(port)

    try:
        purchase = client.buy_credits(AMOUNT, idempotency_key=KEY, store=shop.folder, on_progress=hear)
        assert [type(error) for error in tries] == [nb.BillingNetworkError] * 2
        assert [error.outcome_unknown for error in tries] == [False, False]
        shop.clock.advance(5)
        shop.assert_paid(purchase)
        shop.assert_one_charge(posts=1)
    finally:
        portal.stop()


def test_a_portal_that_stays_down_is_a_plain_error_and_leaves_nothing_behind(client_kind, tmp_path):
    portal = MockPortal()
    portal.start()
    shop = Shop(client_kind, portal, tmp_path)
    client = shop.client()
    portal.stop()
    error = shop.press(client)
    assert (type(error), error.outcome_unknown) == (nb.BillingNetworkError, False)
    assert shop.heard == ["BillingNetworkError"] * 3
    assert shop.kept() is None


# --- Definite answers

OWN_503 = Fault.reply(503, {"error": "temporarily_unavailable"}, {"retry-after": "60"})
STRIPE_503 = Fault.reply(503, {"error": "stripe_unavailable"})
LIMITED = Fault.reply(429, {"error": "rate_limited"}, {"retry-after": "90"})

REFUSALS = {
    "the portal's own 503": (OWN_503, nb.BillingRateLimited),
    "the processor's 503": (STRIPE_503, nb.BillingStripeUnavailable),
    "429": (LIMITED, nb.BillingRateLimited),
    "403": (Fault.reply(403, {"error": "consent_required"}), nb.BillingConsentRequired),
    "400": (Fault.reply(400, {"error": "validation_failed"}), nb.BillingInvalidRequest),
}
refusals = pytest.mark.parametrize(("fault", "kind"), REFUSALS.values(), ids=REFUSALS)


@refusals
def test_after_a_definite_answer_nothing_is_sent_again(fault, kind, shop):
    shop.portal.inject(fault, "post_charge")
    error = shop.press(shop.client())
    assert (type(error), error.outcome_unknown) == (kind, False)
    assert shop.ledger() == []
    assert shop.clock.sleeps == []
    assert shop.kept().status == "not_made"
    # Pressed again it begins anew, with the same key.
    shop.assert_paid(shop.press(shop.client()))
    shop.assert_one_charge(posts=2)


@refusals
def test_a_refusal_does_not_settle_what_an_earlier_lost_reply_left_open(fault, kind, shop):
    shop.portal.inject(Fault.drop(acts=True), "post_charge")
    shop.portal.inject(fault, "post_charge")
    error = shop.press(shop.client())
    assert (type(error), type(error.last_error)) == (nb.BillingPurchaseUncertain, kind)
    assert (error.retry_after, error.status) == (error.last_error.retry_after, fault.status)
    assert str(error).startswith("It is not known whether $50.25 for Acme was charged.")
    assert "Nothing was" not in str(error)
    assert len(shop.ledger()) == 1
    assert shop.kept().status == "sending"
    # Nor does it in the next program.
    shop.portal.inject(fault, "post_charge")
    assert type(shop.press(shop.client())) is nb.BillingPurchaseUncertain
    assert shop.kept().status == "sending"
    shop.assert_paid(shop.press(shop.client()))
    shop.assert_one_charge(posts=4)


def test_a_portal_that_goes_down_after_a_lost_reply_leaves_it_open(client_kind, tmp_path):
    portal = MockPortal()
    with portal.serve():
        shop = Shop(client_kind, portal, tmp_path)
        portal.inject(Fault.drop(acts=True), "post_charge")
        error = shop.press(shop.client(), on={"error": portal.stop})
    assert type(error) is nb.BillingPurchaseUncertain
    # The last try was certainly not sent, and says so; the purchase as a whole must not.
    assert error.last_error.outcome_unknown is False
    assert "Nothing was" in str(error.last_error)
    assert "Nothing was" not in str(error)


def test_the_real_limit_after_a_lost_reply_leaves_it_open_until_the_hour_is_over(shop):
    client = shop.client()
    for number in range(4):
        shop.press(client, "10", key=f"before-{number}", store=None)
    shop.portal.inject(Fault.drop(acts=True), "post_charge")
    error = shop.press(client)
    assert (type(error), error.last_error.status) == (nb.BillingPurchaseUncertain, 429)
    assert error.retry_after == pytest.approx(3600, abs=60)
    assert shop.ledger()[4:] == ["50.25 pending"]
    shop.portal.clock.advance(3600)
    shop.assert_paid(shop.press(shop.client()))
    assert len(shop.ledger()) == 5


# --- The login, while a purchase is under way

MOMENTS = ["sending", "error", "pending"]


def losing_the_first_reply(shop, moment):
    if moment == "error":
        shop.portal.inject(Fault.drop(acts=True), "post_charge")


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_token_that_expires_is_replaced_and_the_same_key_goes_on(moment, shop):
    losing_the_first_reply(shop, moment)
    source = Renewing(shop.portal)
    first = source.token
    purchase = shop.press(shop.client(source, base_url=None), on={moment: lambda: shop.portal.expire(first)})
    shop.assert_paid(purchase)
    assert source.token != first
    # The new token was first seen to belong to the same organisation.
    asked = [request for request in shop.portal.requests if source.token in request.headers["authorization"]]
    assert asked[0].operation == "get_billing_state"
    shop.assert_one_charge(posts={"sending": 2, "error": 3, "pending": 1}[moment])
    assert [post.status for post in shop.posts()].count(401) == (moment != "pending")


def revoked(portal, token):
    portal.revoke_session(token)


def stopped(portal, token):
    portal.stop_spending(token, "admin")


ENDS = {
    "the session is revoked": (revoked, nb.BillingSessionRevoked, "This session was logged out."),
    "spending is stopped": (stopped, nb.BillingRemoteSpendingRevoked, "Spending was stopped for this terminal."),
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(("end", "kind", "sentence"), ENDS.values(), ids=ENDS)
def test_a_login_that_ends_never_turns_a_charge_that_may_be_made_into_a_failure(end, kind, sentence, moment, shop):
    losing_the_first_reply(shop, moment)
    token = shop.portal.issue_token()
    error = shop.press(shop.client(StaticToken(token)), on={moment: lambda: end(shop.portal, token)})
    if moment == "sending":
        assert (type(error), shop.ledger(), shop.kept().status) == (kind, [], "not_made")
    else:
        assert type(error) is nb.BillingPurchaseUncertain
        assert sentence in str(error)
        assert len(shop.ledger()) == 1
    if moment == "error":
        assert (type(error.last_error), error.charge_id, shop.kept().status) == (kind, None, "sending")
    if moment == "pending":
        assert type(error.last_error) is nb.BillingChargeUnconfirmed
        assert error.charge_id == shop.kept().charge_id == shop.portal.organisation.charges[0].id
        assert str(error).startswith(f"$50.25 for Acme was accepted as charge {error.charge_id}; how that ended is not")
        assert shop.kept().status == "pending"
    # With a new login the same key goes on.
    shop.assert_paid(shop.press(shop.client()))
    shop.assert_one_charge(posts={"sending": 2, "error": 3, "pending": 1}[moment])


@pytest.mark.parametrize("moment", ["error", "pending"])
@pytest.mark.parametrize("with_store", [True, False], ids=["store", "memory"])
def test_a_login_for_another_organisation_never_buys_there(with_store, moment, shop):
    losing_the_first_reply(shop, moment)
    store = {} if with_store else {"store": None}
    other = shop.portal.add_organisation("Other", balance="0")
    eve = shop.portal.add_person("Eve", other)
    source = Renewing(shop.portal)
    client = shop.client(source, base_url=None)
    error = shop.press(client, on={moment: lambda: source.log_in(eve)}, **store)
    assert type(error) is nb.BillingPurchaseUncertain
    reason = error.last_error if moment == "error" else error.last_error.last_error
    assert (type(reason), reason.error) == (nb.BillingInvalidRequest, "wrong_organisation")
    at = f"at {shop.portal.url}"
    assert f"started for Acme (org_1) {at}, but the login is now for Other (org_2) {at}. To continue it" in str(error)
    if with_store:
        # Neither does the next program.
        client = shop.client(source, base_url=None)
    assert type(shop.press(client, **store)) is nb.BillingPurchaseUncertain
    (left,) = client.resume_purchases(shop.folder if with_store else None)
    assert type(left) is nb.BillingPurchaseUncertain
    assert other.charges == []
    shop.assert_posts(1)
    # Back in the first organisation the same key goes on.
    source.log_in(shop.portal.owner)
    shop.assert_paid(shop.press(client, **store))
    shop.assert_one_charge(posts=2 if moment == "error" else 1)
    assert other.charges == []


def test_a_purchase_that_was_not_made_does_not_move_to_another_organisation_either(shop):
    shop.portal.inject(LIMITED, "post_charge")
    shop.press(shop.client())
    eve = shop.portal.add_person("Eve", shop.portal.add_organisation("Other"))
    error = shop.press(shop.client(Renewing(shop.portal, eve)))
    assert (type(error), error.error) == (nb.BillingInvalidRequest, "wrong_organisation")
    assert str(error).endswith("log in for the organisation and portal that it was started for.")
    assert eve.organisation.charges == []


def test_a_purchase_is_not_taken_to_another_portal(shop):
    shop.portal.inject(Fault.drop(acts=True), "post_charge", times=4)
    assert type(shop.press(shop.client())) is nb.BillingPurchaseUncertain
    elsewhere = MockPortal()
    with elsewhere.serve():
        client = shop.client(StaticToken(elsewhere.issue_token()), base_url=elsewhere.url)
        error = shop.press(client)
        assert (type(error), error.last_error.error) == (nb.BillingPurchaseUncertain, "wrong_organisation")
        # The link is that of the portal where the charge may be.
        assert error.portal_url == f"{shop.portal.url}/billing?topup=open"
        assert shop.posts(elsewhere) == []
        assert elsewhere.organisation.charges == []
    shop.assert_paid(shop.press(shop.client()))
    shop.assert_one_charge(posts=5)


# --- A program that dies

STAGES = {
    # Where it died, and how many posts there are when it has gone on.
    "saved, nothing sent": ("sending", False, 1),
    "the reply was lost, and it was charged": ("error", True, 2),
    "the reply was lost, and it was not charged": ("error", False, 2),
    "accepted": ("pending", False, 1),
    "paid": ("settled", False, 1),
}
stages = pytest.mark.parametrize(("moment", "acts", "posts"), STAGES.values(), ids=STAGES)


def dies(shop, client, moment, acts, **store):
    if moment == "error":
        shop.portal.inject(Fault.drop(acts=acts), "post_charge")
    with pytest.raises(CrashError):
        shop.press(client, on={moment: crash}, **store)


@stages
def test_the_next_program_goes_on_where_the_store_is(moment, acts, posts, shop):
    dies(shop, shop.client(), moment, acts)
    assert shop.kept().status == {"error": "sending"}.get(moment, moment)
    shop.assert_paid(shop.press(shop.client()))
    shop.assert_one_charge(posts)


@stages
def test_without_a_store_the_same_client_goes_on(moment, acts, posts, shop):
    client = shop.client()
    dies(shop, client, moment, acts, store=None)
    shop.assert_paid(shop.press(client, store=None))
    shop.assert_one_charge(posts)


@stages
@pytest.mark.parametrize("with_store", [True, False], ids=["store", "memory"])
def test_resuming_never_makes_a_charge(with_store, moment, acts, posts, shop):
    client = shop.client()
    dies(shop, client, moment, acts, **({} if with_store else {"store": None}))
    before = len(shop.posts())
    if with_store:
        client = shop.client()
    outcomes = client.resume_purchases(shop.folder if with_store else None)
    assert len(shop.posts()) == before
    match moment:
        case "settled":
            assert outcomes == []
        case "pending":
            shop.assert_paid(outcomes[0])
            shop.assert_one_charge(posts)
        case _:
            (error,) = outcomes
            assert type(error) is nb.BillingPurchaseUncertain
            assert (error.key, error.amount_usd, error.charge_id) == (KEY, Decimal(AMOUNT), None)
            assert error.portal_url == f"{shop.portal.url}/billing?topup=open"
            # Nothing is asked where nothing can be learned, and the decision is a person's.
            assert len(shop.ledger()) == acts


def test_all_that_was_left_open_is_handed_back_oldest_first(shop):
    client = shop.client()
    shop.portal.inject(LIMITED, "post_charge")
    shop.press(client, key="refused")
    shop.press(client, key="paid")
    shop.clock.advance(1)
    dies(shop, client, "pending", False, key="accepted")
    shop.clock.advance(1)
    dies(shop, client, "error", True, key="lost")
    shop.clock.advance(1)
    shop.portal.organisation.card = Card("visa", "9995")
    dies(shop, client, "pending", False, key="declined")
    before = len(shop.posts())
    accepted, lost, declined = shop.client().resume_purchases(shop.folder)
    assert len(shop.posts()) == before
    shop.assert_paid(accepted)
    assert accepted.key == "accepted"
    assert (type(lost), lost.key) == (nb.BillingPurchaseUncertain, "lost")
    assert (declined.key, declined.status, declined.reason) == ("declined", "failed", "card_declined")
    # What has ended is not handed back twice.
    (still,) = shop.client().resume_purchases(shop.folder)
    assert still.key == "lost"
    shop.assert_paid(shop.press(shop.client(), key="lost"))
    assert shop.client().resume_purchases(shop.folder) == []


def test_resuming_ends_at_its_cap_and_leaves_the_rest_as_it_is(shop):
    shop.portal.settle_after = 100
    dies(shop, shop.client(), "pending", False)
    (error,) = shop.client().resume_purchases(shop.folder, cap=10)
    assert (type(error), type(error.last_error)) == (nb.BillingPurchaseUncertain, nb.BillingChargeTimeout)
    assert error.charge_id == shop.portal.organisation.charges[0].id
    assert shop.kept().status == "pending"
    shop.clock.advance(100)
    shop.assert_paid(shop.client().resume_purchases(shop.folder)[0])


def test_a_store_that_cannot_be_written_sends_nothing(shop):
    shop.folder.write_text("a file where the directory should be")
    error = shop.press(shop.client())
    assert (type(error), error.error) == (nb.BillingPurchaseStoreError, "purchase_store_failed")
    assert shop.posts() == []


# --- Twice at once


@pytest.mark.parametrize("with_store", [True, False], ids=["store", "memory"])
@pytest.mark.parametrize("fault", [None, Fault.drop(acts=True)], ids=["good", "a reply lost"])
def test_presses_at_the_same_moment_are_one_purchase(fault, with_store, shop):
    if fault is not None:
        shop.portal.inject(fault, "post_charge")
    store = shop.folder if with_store else None

    def press(client):
        return client.buy_credits(AMOUNT, idempotency_key=KEY, store=store)

    outcomes = shop.kind.at_once(shop.client(), press, press)
    for purchase in outcomes:
        assert purchase.status == "settled", purchase
    assert len({purchase.charge_id for purchase in outcomes}) == 1
    assert shop.ledger() == ["50.25 settled"]
    shop.assert_posts(len(shop.posts()))
    if with_store:
        assert shop.kept().status == "settled"


def test_two_amounts_under_one_key_at_the_same_moment_are_one_charge_and_one_fault(shop):
    outcomes = shop.kind.at_once(
        shop.client(),
        lambda client: client.buy_credits("50", idempotency_key=KEY, store=shop.folder),
        lambda client: client.buy_credits("60", idempotency_key=KEY, store=shop.folder),
    )
    (paid,) = [outcome for outcome in outcomes if isinstance(outcome, nb.Purchase)]
    (fault,) = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert (type(fault), fault.error) == (nb.BillingIdempotencyConflict, "idempotency_conflict")
    assert "this is a bug in the calling program" in str(fault)
    assert shop.ledger() == [f"{paid.amount_usd} settled"]
    assert shop.kept() == paid
    # The other amount was never sent: the store has only one.
    shop.assert_posts(1, body=f'{{"amountUsd":{paid.amount_usd}}}'.encode())


def test_a_refusal_of_one_press_does_not_take_back_what_another_has_sent(shop, tmp_path):
    # The first press is about to be sent. The second is charged meanwhile, and its program dies before it hears of it.
    def second():
        kind = Kind(shop.kind.name)
        shop.portal.inject(Fault.drop(acts=True), "post_charge")
        try:
            another = Shop(kind, shop.portal, tmp_path)
            with pytest.raises(CrashError):
                another.press(another.client(), on={"error": crash})
        finally:
            kind.close()
        shop.portal.inject(LIMITED, "post_charge")

    def in_between():
        # An event loop is running in this thread already.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(second).result(10)

    error = shop.press(shop.client(), on={"sending": in_between})
    assert shop.ledger() == ["50.25 pending"]
    assert (type(error), type(error.last_error)) == (nb.BillingPurchaseUncertain, nb.BillingRateLimited)
    assert shop.kept().status == "sending"
    shop.assert_paid(shop.press(shop.client()))
    shop.assert_one_charge(posts=3)


def test_purchases_side_by_side_do_not_meet(shop):
    client = shop.client()
    keys = [f"key-{number}" for number in range(8)]

    def press(key):
        amount = Decimal(10 + int(key[-1]))
        return lambda client: client.buy_credits(amount, idempotency_key=key, store=shop.folder)

    outcomes = dict(zip(keys, shop.kind.at_once(client, *map(press, keys)), strict=True))
    limited = {key for key, outcome in outcomes.items() if isinstance(outcome, Exception)}
    # The portal lets five through in an hour; who was not let through knows that nothing was charged.
    assert {type(outcomes[key]) for key in limited} == {nb.BillingRateLimited}
    assert len(limited) == 3
    assert {shop.kept(key).status for key in limited} == {"not_made"}
    shop.clock.advance(3600)
    again = shop.kind.at_once(shop.client(), *map(press, sorted(limited)))
    outcomes.update(zip(sorted(limited), again, strict=True))
    for key, purchase in outcomes.items():
        shop.assert_paid(purchase)
        assert (purchase.key, purchase.amount_usd) == (key, 10 + int(key[-1]))
    assert len(shop.ledger()) == 8


# --- Being told, and stopping


def test_the_caller_is_told_of_each_step_once_it_is_saved(shop):
    told = []
    client = shop.client()
    purchase = client.buy_credits(
        AMOUNT, idempotency_key=KEY, store=shop.folder, on_progress=lambda step: told.append((step, shop.kept()))
    )
    assert [step.status for step, _ in told] == ["sending", "pending", "pending", "pending", "settled"]
    assert all(step == kept for step, kept in told)
    assert told[-1][0] == purchase
    assert (told[0][0].organisation_name, told[0][0].portal_base_url) == ("Acme", shop.portal.url)


def test_who_stops_before_anything_is_sent_has_bought_nothing(shop):
    error = shop.press(shop.client(), cancelled=lambda: True)
    assert (type(error), error.outcome_unknown) == (nb.BillingPurchaseCancelled, False)
    assert str(error) == "The purchase was cancelled. Nothing was charged."
    assert (shop.portal.requests, shop.kept()) == ([], None)


@pytest.mark.parametrize("moment", ["error", "pending"])
def test_who_stops_later_is_told_that_it_may_have_been_charged(moment, shop):
    losing_the_first_reply(shop, moment)
    stop = []
    error = shop.press(shop.client(), on={moment: lambda: stop.append(True)}, cancelled=lambda: bool(stop))
    assert type(error) is nb.BillingPurchaseUncertain
    kind = {"error": nb.BillingPurchaseCancelled, "pending": nb.BillingChargeCancelled}[moment]
    assert type(error.last_error) is kind
    assert "Nothing was" not in str(error)
    shop.assert_posts(1)
    shop.assert_paid(shop.press(shop.client()))
    shop.assert_one_charge(posts=2 if moment == "error" else 1)


# --- A step-up by a source that cannot say that it has changed


def test_after_a_step_up_the_new_token_is_used(shop):
    class Stepped:
        token = shop.portal.issue_token(scope="inference:invoke")

        def resolve(self, *, rejected=None):
            return nb.Credentials(self.token)

    def step_up():
        Stepped.token = shop.portal.issue_token()
        return True

    async def astep_up():
        return step_up()

    client = shop.client(Stepped())
    shop.assert_paid(shop.press(client, step_up=astep_up if shop.kind.is_async else step_up))
    shop.assert_one_charge(posts=2)


@pytest.mark.parametrize("asks", [True, False], ids=["with a step-up", "without one"])
def test_a_scope_that_is_lost_while_waiting_is_asked_for_or_leaves_the_purchase_open(asks, shop):
    source = Renewing(shop.portal)

    def step_up():
        source.log_in()
        return True

    async def astep_up():
        return step_up()

    def narrow():
        source.token = shop.portal.issue_token(scope="inference:invoke")

    question = (astep_up if shop.kind.is_async else step_up) if asks else None
    outcome = shop.press(shop.client(source), on={"pending": narrow}, step_up=question)
    if not asks:
        assert type(outcome) is nb.BillingPurchaseUncertain
        assert type(outcome.last_error.last_error) is nb.BillingScopeRequired
        assert shop.kept().charge_id == outcome.charge_id
        source.log_in()
        outcome = shop.press(shop.client(source))
    shop.assert_paid(outcome)
    shop.assert_one_charge(posts=1)


def test_after_a_long_step_up_a_lost_reply_is_outlived_as_ever(shop):
    source = Renewing(shop.portal)
    source.token = shop.portal.issue_token(scope="inference:invoke")

    def step_up():
        shop.clock.advance(300)
        source.log_in()
        shop.portal.inject(Fault.drop(acts=True), "post_charge")
        return True

    async def astep_up():
        return step_up()

    purchase = shop.press(shop.client(source), step_up=astep_up if shop.kind.is_async else step_up)
    shop.assert_paid(purchase)
    shop.assert_one_charge(posts=3)


# --- A task that is cancelled

AT = {
    "nothing is sent yet": ("get_billing_state", Fault.stall(), None, 0),
    "in the post, and it is charged": ("post_charge", Fault.stall(acts=True), "sending", 1),
    "in the post, and it is not charged": ("post_charge", Fault.stall(), "sending", 0),
    "waiting": ("get_charge_status", Fault.stall(), "pending", 1),
}


@pytest.mark.parametrize(("operation", "fault", "kept", "charges"), AT.values(), ids=AT)
def test_a_cancelled_task_leaves_a_purchase_that_goes_on(operation, fault, kept, charges, mock_portal, tmp_path):
    mock_portal.settle_after = 0
    mock_portal.inject(fault, operation)

    async def press():
        source, clock = StaticToken(mock_portal.issue_token()), AwaitedMovedClock()
        async with AsyncBillingClient(source, base_url=mock_portal.url, clock=clock) as client:
            return await client.buy_credits(AMOUNT, idempotency_key=KEY, store=tmp_path)

    async def cancelled():
        task = asyncio.create_task(press())
        while not any(request.operation == operation for request in mock_portal.requests):
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(cancelled(), 10))
    found = PurchaseDirectory(tmp_path).load(KEY)
    assert [purchase.status for purchase in found] == ([] if kept is None else [kept])
    assert len(mock_portal.organisation.charges) == charges
    assert asyncio.run(press()).status == "settled"
    assert len(mock_portal.organisation.charges) == 1


def test_what_a_store_waits_for_and_somebody_else_cancels_is_a_store_that_failed(mock_portal):
    mock_portal.settle_after = 0
    kept, told = {}, []

    class Store:
        async def load(self, key=None):
            return list(kept.values())

        async def save(self, purchase):
            if purchase.status == "pending":
                connecting = asyncio.get_running_loop().create_future()
                connecting.cancel()
                await connecting
            kept[purchase.key] = purchase
            return True

    async def press():
        source = StaticToken(mock_portal.issue_token())
        async with AsyncBillingClient(source, base_url=mock_portal.url) as client:
            return await client.buy_credits(AMOUNT, idempotency_key=KEY, store=Store(), on_progress=told.append)

    assert asyncio.run(press()).status == "settled"
    (failed,) = [event for event in told if isinstance(event, nb.BillingError)]
    assert (type(failed), "CancelledError" in str(failed)) == (nb.BillingPurchaseStoreError, True)
