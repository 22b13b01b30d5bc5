"""A person changes a subscription, over real sockets: previews, pending changes, and upgrades, which charge once."""

from decimal import Decimal

import pytest

import nous_billing as nb
from nous_billing import StaticToken
from nous_billing.mock import Card, Fault
from tests.registry import KEY

from .harness import failure
from .raw_server import Answer, answer

UPGRADED = answer(200, {"status": "upgraded"})


@pytest.fixture
def upgrades(mock_portal):
    return mock_portal.organisation.plan.upgrades


def upgrade(client, key=KEY, **kwargs):
    return client.upgrade_subscription("tier_super", idempotency_key=key, **kwargs)


def asked(mock_portal):
    return [request.operation for request in mock_portal.requests]


def test_a_subscription_from_a_preview_to_an_upgrade(client, mock_portal, upgrades):
    before = client.get_subscription()
    assert (before.current.tier_id, before.may_change_plan) == ("tier_plus", True)
    assert before.portal_url == f"{mock_portal.url}/billing?topup=open"
    target = max(before.tiers, key=lambda tier: tier.tier_order)
    preview = client.preview_subscription_change(target.tier_id)
    assert (preview.effect, preview.is_blocked) == ("charge_now", False)
    assert upgrades == []
    result = client.upgrade_subscription(target.tier_id, idempotency_key=KEY)
    assert (result.status, result.is_upgraded, result.target_tier_name) == ("upgraded", True, "Super")
    assert [made.amount * 100 for made in upgrades] == [preview.amount_due_now_cents]
    assert client.wait_for_upgrade(target.tier_id).current.tier_id == "tier_super"


def test_a_downgrade_a_cancellation_and_the_way_back(client, mock_portal):
    change = client.set_pending_subscription_change(subscription_type_id="tier_basic")
    assert (change.target_tier_name, change.cancel_at_period_end) == ("Basic", None)
    assert client.get_subscription().current.pending_downgrade_tier_name == "Basic"
    assert client.set_pending_subscription_change().cancel_at_period_end is True
    current = client.get_subscription().current
    assert (current.pending_downgrade_tier_name, current.cancel_at_period_end) == (None, True)
    assert current.cancellation_effective_at == current.cycle_ends_at
    assert client.delete_pending_subscription_change().cancel_at_period_end is False
    assert client.get_subscription().current.cancel_at_period_end is False


def test_an_organisation_without_a_plan_has_no_current_subscription(client, mock_portal):
    mock_portal.organisation.plan.tier_id = None
    assert client.get_subscription().current is None
    preview = client.preview_subscription_change("tier_basic")
    assert (preview.is_blocked, preview.reason) == (True, "There is no subscription yet. Choose a plan on the portal.")


def test_an_upgrade_travels_on_a_connection_of_its_own(raw_client, server):
    server.otherwise = UPGRADED
    for _ in range(2):
        upgrade(raw_client)
    server.otherwise = answer(200, {"effect": "no_op"})
    for _ in range(2):
        raw_client.preview_subscription_change("tier_super")
    assert [request.connection for request in server.requests] == [1, 2, 3, 3]
    assert all(server.hung_up(number) for number in (1, 2))


@pytest.mark.parametrize(
    "fault",
    [Fault.drop(acts=True), Fault.html(502, acts=True), Fault.html(200, acts=True), Fault.reply(500, acts=True)],
    ids=["dropped", "502", "a page", "500"],
)
def test_a_lost_reply_of_an_upgrade_is_not_known_and_the_same_key_finishes_it(fault, client, mock_portal, upgrades):
    mock_portal.inject(fault, "upgrade_subscription")
    error = failure(upgrade, client)
    assert error.outcome_unknown is True
    assert str(error).endswith(
        "The upgrade may have been made: try again with the same idempotency key, never a new one."
    )
    # The client does not send it again by itself.
    assert asked(mock_portal) == ["upgrade_subscription"]
    assert upgrade(client).is_upgraded
    assert len(upgrades) == 1


def test_a_deadline_that_passes_after_an_upgrade_was_sent_leaves_it_unknown(client, mock_portal, upgrades):
    mock_portal.inject(Fault.stall(acts=True), "upgrade_subscription")
    error = failure(upgrade, client, timeout=0.5)
    assert (type(error), error.outcome_unknown, len(upgrades)) == (nb.BillingTimeout, True, 1)


def test_a_card_that_loses_the_reply_is_charged_once(client, mock_portal, upgrades):
    mock_portal.organisation.card = Card("visa", "0500")
    assert failure(upgrade, client).outcome_unknown is True
    assert client.wait_for_upgrade("tier_super").current.tier_name == "Super"
    assert upgrade(client).is_upgraded
    assert len(upgrades) == 1


def test_an_upgrade_that_was_not_sent_is_not_made(client_kind):
    client = client_kind.client(StaticToken("t"), base_url="http://127.0.0.1:9")
    error = failure(upgrade, client)
    assert (type(error), error.outcome_unknown) == (nb.BillingNetworkError, False)
    assert str(error).endswith("Nothing was charged.")


def test_a_401_is_followed_by_the_same_upgrade_with_another_token(client_kind, mock_portal, upgrades):
    stale = mock_portal.issue_token()
    mock_portal.expire(stale)
    tokens = [stale, mock_portal.issue_token()]

    class Source:
        def resolve(self, *, rejected=None):
            return nb.Credentials(tokens[rejected is not None], mock_portal.url)

    assert upgrade(client_kind.client(Source())).is_upgraded
    first, second = mock_portal.requests
    assert (first.headers["idempotency-key"], first.body) == (second.headers["idempotency-key"], second.body)
    assert len(upgrades) == 1


@pytest.mark.parametrize(
    ("last4", "status", "reason"),
    [("3155", "requires_action", "authentication_required"), ("9995", "payment_failed", "card_declined")],
)
def test_an_upgrade_that_a_person_has_to_finish_is_a_result_with_a_link(
    last4, status, reason, client_kind, mock_portal, upgrades
):
    mock_portal.organisation.card = Card("visa", last4)
    clock = client_kind.clock(mock_portal.clock)
    client = client_kind.client(StaticToken(mock_portal.issue_token()), base_url=mock_portal.url, clock=clock)
    result = upgrade(client)
    assert (result.status, result.reason) == (status, reason)
    assert (result.is_upgraded, result.outcome_unknown) == (False, False)
    assert result.recovery_url == f"{mock_portal.url}/billing?topup=open"
    error = failure(client.wait_for_upgrade, "tier_super", cap=10)
    assert (type(error), error.error, upgrades) == (nb.BillingTimeout, "upgrade_timeout", [])
    assert sum(clock.sleeps) == pytest.approx(10, abs=0.5)
    mock_portal.finish_upgrade()
    assert client.wait_for_upgrade("tier_super").current.tier_id == "tier_super"
    assert [made.key for made in upgrades] == [KEY]


def test_a_status_that_is_not_known_leaves_the_upgrade_unknown(raw_client, server):
    server.otherwise = answer(200, {"status": "in_review", "recoveryUrl": "javascript:alert(1)"})
    result = upgrade(raw_client)
    assert (result.is_upgraded, result.outcome_unknown) == (False, True)
    assert result.recovery_url == f"{server.url}/billing?topup=open"


def test_waiting_outlives_an_outage(client_kind, mock_portal):
    clock = client_kind.clock(mock_portal.clock)
    client = client_kind.client(StaticToken(mock_portal.issue_token()), base_url=mock_portal.url, clock=clock)
    upgrade(client)
    for fault in (Fault.drop(), Fault.html(502), Fault.unavailable(retry_after=7)):
        mock_portal.inject(fault, "get_subscription")
    assert client.wait_for_upgrade("tier_super").current.tier_id == "tier_super"
    assert clock.sleeps == pytest.approx([2, 2, 7], abs=0.5)


def test_a_portal_without_subscriptions_is_named(raw_client, server):
    server.otherwise = answer(404, "<html>", content_type="text/html")
    error = failure(raw_client.get_subscription)
    assert (type(error), error.error, error.outcome_unknown) == (
        nb.BillingResponseError,
        "endpoint_unavailable",
        False,
    )
    error = failure(upgrade, raw_client)
    assert (error.error, error.outcome_unknown) == ("endpoint_unavailable", True)


@pytest.mark.parametrize("fault", [Fault.drop(), Fault.html(502), Fault.html(200)], ids=["dropped", "502", "a page"])
def test_a_lost_reply_of_a_preview_says_nothing_of_money(fault, client, mock_portal):
    mock_portal.inject(fault, "preview_subscription_change")
    error = failure(client.preview_subscription_change, "tier_super")
    assert error.outcome_unknown is False
    assert "may have been" not in str(error)
    assert "charged" not in str(error)


def test_a_preview_is_sent_again_where_a_kept_connection_has_died(raw_client, server):
    server.otherwise = answer(200, {"effect": "no_op"})
    raw_client.preview_subscription_change("tier_super")
    server.script.append(Answer(then="close"))
    assert raw_client.preview_subscription_change("tier_super").effect == "no_op"
    assert [request.connection for request in server.requests] == [1, 1, 2]


@pytest.mark.parametrize("change", ["set_pending_subscription_change", "delete_pending_subscription_change"])
def test_a_lost_reply_of_a_change_may_have_been_saved(change, client, mock_portal):
    mock_portal.inject(Fault.drop(acts=True), change)
    error = failure(getattr(client, change))
    assert error.outcome_unknown is True
    assert str(error).endswith("The change may have been saved: read the subscription to find out.")
    assert asked(mock_portal) == [change]
    assert client.get_subscription().current.cancel_at_period_end is change.startswith("set")


def test_the_sixth_upgrade_of_a_day_charges_nothing(client, mock_portal, upgrades):
    for number in range(5):
        mock_portal.organisation.plan.tier_id = "tier_plus"
        upgrade(client, f"key-{number}")
    mock_portal.organisation.plan.tier_id = "tier_plus"
    error = failure(upgrade, client, "key-6")
    assert (type(error), error.error, error.outcome_unknown) == (
        nb.BillingUpgradeCapExceeded,
        "upgrade_cap_exceeded",
        False,
    )
    assert error.retry_after > 86_000
    assert len(upgrades) == 5


def test_an_upgrade_over_the_cap_says_what_is_left(client, mock_portal, upgrades):
    mock_portal.organisation.monthly_cap = Decimal("12.5")
    error = failure(upgrade, client)
    assert (type(error), error.remaining_usd, upgrades) == (nb.BillingMonthlyCapExceeded, Decimal("12.5"), [])


def test_what_cannot_be_a_tier_or_a_key_is_refused_before_anything_is_sent(client, mock_portal):
    for code, call, arguments in (
        ("invalid_subscription_type", client.preview_subscription_change, [""]),
        ("invalid_subscription_type", client.wait_for_upgrade, ["a b"]),
        ("invalid_timeout", lambda: client.wait_for_upgrade("tier_super", cap=0), []),
        ("idempotency_key_required", lambda: upgrade(client, ""), []),
    ):
        assert failure(call, *arguments).error == code
    assert mock_portal.requests == []
