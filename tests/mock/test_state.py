"""The billing state, and auto-reload."""

from decimal import Decimal

import pytest

from nous_billing.mock import AutoReload, Card


def test_an_owner_sees_everything(portal, api):
    assert api.state().json() == {
        "org": {"id": "org_1", "slug": "acme", "name": "Acme", "role": "OWNER"},
        "balanceUsd": "100",
        "cliBillingEnabled": True,
        "chargePresets": ["100", "250", "500"],
        "bounds": {"minUsd": "10", "maxUsd": "10000"},
        "card": {"brand": "visa", "last4": "4242"},
        "paymentMethod": {"kind": "card", "brand": "visa", "last4": "4242"},
        "monthlyCap": {"limitUsd": "1000", "spentThisMonthUsd": "0", "isDefaultCeiling": True},
        "autoReload": {"enabled": False, "thresholdUsd": None, "reloadToUsd": None, "card": {"kind": "canonical"}},
        "portalUrl": "/billing?topup=open",
    }


def test_a_member_sees_neither_card_nor_cap_nor_auto_reload(portal, api):
    state = api.state(portal.issue_token(portal.add_person("Max", portal.organisation, "MEMBER"))).json()
    assert state["org"]["role"] == "MEMBER"
    assert (state["card"], state["monthlyCap"], state["autoReload"]) == (None, None, None)
    assert state["balanceUsd"] == "100"


def test_what_a_test_sets_is_what_the_state_shows(portal, api):
    organisation = portal.add_organisation("Big Corp", balance="142.50", card=Card("Link", ""), monthly_cap="62.5")
    organisation.cli_billing_enabled = False
    organisation.presets = [Decimal("20.00")]
    organisation.bounds = (Decimal("0.01"), Decimal("1E+3"))
    organisation.auto_reload = AutoReload(True, Decimal("5.50"), Decimal("1E+2"), {"kind": "distinct", "brand": None})
    organisation.card = Card("visa", "4242", resolved_via="subPin")
    person = portal.add_person("Fin", organisation, "FINANCE_ADMIN", can_change_plan=True)
    state = api.state(portal.issue_token(person, scope="inference:invoke")).json()
    assert state["org"] == {"id": "org_2", "slug": "big-corp", "name": "Big Corp", "role": "FINANCE_ADMIN"}
    assert state["balanceUsd"] == "142.5"
    assert state["cliBillingEnabled"] is False
    assert state["chargePresets"] == ["20"]
    assert state["bounds"] == {"minUsd": "0.01", "maxUsd": "1000"}
    assert state["card"] == {"brand": "visa", "last4": "4242", "resolvedVia": "subPin"}
    assert state["monthlyCap"] == {"limitUsd": "62.5", "spentThisMonthUsd": "0", "isDefaultCeiling": False}
    assert state["autoReload"] == {
        "enabled": True,
        "thresholdUsd": "5.5",
        "reloadToUsd": "100",
        "card": {"kind": "distinct", "brand": None},
    }
    assert state["canChangePlan"] is True
    organisation.card = organisation.auto_reload = None
    state = api.state(portal.issue_token(person)).json()
    assert (state["card"], state["autoReload"]) == (None, None)


def test_auto_reload_is_saved(portal, api):
    reply = api.top_up(enabled=True, threshold=20.5, topUpAmount=100)
    assert (reply.status_code, reply.json()) == (200, {"ok": True})
    reload = api.state().json()["autoReload"]
    assert (reload["enabled"], reload["thresholdUsd"], reload["reloadToUsd"]) == (True, "20.5", "100")
    portal.organisation.card = None
    assert api.state().json()["autoReload"]["card"] == {"kind": "none"}


@pytest.mark.parametrize(("threshold", "amount"), [(0, 0), (0, 100), (20, 0), (20, 100)])
def test_auto_reload_is_switched_off_with_any_amounts(portal, api, threshold, amount):
    reply = api.top_up(enabled=False, threshold=threshold, topUpAmount=amount)
    assert (reply.status_code, portal.organisation.auto_reload) == (200, AutoReload(False, threshold, amount))


@pytest.mark.parametrize(
    "change",
    [
        {"enabled": "yes"},
        {"threshold": 0},
        {"topUpAmount": 0},
        {"topUpAmount": -1},
        {"enabled": False, "threshold": -1},
        {"enabled": False, "topUpAmount": 0.001},
        {"enabled": False, "maxMonthlySpend": 500},
        {"threshold": 0.001},
        {"maxMonthlySpend": 500},
        {"paymentMethodId": "pm_1"},
    ],
)
def test_a_wrong_auto_reload_body_changes_nothing(portal, api, change):
    before = portal.organisation.auto_reload
    reply = api.top_up(**{"enabled": True, "threshold": 20, "topUpAmount": 100, **change})
    assert (reply.status_code, reply.json()["error"]) == (400, "validation_failed")
    assert portal.organisation.auto_reload is before
