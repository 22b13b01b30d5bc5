"""The drop-in for Hermes: the old module's functions, dicts in and out, beside a stand-in for Hermes's own module."""

import functools
import json
import os
import subprocess
import sys
import types
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

import nous_billing
from nous_billing import hermes
from nous_billing.mock import Fault, MockPortal
from tests.registry import KEY

from .harness import MovedClock, failure
from .raw_server import answer


class AuthError(Exception):
    """What Hermes raises when nobody is logged in."""


class StandIn(types.ModuleType):
    """``hermes_cli.auth``, as far as the billing module uses it."""

    def __init__(self):
        super().__init__("hermes_cli.auth")
        self.AuthError = AuthError
        self.state = None
        self.renew = None
        self.resolved = 0

    def get_provider_auth_state(self, provider):
        assert provider == "nous"
        return self.state

    def resolve_nous_access_token(self):
        self.resolved += 1
        if self.renew is not None:
            return self.renew()
        if self.state is None:
            raise AuthError("not logged in")
        return self.state["access_token"]


@pytest.fixture
def clock():
    return MovedClock()


@pytest.fixture
def drop_in(monkeypatch, clock):
    """The names that Hermes gets with ``from nous_billing.hermes import *``."""
    client = functools.cache(lambda: hermes._HermesClient(clock=clock))
    monkeypatch.setattr(hermes, "_client", client)
    module = types.ModuleType("nous_billing_of_hermes")
    exec("from nous_billing.hermes import *", vars(module))
    yield module
    client().close()


@pytest.fixture
def auth(monkeypatch):
    stand_in = StandIn()
    monkeypatch.setitem(sys.modules, "hermes_cli", types.ModuleType("hermes_cli"))
    monkeypatch.setitem(sys.modules, "hermes_cli.auth", stand_in)
    return stand_in


@pytest.fixture
def logged_in(auth, mock_portal):
    auth.state = {"access_token": mock_portal.issue_token(), "portal_base_url": f"{mock_portal.url}/"}
    return auth


# --- The old module's four functions


def test_the_billing_state_is_the_portals_dict(drop_in, logged_in, mock_portal):
    state = drop_in.get_billing_state()
    assert type(state) is dict
    assert (state["balanceUsd"], state["org"]["role"], state["portalUrl"]) == ("100", "OWNER", "/billing?topup=open")
    assert state["autoReload"] == {
        "enabled": False,
        "thresholdUsd": None,
        "reloadToUsd": None,
        "card": {"kind": "canonical"},
    }
    assert set(state) >= {"org", "cliBillingEnabled", "chargePresets", "bounds", "card", "monthlyCap"}


def test_a_purchase_in_the_seeds_own_words(drop_in, logged_in, mock_portal):
    accepted = drop_in.post_charge(amount_usd=50.25, idempotency_key=KEY)
    charge = mock_portal.organisation.charges[0]
    assert accepted == {"chargeId": charge.id}
    assert charge.amount == Decimal("50.25")
    assert drop_in.get_charge_status(charge.id) == {"status": "pending"}
    mock_portal.clock.advance(3)
    settled = drop_in.get_charge_status(f" {charge.id} ")
    assert (settled["status"], settled["amountUsd"]) == ("settled", "50.25")
    assert settled["settledAt"].endswith("Z")
    assert drop_in.get_billing_state()["balanceUsd"] == "150.25"


@pytest.mark.parametrize("amounts", [(20.0, 100.5), ("20", "100.5"), (20, Decimal("100.5"))])
@pytest.mark.parametrize("enabled", [True, False, 1, 0])
def test_auto_reload_takes_what_the_seed_took(amounts, enabled, drop_in, logged_in, mock_portal):
    saved = drop_in.patch_auto_top_up(enabled=enabled, threshold=amounts[0], top_up_amount=amounts[1])
    assert saved == {"ok": True}
    sent = json.loads(mock_portal.requests[0].body)
    assert sent == {"enabled": bool(enabled), "threshold": 20, "topUpAmount": 100.5}
    assert type(sent["enabled"]) is bool


def test_auto_reload_is_switched_off_with_the_amounts_of_hosts_that_know_none(drop_in, logged_in, mock_portal):
    assert drop_in.patch_auto_top_up(enabled=False, threshold=0.0, top_up_amount=0.0) == {"ok": True}
    assert json.loads(mock_portal.requests[0].body) == {"enabled": False, "threshold": 0, "topUpAmount": 0}


def test_the_subscription_is_changed_in_dicts(drop_in, logged_in, mock_portal):
    state = drop_in.get_subscription_state()
    assert (state["current"]["tierId"], type(state["tiers"])) == ("tier_plus", list)
    quote = drop_in.post_subscription_preview(subscription_type_id="tier_super")
    assert (quote["effect"], type(quote["amountDueNowCents"])) == ("charge_now", int)
    scheduled = drop_in.put_subscription_pending_change(subscription_type_id=" tier_basic ")
    assert (scheduled["changeType"], scheduled["targetTierName"]) == ("downgrade", "Basic")
    assert drop_in.put_subscription_pending_change(cancel=True)["cancelAtPeriodEnd"] is True
    assert drop_in.delete_subscription_pending_change()["cancelAtPeriodEnd"] is False
    upgraded = drop_in.post_subscription_upgrade(subscription_type_id="tier_super", idempotency_key=KEY)
    assert upgraded == {"status": "upgraded", "targetTierId": "tier_super", "targetTierName": "Super"}
    assert failure(drop_in.put_subscription_pending_change).error == "invalid_subscription_type"


@pytest.mark.parametrize("body", [b"", b" \r\n"])
def test_an_empty_success_is_an_empty_dict(body, drop_in, logged_in, mock_portal):
    for operation, call in (
        ("get_billing_state", drop_in.get_billing_state),
        ("patch_auto_top_up", lambda: drop_in.patch_auto_top_up(enabled=True, threshold=1, top_up_amount=2)),
        ("post_charge", lambda: drop_in.post_charge(amount_usd=50, idempotency_key=KEY)),
        ("get_charge_status", lambda: drop_in.get_charge_status("ch_1")),
        ("get_subscription", drop_in.get_subscription_state),
        ("delete_pending_subscription_change", drop_in.delete_subscription_pending_change),
        (
            "upgrade_subscription",
            lambda: drop_in.post_subscription_upgrade(subscription_type_id="t", idempotency_key="another"),
        ),
    ):
        mock_portal.inject(Fault.reply(200, body), operation)
        assert call() == {}


def test_fields_that_are_not_known_yet_come_through_as_json(drop_in, logged_in, mock_portal):
    # Hermes hands them on with json.dumps.
    body = '{"status": "refunding", "later": {"fee": 0.1, "list": [1, null, 2.50], "id": 12345678901234567890.5}}'
    mock_portal.inject(Fault.reply(200, body), "get_charge_status")
    later = {"fee": 0.1, "list": [1, None, 2.5], "id": "12345678901234567890.5"}
    found = drop_in.get_charge_status("ch_1")
    assert found == {"status": "refunding", "later": later}
    assert json.loads(json.dumps(found)) == found
    mock_portal.inject(Fault.reply(403, {"error": "monthly_cap_exceeded", "remainingUsd": 12.5}), "post_charge")
    assert json.dumps(failure(drop_in.post_charge, amount_usd=50, idempotency_key=KEY).payload)


def test_what_is_nested_as_deep_as_json_can_be_read_comes_through(drop_in, logged_in, mock_portal):
    body = '{"status": "pending", "later": ' + '{"a": ' * 600 + "1.50" + "}" * 601
    mock_portal.inject(Fault.reply(200, body), "get_charge_status")
    inner = drop_in.get_charge_status("ch_1")["later"]
    for _ in range(599):
        inner = inner["a"]
    assert inner == {"a": 1.5}


def test_what_came_instead_of_an_object_is_said(drop_in, logged_in, mock_portal):
    mock_portal.inject(Fault.reply(200, "[]"), "get_billing_state")
    error = failure(drop_in.get_billing_state)
    assert str(error) == "The portal's reply does not match the API contract (the body is a list instead of an object)."


@pytest.mark.parametrize(
    "fault",
    [Fault.html(), Fault.reply(202, "[]"), Fault.reply(202, "null"), Fault.reply(202, b"\xff"), Fault.reply(202, "{")],
    ids=["page", "list", "null", "no text", "broken"],
)
def test_a_success_that_is_no_object_is_a_typed_error(fault, drop_in, logged_in, mock_portal):
    mock_portal.inject(fault, "post_charge", times=9)
    error = failure(drop_in.post_charge, amount_usd=50, idempotency_key=KEY)
    assert isinstance(error, drop_in.BillingError)
    assert (error.outcome_unknown, error.error) == (True, "network_error")


def test_the_names_are_those_of_hermess_module(drop_in):
    assert {name for name in vars(drop_in) if not name.startswith("__")} == set(hermes.__all__)
    assert drop_in.DEFAULT_PORTAL_BASE_URL == "https://portal.nousresearch.com"
    assert (drop_in.DEFAULT_TIMEOUT, drop_in.BILLING_MANAGE_SCOPE) == (15.0, "billing:manage")
    for name in [name for name in hermes.__all__ if name.startswith("Billing")]:
        assert issubclass(getattr(drop_in, name), drop_in.BillingError)


# --- The old module's four exceptions


def test_a_token_without_the_scope_needs_a_step_up(drop_in, logged_in, mock_portal):
    logged_in.state["access_token"] = mock_portal.issue_token(scope="inference:invoke")
    assert drop_in.get_billing_state()["org"]["name"] == "Acme"
    with pytest.raises(drop_in.BillingScopeRequired) as caught:
        drop_in.post_charge(amount_usd=50, idempotency_key=KEY)
    assert (caught.value.status, caught.value.error) == (403, "insufficient_scope")
    assert caught.value.portal_url == f"{mock_portal.url}/billing?topup=open"


def test_the_limit_and_an_outage_are_no_payment_failure(drop_in, logged_in, mock_portal):
    for number in range(5):
        drop_in.post_charge(amount_usd=10, idempotency_key=f"key-{number}")
    with pytest.raises(drop_in.BillingRateLimited) as caught:
        drop_in.post_charge(amount_usd=10, idempotency_key="key-5")
    assert (caught.value.status, caught.value.error) == (429, "rate_limited")
    assert 3590 <= caught.value.retry_after <= 3600
    mock_portal.inject(Fault.unavailable(), "post_charge")
    with pytest.raises(drop_in.BillingRateLimited) as caught:
        drop_in.post_charge(amount_usd=10, idempotency_key="key-5")
    assert (caught.value.status, caught.value.retry_after) == (503, 60)


def test_a_token_that_stays_refused_is_an_auth_error(drop_in, logged_in, mock_portal):
    mock_portal.expire(logged_in.state["access_token"])
    with pytest.raises(drop_in.BillingAuthError) as caught:
        drop_in.get_billing_state()
    assert (caught.value.status, caught.value.error) == (401, "invalid_token")
    assert len(mock_portal.requests) == 1


def test_a_token_that_is_refused_is_replaced_by_hermes(drop_in, logged_in, mock_portal):
    fresh = mock_portal.issue_token()
    mock_portal.expire(logged_in.state["access_token"])
    tokens = [logged_in.state["access_token"], fresh]
    logged_in.renew = lambda: tokens.pop(0)
    assert drop_in.post_charge(amount_usd=50, idempotency_key=KEY)["chargeId"]
    assert [request.status for request in mock_portal.requests] == [401, 202]
    assert {request.headers["idempotency-key"] for request in mock_portal.requests} == {KEY}


def test_other_refusals_are_billing_errors(drop_in, logged_in, mock_portal):
    mock_portal.organisation.card = None
    with pytest.raises(drop_in.BillingError) as caught:
        drop_in.post_charge(amount_usd=50, idempotency_key=KEY)
    assert (caught.value.status, caught.value.error) == (403, "no_payment_method")
    assert caught.value.payload["portalUrl"] == "/billing?topup=open"
    for call, code in (
        (lambda: drop_in.post_charge(amount_usd=50, idempotency_key=" "), "idempotency_key_required"),
        (lambda: drop_in.post_charge(amount_usd=50, idempotency_key=None), "idempotency_key_required"),
        (lambda: drop_in.get_charge_status(" "), "invalid_charge_id"),
        (lambda: drop_in.get_charge_status(None), "invalid_charge_id"),
        (lambda: drop_in.post_charge(amount_usd=float("nan"), idempotency_key=KEY), "invalid_amount"),
    ):
        assert failure(call).error == code
    assert len(mock_portal.requests) == 1


def test_a_portal_that_is_gone_is_a_network_error(drop_in, logged_in, mock_portal):
    mock_portal.stop()
    error = failure(drop_in.get_billing_state)
    assert (error.error, error.status) == ("network_error", None)


# --- The login


def test_nobody_logged_in_is_an_auth_error_that_says_how(drop_in, auth, mock_portal):
    with pytest.raises(drop_in.BillingAuthError) as caught:
        drop_in.get_billing_state()
    assert (caught.value.status, caught.value.error) == (401, "invalid_token")
    assert "hermes portal" in str(caught.value)
    assert isinstance(caught.value.__cause__, AuthError)
    assert mock_portal.requests == []


def test_hermes_is_asked_once_in_thirty_seconds(drop_in, logged_in, clock):
    for _ in range(3):
        drop_in.get_billing_state()
    assert logged_in.resolved == 1
    clock.advance(29)
    drop_in.get_billing_state()
    assert logged_in.resolved == 1
    clock.advance(1)
    drop_in.get_billing_state()
    assert logged_in.resolved == 2


def test_a_forgotten_token_is_asked_for_again(drop_in, logged_in, mock_portal):
    drop_in.get_billing_state()
    logged_in.state["access_token"] = mock_portal.issue_token()
    drop_in.invalidate_cached_token()
    drop_in.get_billing_state()
    assert logged_in.resolved == 2
    assert mock_portal.requests[1].headers["authorization"] == f"Bearer {logged_in.state['access_token']}"


def test_another_profile_has_another_token(drop_in, logged_in, mock_portal, monkeypatch, tmp_path):
    drop_in.get_billing_state()
    monkeypatch.setenv("HERMES_HOME", str(tmp_path / "another"))
    logged_in.state = {**logged_in.state, "access_token": mock_portal.issue_token()}
    drop_in.get_billing_state()
    assert logged_in.resolved == 2


def test_a_new_login_and_a_logout_are_noticed_at_once(drop_in, logged_in, mock_portal, monkeypatch, tmp_path):
    monkeypatch.setenv("HERMES_HOME", str(tmp_path))
    (tmp_path / "auth.json").write_text("{}")
    drop_in.get_billing_state()
    (tmp_path / "auth.json").write_text('{"another": "login"}')
    drop_in.get_billing_state()
    assert logged_in.resolved == 2
    (tmp_path / "auth.json").unlink()
    logged_in.state = None
    assert isinstance(failure(drop_in.get_billing_state), drop_in.BillingAuthError)


@pytest.mark.parametrize("variable", ["HERMES_PORTAL_BASE_URL", "NOUS_PORTAL_BASE_URL"])
def test_a_changed_environment_is_noticed_at_once(variable, drop_in, logged_in, mock_portal, server, monkeypatch):
    server.otherwise = answer(200, {"from": "elsewhere"})
    assert drop_in.get_billing_state()["org"]["name"] == "Acme"
    monkeypatch.setenv(variable, f"{server.url}/")
    assert drop_in.get_billing_state() == {"from": "elsewhere"}
    monkeypatch.delenv(variable)
    assert drop_in.get_billing_state()["org"]["name"] == "Acme"


def test_an_environment_that_is_unset_takes_the_token_along_no_more(
    drop_in, logged_in, mock_portal, server, monkeypatch
):
    server.otherwise = answer(200, {"from": "elsewhere"})
    monkeypatch.setenv("NOUS_PORTAL_BASE_URL", server.url)
    assert drop_in.get_billing_state() == {"from": "elsewhere"}
    monkeypatch.delenv("NOUS_PORTAL_BASE_URL")
    assert drop_in.get_billing_state()["org"]["name"] == "Acme"
    assert len(server.requests) == 1


def test_the_environment_is_trusted_and_a_stored_address_is_not(drop_in, logged_in, server, monkeypatch):
    logged_in.state["portal_base_url"] = "https://elsewhere.test"
    assert failure(drop_in.get_billing_state).error == "invalid_base_url"
    server.otherwise = answer(200, {})
    monkeypatch.setenv("HERMES_PORTAL_BASE_URL", server.url)
    assert drop_in.get_billing_state() == {}
    assert drop_in.resolve_portal_base_url({"portal_base_url": "https://elsewhere.test"}) == server.url


def test_the_first_variable_precedes_the_second(drop_in, logged_in, server, monkeypatch):
    server.otherwise = answer(200, {})
    monkeypatch.setenv("NOUS_PORTAL_BASE_URL", "https://nowhere.invalid")
    monkeypatch.setenv("HERMES_PORTAL_BASE_URL", server.url)
    assert drop_in.get_billing_state() == {}
    monkeypatch.setenv("HERMES_PORTAL_BASE_URL", " ")
    assert failure(drop_in.get_billing_state).error == "network_error"


def test_links_follow_the_address_that_answered(drop_in, logged_in, mock_portal):
    mock_portal.organisation.cli_billing_enabled = False
    error = failure(drop_in.post_charge, amount_usd=50, idempotency_key=KEY)
    assert error.portal_url == f"{mock_portal.url}/billing?topup=open"


@pytest.mark.parametrize("asked_before", [False, True])
def test_links_lead_to_the_portal_of_the_login(asked_before, drop_in, logged_in, mock_portal):
    if asked_before:
        drop_in.get_billing_state()
    assert drop_in.resolve_portal_base_url() == mock_portal.url
    assert drop_in._absolutize_portal_url("/billing?topup=open") == f"{mock_portal.url}/billing?topup=open"
    assert drop_in._absolutize_portal_url("https://pay.example/x") == "https://pay.example/x"
    assert [drop_in._absolutize_portal_url(unsafe) for unsafe in ("javascript:alert(1)", "//elsewhere", "", None)] == [
        None
    ] * 4
    assert len(mock_portal.requests) == asked_before


@pytest.mark.parametrize(
    ("stored", "variable", "expected"),
    [
        ("https://elsewhere.test", None, nous_billing.DEFAULT_PORTAL_BASE_URL),
        ("not a URL", None, nous_billing.DEFAULT_PORTAL_BASE_URL),
        (None, "http://preview.example/", "http://preview.example"),
        (None, "preview.example", nous_billing.DEFAULT_PORTAL_BASE_URL),
        (None, "javascript:alert(1)", nous_billing.DEFAULT_PORTAL_BASE_URL),
        ("http://localhost:3000/", "  ", "http://localhost:3000"),
    ],
)
def test_the_address_for_links_never_raises_and_no_token_follows_it(
    stored, variable, expected, drop_in, logged_in, mock_portal, monkeypatch
):
    logged_in.state["portal_base_url"] = stored
    if variable is not None:
        monkeypatch.setenv("NOUS_PORTAL_BASE_URL", variable)
    assert drop_in.resolve_portal_base_url() == expected
    assert drop_in.resolve_portal_base_url(logged_in.state) == expected
    assert drop_in.resolve_portal_base_url({}) == (
        expected if variable and variable.strip() else nous_billing.DEFAULT_PORTAL_BASE_URL
    )
    if stored != "http://localhost:3000/":
        assert failure(drop_in.get_billing_state).error == "invalid_base_url"


def test_links_of_a_login_that_cannot_be_read_lead_to_the_default(drop_in, auth):
    auth.get_provider_auth_state = None
    assert drop_in.resolve_portal_base_url() == nous_billing.DEFAULT_PORTAL_BASE_URL


# --- Without Hermes's module: its file, read only


@pytest.fixture
def auth_file(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "hermes_cli", None)
    monkeypatch.setenv("HERMES_HOME", str(tmp_path))

    def write(**state):
        (tmp_path / "auth.json").write_text(json.dumps({"version": 1, "providers": {"nous": state}}))

    return write


def in_seconds(seconds):
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_without_hermes_its_file_is_read(drop_in, auth_file, mock_portal):
    token = mock_portal.issue_token()
    auth_file(access_token=token, portal_base_url=mock_portal.url, expires_at=in_seconds(60))
    assert drop_in.resolve_portal_base_url() == mock_portal.url
    assert drop_in.get_billing_state()["org"]["name"] == "Acme"
    mock_portal.expire(token)
    fresh = mock_portal.issue_token()

    assert isinstance(failure(drop_in.get_billing_state), drop_in.BillingAuthError)
    auth_file(access_token=fresh, portal_base_url=mock_portal.url, expires_at=in_seconds(60))
    assert drop_in.get_billing_state()["org"]["name"] == "Acme"
    # It is never refreshed from here.
    assert all(request.operation == "get_billing_state" for request in mock_portal.requests)


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"access_token": ""},
        {"access_token": None},
        {"access_token": "token", "expires_at": "2020-01-01T00:00:00+00:00"},
    ],
)
def test_without_a_valid_token_in_the_file_nobody_is_logged_in(state, drop_in, auth_file, mock_portal):
    auth_file(**({"portal_base_url": mock_portal.url} | state))
    error = failure(drop_in.get_billing_state)
    assert (type(error), error.error, error.status) == (nous_billing.BillingAuthError, "invalid_token", 401)
    assert mock_portal.requests == []


@pytest.mark.parametrize("text", ["", "null", "[]", "{", '{"providers": []}', '{"providers": {"nous": 7}}', "\ufeff{}"])
def test_a_file_that_is_no_login_is_a_typed_error(text, drop_in, auth_file, tmp_path):
    (tmp_path / "auth.json").write_text(text)
    error = failure(drop_in.get_billing_state)
    assert (type(error), error.error) == (nous_billing.BillingAuthError, "invalid_token")


def test_another_portal_of_a_stored_login_gets_no_token(drop_in, auth_file):
    auth_file(access_token="token", portal_base_url="https://elsewhere.test")
    assert failure(drop_in.get_billing_state).error == "invalid_base_url"


def test_two_portals_do_not_get_each_others_token(drop_in, logged_in, mock_portal, monkeypatch, tmp_path):
    other = MockPortal()
    with other.serve() as url:
        drop_in.get_billing_state()
        monkeypatch.setenv("HERMES_HOME", str(tmp_path / "other"))
        logged_in.state = {"access_token": other.issue_token(), "portal_base_url": url}
        drop_in.get_billing_state()
    assert [len(portal.requests) for portal in (mock_portal, other)] == [1, 1]
    assert other.requests[0].status == 200


def test_a_state_a_refusal_and_a_poll_load_neither_the_results_nor_what_pays(mock_portal):
    code = """
from nous_billing import hermes
assert hermes.get_billing_state()["org"]["name"] == "Acme"
try:
    hermes.get_subscription_state()
except hermes.BillingScopeRequired:
    assert hermes.get_charge_status("ch_1") == {"status": "pending"}
    import sys
    print(*sys.modules)
"""
    mock_portal.inject(Fault.reply(403, {"error": "insufficient_scope"}), "get_subscription")
    environment = {**os.environ, "NOUS_TOKEN": mock_portal.issue_token(), "HERMES_PORTAL_BASE_URL": mock_portal.url}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "nous_billing.transport.socket_sender" in loaded
    paying = {"nous_billing.hermes.paying", "nous_billing.hermes.subject", "nous_billing.hermes.unresolved"}
    assert loaded.isdisjoint({"nous_billing.models", "nous_billing.purchases", "nous_billing.client", "httpx", *paying})
