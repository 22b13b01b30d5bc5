"""Subscriptions: ids of tiers, what goes out, what portals of every age answer, and what a result says of itself."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from nous_billing import models
from nous_billing.errors import BillingInvalidRequest, BillingResponseError
from nous_billing.protocol import operations
from nous_billing.protocol.ids import check_charge_id, check_tier_id
from nous_billing.protocol.replies import Failure
from tests.documented import made
from tests.unit.drive import OWNER_STATE, PLUS, PREVIEW, SUBSCRIPTION, TIER, call, refusal, reply, short

UPGRADE = "upgrade_subscription"
CANCEL = operations.set_pending_subscription_change(None)


def read(name, body):
    return call(made(name), reply(200, body)).result


def renamed(body, **names):
    return {names.get(key, key): value for key, value in body.items()}


# --- Ids


@pytest.mark.parametrize("check", [check_charge_id, check_tier_id])
@pytest.mark.parametrize("given", ["x", "!~", "  tier_1\n", "x" * 255, "a/../b"], ids=short)
def test_an_id_is_stripped_and_else_kept(check, given):
    assert check(given) == given.strip()


@pytest.mark.parametrize("given", ["", " ", "a b", "a\nb", "a\x7f", "\u00fc", "x" * 256], ids=short)
def test_what_cannot_be_the_id_of_a_tier_is_refused(given):
    with pytest.raises(BillingInvalidRequest) as caught:
        check_tier_id(given)
    assert caught.value.error == "invalid_subscription_type"
    assert str(caught.value) == (
        "subscription_type_id must be the tier_id of one of the subscription's tiers: 1 to 255 visible ASCII "
        "characters."
    )


@pytest.mark.parametrize("given", [None, 5, b"tier_1"])
def test_the_id_of_a_tier_is_a_string(given):
    with pytest.raises(
        BillingInvalidRequest, match=r"^subscription_type_id must be the tier_id of .* tiers, a string, not "
    ) as caught:
        check_tier_id(given)
    assert caught.value.error == "invalid_subscription_type"


@pytest.mark.parametrize("given", [".", ".."])
def test_dots_are_the_id_of_a_tier_but_not_of_a_charge(given):
    # That of a charge is part of a path.
    assert check_tier_id(given) == given
    with pytest.raises(BillingInvalidRequest):
        check_charge_id(given)


@pytest.mark.parametrize(
    "make",
    [
        operations.preview_subscription_change,
        operations.set_pending_subscription_change,
        lambda tier: operations.upgrade_subscription(tier, "key-1"),
    ],
)
def test_each_operation_checks_the_tier(make):
    with pytest.raises(BillingInvalidRequest) as caught:
        make("")
    assert caught.value.error == "invalid_subscription_type"
    assert b'"subscriptionTypeId":"tier_1"' in make(" tier_1 ").body


# --- What goes out


@pytest.mark.parametrize(
    ("operation", "method", "path", "body", "is_read", "moves_money", "changes_settings"),
    [
        (operations.get_subscription(), "GET", "", None, True, False, False),
        (
            operations.preview_subscription_change("t"),
            "POST",
            "/preview",
            b'{"subscriptionTypeId":"t"}',
            True,
            False,
            False,
        ),
        (
            operations.set_pending_subscription_change("t"),
            "PUT",
            "/pending-change",
            b'{"type":"tier_change","subscriptionTypeId":"t"}',
            False,
            False,
            True,
        ),
        (CANCEL, "PUT", "/pending-change", b'{"type":"cancellation"}', False, False, True),
        (operations.delete_pending_subscription_change(), "DELETE", "/pending-change", None, False, False, True),
        (
            operations.upgrade_subscription("t", " k "),
            "POST",
            "/upgrade",
            b'{"subscriptionTypeId":"t"}',
            False,
            True,
            False,
        ),
    ],
)
def test_what_goes_out_and_what_it_may_do(operation, method, path, body, is_read, moves_money, changes_settings):
    assert (operation.method, operation.path) == (method, f"/api/billing/subscription{path}")
    assert operation.body == body
    assert (operation.is_read, operation.moves_money, operation.changes_settings) == (
        is_read,
        moves_money,
        changes_settings,
    )
    assert operation.headers.get("Idempotency-Key") == ("k" if moves_money else None)


def test_an_upgrade_needs_a_key():
    with pytest.raises(BillingInvalidRequest) as caught:
        operations.upgrade_subscription("tier_1", " ")
    assert caught.value.error == "idempotency_key_required"


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        (
            made(UPGRADE),
            " The upgrade may have been made: try again with the same idempotency key, never a new one.",
        ),
        # An operation of which nothing more is said than that it has a key.
        (
            replace(made(UPGRADE), changes=""),
            " The payment may have been made: try again with the same idempotency key, never a new one.",
        ),
        (CANCEL, " The change may have been saved: read the subscription to find out."),
        (
            operations.delete_pending_subscription_change(),
            " The change may have been saved: read the subscription to find out.",
        ),
        (made("preview_subscription_change"), None),
        (made("get_subscription"), None),
    ],
)
@pytest.mark.parametrize("end", ["lost", "page", "server"])
def test_a_lost_reply_says_what_may_have_been_done(operation, said, end):
    answer = {"lost": Failure("reset", sent=True), "page": reply(404, b"<html>"), "server": reply(500)}[end]
    error = call(operation, answer).error
    assert error.outcome_unknown is (said is not None)
    assert str(error).endswith(said) if said else "may have" not in str(error)


@pytest.mark.parametrize("operation", ["get_subscription", UPGRADE])
def test_a_portal_without_subscriptions_answers_with_a_page(operation):
    error = refusal(reply(404, b"<html>"), made(operation))
    assert (type(error), error.error, error.status) == (BillingResponseError, "endpoint_unavailable", 404)


# --- What portals answer


def test_a_subscription_is_read():
    subscription = read("get_subscription", SUBSCRIPTION)
    end = datetime(2026, 7, 1, tzinfo=UTC)
    assert subscription == models.Subscription(
        org=models.SubscriptionOrganisation(id="org_1", name="Acme", role="ADMIN"),
        context="personal",
        portal_url=f"{PREVIEW}/plan",
        current=models.CurrentSubscription(
            tier_id="tier_plus",
            tier_name="Plus",
            monthly_credits=Decimal("22.50"),
            credits_remaining=Decimal("-1.5"),
            cycle_ends_at=end,
            pending_downgrade_tier_name="Basic",
            pending_downgrade_at=end,
            cancel_at_period_end=False,
        ),
        tiers=(
            models.SubscriptionTier(
                tier_id="tier_plus",
                name="Plus",
                tier_order=2,
                dollars_per_month_display=Decimal(20),
                monthly_credits=Decimal("22.50"),
                is_current=True,
                is_enabled=False,
            ),
        ),
        raw=SUBSCRIPTION,
    )
    assert str(subscription.current.monthly_credits) == "22.50"


def test_an_older_portal_has_other_names():
    older = {
        **SUBSCRIPTION,
        "current": renamed(PLUS, tierId="id", tierName="name"),
        "tiers": [renamed(TIER, tierId="id")],
    }
    subscription = read("get_subscription", older)
    assert replace(subscription, raw={}) == replace(read("get_subscription", SUBSCRIPTION), raw={})


def test_where_a_portal_has_both_names_the_new_one_counts():
    both = {**SUBSCRIPTION, "current": {**PLUS, "id": "sub_1", "name": "old"}, "tiers": [{**TIER, "id": "price_1"}]}
    subscription = read("get_subscription", both)
    assert (subscription.current.tier_id, subscription.current.tier_name) == ("tier_plus", "Plus")
    assert subscription.tiers[0].tier_id == "tier_plus"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({**SUBSCRIPTION, "current": {**renamed(PLUS, tierId="key")}}, "current.tierId is missing"),
        ({**SUBSCRIPTION, "tiers": [renamed(TIER, tierId="key")]}, "tiers[0].tierId is missing"),
        ({**SUBSCRIPTION, "tiers": [renamed(TIER, name="title")]}, "tiers[0].name is missing"),
        ({**SUBSCRIPTION, "tiers": [{**TIER, "tierOrder": 1.5}]}, "tiers[0].tierOrder"),
    ],
)
def test_a_subscription_without_its_ids_or_names_breaks_the_contract(body, said):
    error = call(made("get_subscription"), reply(200, body)).error
    assert (type(error), error.error) == (BillingResponseError, "invalid_response")
    assert said in str(error)


@pytest.mark.parametrize("link", ["javascript:alert(1)", "//evil.example", "https://user@evil.example/", "", None, 5])
@pytest.mark.parametrize(
    ("operation", "body", "key", "attribute"),
    [
        ("get_subscription", SUBSCRIPTION, "portalUrl", "portal_url"),
        (UPGRADE, {"status": "requires_action"}, "recoveryUrl", "recovery_url"),
    ],
)
def test_a_result_always_has_a_link_that_is_safe(operation, body, key, attribute, link):
    billing = f"{PREVIEW}/billing?topup=open"
    without = {name: value for name, value in body.items() if name != key}
    assert getattr(read(operation, without), attribute) == billing
    assert getattr(read(operation, {**body, key: link}), attribute) == billing
    assert getattr(read(operation, {**body, key: "/pay/1"}), attribute) == f"{PREVIEW}/pay/1"


@pytest.mark.parametrize("cents", [0, 1, 2000, -5, None])
def test_the_amount_of_a_preview_is_whole_cents(cents):
    preview = read("preview_subscription_change", {"effect": "charge_now", "amountDueNowCents": cents})
    assert (preview.amount_due_now_cents, type(preview.amount_due_now_cents)) == (cents, type(cents))


@pytest.mark.parametrize("cents", [0.5, "2000", True])
def test_an_amount_that_is_no_whole_number_breaks_the_contract(cents):
    body = {"effect": "charge_now", "amountDueNowCents": cents}
    assert type(call(made("preview_subscription_change"), reply(200, body)).error) is BillingResponseError


def test_a_change_says_what_is_pending():
    assert read("delete_pending_subscription_change", {"rail": "stripe"}) == models.PendingChange(
        rail="stripe", raw={"rail": "stripe"}
    )


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (None, None),
        (
            {"kind": "card", "brand": "visa", "last4": "4242", "wallet": "apple_pay", "resolvedVia": "subPin"},
            models.CardPaymentMethod(
                kind="card", brand="visa", last4="4242", wallet="apple_pay", resolved_via="subPin"
            ),
        ),
        ({"kind": "link"}, models.LinkPaymentMethod(kind="link")),
        ({"kind": "iban", "bank": "x"}, models.OtherPaymentMethod(kind="iban", raw={"kind": "iban", "bank": "x"})),
    ],
)
def test_a_payment_method_is_a_card_a_wallet_or_kept_as_it_is(method, expected):
    assert read("get_billing_state", {**OWNER_STATE, "paymentMethod": method}).payment_method == expected


# --- What a result says of itself


@pytest.mark.parametrize(
    ("effect", "blocked"),
    [
        ("charge_now", False),
        ("scheduled", False),
        ("no_op", False),
        ("blocked", True),
        ("CHARGE_NOW", True),
        ("", True),
    ],
)
def test_an_effect_that_is_not_known_counts_as_blocked(effect, blocked):
    assert models.SubscriptionPreview(effect=effect).is_blocked is blocked


@pytest.mark.parametrize(
    ("status", "is_upgraded", "outcome_unknown"),
    [
        ("upgraded", True, False),
        ("already_on_tier", True, False),
        ("requires_action", False, False),
        ("payment_failed", False, False),
        ("processing", False, True),
        ("", False, True),
    ],
)
def test_a_status_that_is_not_known_says_that_the_outcome_is_not(status, is_upgraded, outcome_unknown):
    result = read(UPGRADE, {"status": status})
    assert (result.is_upgraded, result.outcome_unknown) == (is_upgraded, outcome_unknown)


@pytest.mark.parametrize(
    ("role", "may"), [("OWNER", True), ("ADMIN", True), ("MEMBER", False), ("FINANCE_ADMIN", False), ("owner", False)]
)
def test_the_capability_to_change_the_plan_outranks_the_role(role, may):
    for capability, expected in ((None, may), (True, True), (False, False)):
        body = {**SUBSCRIPTION, "org": {**SUBSCRIPTION["org"], "role": role}, "canChangePlan": capability}
        if capability is None:
            del body["canChangePlan"]
        assert read("get_subscription", body).may_change_plan is expected
