"""Subscriptions: previews, a pending change, and upgrades, which charge."""

import itertools
from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from nous_billing.mock import Card
from nous_billing.mock.ledger import timestamp
from nous_billing.mock.plans import PERIOD, TIERS
from tests.registry import WAYS, Rig

from .api import OPERATIONS

BASIC, PLUS, SUPER, LEGACY = (tier.id for tier in TIERS)
DAY = 86400


@pytest.fixture
def plan(portal):
    return portal.organisation.plan


@pytest.fixture
def api(portal, api):
    """With a token that outlives a period."""
    api.token = portal.issue_token(lifetime=10.0**9)
    return api


def current(api):
    return api.subscription().json()["current"]


def refused(reply, status, code):
    """Whether a reply is this refusal, with a sentence and, where a person can look at something, a link."""
    body = reply.json()
    assert (reply.status_code, body["error"]) == (status, code)
    assert body["message"].endswith(".")
    return body


def test_everybody_sees_the_plan_and_the_tiers(portal, api):
    member = portal.issue_token(portal.add_person("Max", portal.organisation, "MEMBER"), scope="inference:invoke")
    assert api.subscription(member).json() == {
        "org": {"id": "org_1", "name": "Acme", "role": "MEMBER", "slug": "acme"},
        "context": "personal",
        "portalUrl": "/billing?topup=open",
        "current": {
            "tierId": PLUS,
            "tierName": "Plus",
            "monthlyCredits": "22",
            "creditsRemaining": "22",
            "cycleEndsAt": timestamp(portal.clock.datetime() + PERIOD),
            "cancelAtPeriodEnd": False,
        },
        "tiers": [
            {
                "tierId": tier_id,
                "name": name,
                "tierOrder": order,
                "dollarsPerMonthDisplay": dollars,
                "monthlyCredits": monthly_credits,
                "isCurrent": tier_id == PLUS,
                "isEnabled": True,
            }
            for tier_id, name, order, dollars, monthly_credits in [
                (BASIC, "Basic", 1, "10", "11"),
                (PLUS, "Plus", 2, "20", "22"),
                (SUPER, "Super", 3, "40", "46"),
            ]
        ],
    }


def test_what_a_test_sets_is_what_the_subscription_shows(portal, api, plan):
    plan.tier_id, plan.used, plan.context = LEGACY, Decimal("12.50"), "team"
    portal.owner.can_change_plan = False
    shown = api.subscription().json()
    assert (shown["context"], shown["canChangePlan"]) == ("team", False)
    assert shown["current"]["creditsRemaining"] == "37.5"
    # A tier that nobody can choose any more is shown to who is on it.
    assert [(tier["isCurrent"], tier["isEnabled"]) for tier in shown["tiers"]] == [(False, True)] * 3 + [(True, False)]
    plan.tier_id = None
    shown = api.subscription().json()
    assert (shown["current"], [tier["isCurrent"] for tier in shown["tiers"]]) == (None, [False] * 3)


# --- Previews


@pytest.mark.parametrize(
    ("on", "target", "effect", "delta", "cents"),
    [
        (PLUS, SUPER, "charge_now", "24", 2000),
        (BASIC, SUPER, "charge_now", "35", 3000),
        (PLUS, PLUS, "no_op", "0", None),
        (LEGACY, LEGACY, "no_op", "0", None),
        (PLUS, BASIC, "scheduled", "-11", None),
        (LEGACY, SUPER, "scheduled", "-4", None),
        (PLUS, LEGACY, "blocked", "28", None),
        (None, BASIC, "blocked", None, None),
    ],
)
def test_a_preview_says_what_a_change_would_do_and_does_nothing(portal, api, plan, on, target, effect, delta, cents):
    plan.tier_id = on
    before = api.subscription().json()
    quote = api.preview(target).json()
    names = {tier.id: tier.name for tier in TIERS}
    assert (quote["effect"], quote["amountDueNowCents"]) == (effect, cents)
    assert (quote["targetTierId"], quote["targetTierName"]) == (target, names[target])
    assert (quote.get("currentTierId"), quote.get("currentTierName")) == (on, names.get(on))
    assert quote.get("monthlyCreditsDelta") == delta
    assert quote.get("effectiveAt") == (timestamp(plan.ends_at) if effect == "scheduled" else None)
    reasons = {LEGACY: "This tier can no longer be chosen.", BASIC: "There is no subscription yet. "}
    assert quote.get("reason", "").startswith(reasons[target]) if effect == "blocked" else "reason" not in quote
    assert api.subscription().json() == before
    assert plan.upgrades == []


@pytest.mark.parametrize(
    ("days", "cents"), [(0, 2000), (15, 1000), (10, 1333), (20, 667), (29.9999, 0), (30, 2000), (45, 1000)]
)
def test_an_upgrade_costs_the_difference_for_the_rest_of_the_period_in_whole_cents(portal, api, days, cents):
    portal.clock.advance(days * DAY)
    assert api.preview(SUPER).json()["amountDueNowCents"] == cents


def test_there_is_no_preview_of_a_tier_that_does_not_exist(api):
    assert refused(api.preview("tier_none"), 409, "preview_rejected")["portalUrl"] == "/billing?topup=open"


# --- A pending change


def test_a_lower_tier_is_scheduled_and_comes_at_the_end_of_the_period(portal, api, plan):
    end = plan.ends_at
    plan.used = Decimal(5)
    scheduled = api.change(BASIC)
    assert (scheduled.status_code, scheduled.json()) == (
        200,
        {
            "rail": "stripe",
            "changeType": "downgrade",
            "targetTierName": "Basic",
            "message": f"The plan changes to Basic on {end:%B} {end.day}.",
        },
    )
    portal.clock.advance(30 * DAY - 1)
    shown = current(api)
    assert (shown["tierId"], shown["pendingDowngradeTierName"]) == (PLUS, "Basic")
    assert shown["pendingDowngradeAt"] == shown["cycleEndsAt"] == timestamp(end)
    portal.clock.advance(1)
    shown = current(api)
    assert (shown["tierId"], shown["creditsRemaining"]) == (BASIC, "11")
    assert shown["cycleEndsAt"] == timestamp(end + PERIOD)
    assert "pendingDowngradeTierName" not in shown


def test_a_cancelled_subscription_goes_on_until_the_end_of_the_period(portal, api, plan):
    end = plan.ends_at
    assert api.change().json() == {
        "rail": "stripe",
        "cancelAtPeriodEnd": True,
        "message": f"The subscription ends on {end:%B} {end.day}.",
    }
    shown = current(api)
    assert (shown["cancelAtPeriodEnd"], shown["cancellationEffectiveAt"]) == (True, timestamp(end))
    portal.clock.advance(30 * DAY)
    assert current(api) is None
    assert refused(api.change(), 409, "subscription_mutation_rejected")["message"] == (
        "There is no subscription to cancel."
    )


@pytest.mark.parametrize(("first", "second"), [(BASIC, None), (None, BASIC)])
def test_a_new_pending_change_replaces_the_one_before(portal, api, first, second):
    api.change(first)
    api.change(second)
    shown = current(api)
    assert ("pendingDowngradeTierName" in shown, shown["cancelAtPeriodEnd"]) == (second == BASIC, second is None)
    portal.clock.advance(30 * DAY)
    assert (current(api) or {}).get("tierId") == second


@pytest.mark.parametrize("change", [BASIC, None])
def test_a_pending_change_that_is_undone_does_not_come(portal, api, change):
    before = current(api)
    api.change(change)
    for _ in range(2):
        undone = api.undo()
        assert (undone.status_code, undone.json()["cancelAtPeriodEnd"]) == (200, False)
    assert current(api) == before
    portal.clock.advance(30 * DAY)
    assert current(api)["tierId"] == PLUS


def test_a_change_that_has_come_cannot_be_undone(portal, api):
    api.change(BASIC)
    portal.clock.advance(30 * DAY)
    api.undo()
    assert current(api)["tierId"] == BASIC


def test_a_subscription_renews_period_after_period(portal, api, plan):
    end = plan.ends_at
    portal.clock.advance(95 * DAY)
    assert current(api)["cycleEndsAt"] == timestamp(end + 3 * PERIOD)


@pytest.mark.parametrize(
    ("on", "target", "sentence"),
    [
        (PLUS, PLUS, "Only a lower tier can be scheduled. An upgrade is made at once."),
        (PLUS, SUPER, "Only a lower tier can be scheduled. An upgrade is made at once."),
        (PLUS, LEGACY, "This tier can no longer be chosen."),
        (PLUS, "tier_none", "There is no such tier."),
        (None, BASIC, "There is no subscription yet. Choose a plan on the portal."),
    ],
)
def test_a_change_that_cannot_be_scheduled_leaves_the_one_that_is_pending(api, plan, on, target, sentence):
    plan.tier_id, plan.pending = on, "cancellation"
    body = refused(api.change(target), 409, "subscription_mutation_rejected")
    assert (body["message"], body["portalUrl"], plan.pending) == (sentence, "/billing?topup=open", "cancellation")


# --- Upgrades


def test_an_upgrade_charges_once_for_its_key_and_counts_against_the_monthly_cap(portal, api, plan):
    api.change()
    portal.clock.advance(15 * DAY)
    api.charge("50", key="charge")
    for _ in range(3):
        reply = api.upgrade(SUPER)
        assert (reply.status_code, reply.json()) == (
            200,
            {"status": "upgraded", "targetTierId": SUPER, "targetTierName": "Super"},
        )
    (upgrade,) = plan.upgrades
    assert (upgrade.key, upgrade.tier.id, upgrade.amount) == ("key-1", SUPER, Decimal("10.00"))
    assert upgrade.made_at == portal.clock.datetime()
    assert portal.organisation.spent_this_month == 60
    shown = current(api)
    # What was pending is gone; the period goes on.
    assert (shown["tierId"], shown["cancelAtPeriodEnd"]) == (SUPER, False)
    assert shown["cycleEndsAt"] == timestamp(portal.clock.datetime() + timedelta(days=15))


def test_an_upgrade_to_the_tier_that_one_is_on_charges_nothing(portal, api, plan):
    portal.organisation.monthly_cap = Decimal(0)
    assert api.upgrade(PLUS).json() == {"status": "already_on_tier", "targetTierId": PLUS, "targetTierName": "Plus"}
    assert plan.upgrades == []


@pytest.mark.parametrize(
    ("last4", "status", "reason"),
    [
        ("3155", "requires_action", "authentication_required"),
        ("9995", "payment_failed", "card_declined"),
        ("0069", "payment_failed", "payment_method_expired"),
        ("0119", "payment_failed", "processing_error"),
    ],
)
def test_an_upgrade_that_is_not_paid_can_be_finished_by_a_person(portal, api, plan, last4, status, reason):
    portal.organisation.card = Card("visa", last4)
    unpaid = api.upgrade(SUPER)
    assert (unpaid.status_code, unpaid.json()) == (
        200,
        {
            "status": status,
            "targetTierId": SUPER,
            "targetTierName": "Super",
            "reason": reason,
            "recoveryUrl": "/billing?topup=open",
        },
    )
    assert (plan.upgrades, portal.organisation.spent_this_month, current(api)["tierId"]) == ([], 0, PLUS)
    portal.finish_upgrade(portal.organisation)
    assert [(made.key, made.tier.id, made.amount) for made in plan.upgrades] == [("key-1", SUPER, 20)]
    assert current(api)["tierId"] == SUPER
    # The key is spent: its reply stays what it was.
    assert api.upgrade(SUPER).json() == unpaid.json()
    with pytest.raises(LookupError, match=r"^No upgrade waits for a person\.$"):
        portal.finish_upgrade()


def test_an_upgrade_made_meanwhile_leaves_nothing_for_a_person_to_finish(portal, api, plan):
    portal.organisation.card = Card("visa", "3155")
    api.upgrade(SUPER)
    portal.organisation.card = Card("visa", "4242")
    assert api.upgrade(SUPER, key="another").json()["status"] == "upgraded"
    with pytest.raises(LookupError):
        portal.finish_upgrade()
    assert len(plan.upgrades) == 1


def test_the_ambiguous_card_upgrades_and_loses_the_first_reply(portal, api, plan):
    portal.organisation.card = Card("visa", "0500")
    with pytest.raises(httpx.RemoteProtocolError):
        api.upgrade(SUPER)
    assert (portal.requests[-1].status, len(plan.upgrades)) == (None, 1)
    assert api.upgrade(SUPER).json()["status"] == "upgraded"
    assert len(plan.upgrades) == 1


@pytest.mark.parametrize(
    ("on", "target", "sentence"),
    [
        (PLUS, BASIC, "This is no upgrade. A lower tier is scheduled for the end of the period."),
        (PLUS, LEGACY, "This tier can no longer be chosen."),
        (PLUS, "tier_none", "There is no such tier."),
        (None, BASIC, "There is no subscription yet. Choose a plan on the portal."),
    ],
)
def test_what_is_no_upgrade_is_refused_and_leaves_the_key_unused(portal, api, plan, on, target, sentence):
    plan.tier_id = on
    assert refused(api.upgrade(target), 409, "subscription_mutation_rejected")["message"] == sentence
    plan.tier_id = PLUS
    assert api.upgrade(SUPER).json()["status"] == "upgraded"


@pytest.mark.parametrize("request_", ["another tier", "a charge"])
def test_a_key_that_was_used_for_something_else_is_a_conflict(api, plan, request_):
    assert api.upgrade(SUPER).status_code == 200
    reply = api.charge() if request_ == "a charge" else api.upgrade(PLUS)
    refused(reply, 409, "idempotency_conflict")
    assert len(plan.upgrades) == 1


def test_an_upgrade_above_the_monthly_cap_is_refused_by_its_cent(portal, api, plan):
    portal.organisation.monthly_cap = Decimal("19.99")
    body = refused(api.upgrade(SUPER), 403, "monthly_cap_exceeded")
    assert (body["remainingUsd"], body["isDefaultCeiling"]) == ("19.99", False)
    portal.organisation.monthly_cap = Decimal(20)
    assert api.upgrade(SUPER).json()["status"] == "upgraded"
    # The replay of the upgrade that filled the cap does not exceed it.
    assert api.upgrade(SUPER).json()["status"] == "upgraded"
    assert len(plan.upgrades) == 1


def test_there_are_five_upgrades_a_day_for_each_organisation(portal, api, plan):
    for number in range(5):
        plan.tier_id = PLUS
        assert api.upgrade(SUPER, key=f"k{number}").json()["status"] == "upgraded"
        portal.clock.advance(10)
    plan.tier_id = PLUS
    sixth = api.upgrade(SUPER, key="sixth")
    refused(sixth, 429, "upgrade_cap_exceeded")
    assert sixth.headers["retry-after"] == str(DAY - 50)
    # Neither a replay nor what charges nothing counts.
    assert api.upgrade(SUPER, key="k4").json()["status"] == "upgraded"
    assert api.upgrade(PLUS, key="none").json()["status"] == "already_on_tier"
    other = portal.issue_token(portal.add_person("Bob", portal.add_organisation("Other")))
    assert api.upgrade(SUPER, key="sixth", token=other).json()["status"] == "upgraded"
    portal.clock.advance(DAY - 51)
    assert api.upgrade(SUPER, key="sixth").headers["retry-after"] == "1"
    portal.clock.advance(1)
    assert api.upgrade(SUPER, key="sixth").json()["status"] == "upgraded"


# --- Gates

# In the contract's order.
ACCESS = [
    "session_revoked",
    "invalid_token",
    "insufficient_scope",
    "remote_spending_revoked",
    "role_required",
    "org_access_denied",
    "cli_billing_disabled",
]
UPGRADE = ["no_payment_method", "consent_required", "idempotency_key_required", "validation_failed"]
UPGRADE += ["upgrade_cap_exceeded", "monthly_cap_exceeded", "idempotency_conflict"]
GATES = {
    "get_subscription": ["session_revoked", "invalid_token", "org_access_denied"],
    "preview_subscription_change": [*ACCESS, "validation_failed"],
    "set_pending_subscription_change": [*ACCESS, "validation_failed"],
    "delete_pending_subscription_change": ACCESS,
    "upgrade_subscription": [*ACCESS, *UPGRADE],
}


@pytest.mark.parametrize(
    ("operation", "earlier", "later"),
    [(name, *pair) for name, gates in GATES.items() for pair in itertools.pairwise([*gates, None])],
)
def test_each_gate_has_its_error_and_the_earlier_one_answers(portal, api, operation, earlier, later):
    broken = {earlier, later}
    rig = Rig(portal)
    role = {"role": "MEMBER"} if "role_required" in broken else {}
    scope = {"scope": "inference:invoke"} if "insufficient_scope" in broken else {}
    rig.log_in(**role, **scope)
    for code in broken & WAYS.keys() - {"role_required", "insufficient_scope"}:
        # The last way keeps the token known.
        [*WAYS[code].values()][-1](rig, "key-1")
    found = next(each for each in OPERATIONS if each.id == operation)
    body = {"type": "tier_change"} if operation.startswith("set") else {}
    body["subscriptionTypeId"] = None if "validation_failed" in broken else SUPER
    headers = {"Authorization": f"Bearer {rig.token}"}
    if "idempotency_key_required" not in broken:
        headers["Idempotency-Key"] = "key-1"
    reply = api.client.request(found.method, found.path, headers=headers, json=body)
    assert reply.json()["error"] == earlier
    assert ("portalUrl" in reply.json()) == (reply.status_code == 403)
    assert rig.organisation.plan.upgrades == []


@pytest.mark.parametrize(
    "body", [{}, {"type": "tier_change"}, {"type": "pause"}, {"type": "cancellation", "now": True}]
)
def test_a_change_that_the_contract_does_not_allow_changes_nothing(portal, api, plan, body):
    headers = {"Authorization": f"Bearer {api.token}"}
    reply = api.client.put("/api/billing/subscription/pending-change", headers=headers, json=body)
    refused(reply, 400, "validation_failed")
    assert plan.pending is None
