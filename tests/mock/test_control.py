"""The control interface, for tests in other languages."""

import json
import re
from urllib.parse import urljoin

import httpx
import pytest

from nous_billing.mock import Card, Fault, MockPortal
from nous_billing.mock.openapi import load_control, operations

from .api import OPERATIONS, Api

SEED = {
    "settleAfter": 0,
    "now": "2026-06-13T10:00:00Z",
    "frozen": True,
    "organisations": [
        {"id": "acme", "name": "Acme & Co", "balanceUsd": "142.5", "monthlyCapUsd": 60, "card": {"last4": "9995"}},
        {"id": "poor", "name": "Poor", "card": None, "tierId": None, "cliBillingEnabled": False},
    ],
    "people": [{"id": "ada", "name": "Ada"}, {"id": "bob", "name": "Bob", "organisation": "poor", "role": "MEMBER"}],
    "tokens": [{"accessToken": "ada-token"}, {"accessToken": "bob-token", "person": "bob", "refreshToken": "bob-rt"}],
    "ids": {"charge": ["ch_first"], "userCode": ["BCDF-GHJK"]},
}


@pytest.fixture
def control(api):
    def call(method, path, **body):
        content = json.dumps(body) if body or method == "PATCH" else None
        headers = {"Content-Type": "application/json"} if content else {}
        return api.client.request(method, f"/_mock/{path}", content=content, headers=headers)

    return call


def test_every_operation_has_a_handler_and_refuses_nonsense(api):
    every = operations(load_control(), authenticated=False)
    assert {operation.path.split("/")[1] for operation in every} == {"_mock"}
    for operation, reply in zip(every, api.each(every), strict=True):
        expected = {400} if operation.body else {200, 204}
        assert reply.status_code in expected, operation.id


def test_a_seed_is_all_there_is_and_a_reset_plants_it_again(control, api, portal):
    state = control("POST", "seed", **SEED).json()
    assert [each["id"] for each in state["organisations"]] == ["acme", "poor"]
    assert [(each["id"], each["organisation"]) for each in state["people"]] == [("ada", "acme"), ("bob", "poor")]
    assert state["clock"] == {"now": "2026-06-13T10:00:00.000Z", "frozen": True}
    assert (portal.organisation.id, portal.owner.id) == ("acme", "ada")
    assert api.state("bob-token").json()["org"]["role"] == "MEMBER"
    assert api.refresh("bob-rt").status_code == 200
    for _ in range(2):
        assert api.charge(token="ada-token").json() == {"chargeId": "ch_first"}
        assert api.poll("ch_first", "ada-token").json() == {"status": "failed", "reason": "card_declined"}
        assert api.charge("60.01", "other", "ada-token").json()["error"] == "monthly_cap_exceeded"
        assert api.device_code().json()["user_code"] == "BCDF-GHJK"
        control("POST", "faults", kind="drop", times=3)
        assert control("POST", "reset").json() == state
    assert portal.requests == []


def test_a_reset_without_a_seed_is_the_beginning(control, api, portal):
    api.charge()
    control("POST", "organisations", name="Other")
    control("POST", "clock", advance=60)
    began = portal.clock.now()
    state = control("POST", "reset").json()
    assert [each["name"] for each in state["organisations"]] == ["Acme"]
    assert state["organisations"][0]["charges"] == []
    assert portal.clock.now() == pytest.approx(began - 60, abs=5)
    assert api.state().status_code == 401


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"organisations": []}, "organisations"),
        ({"people": [{"name": "Ada", "organisation": "nobody"}]}, "Nothing has the id 'nobody'."),
        ({"organisations": [{"name": "A", "id": "x"}, {"name": "B", "id": "x"}]}, "another one with the id 'x'"),
        ({"organisations": [{"name": "A", "tierId": "tier_none"}]}, "There is no tier 'tier_none'"),
        ({"organisations": [{"name": "A", "balance": 1}]}, "balance"),
        ({"tokens": [{"accessToken": "x"}, {"accessToken": "x"}]}, "One of these tokens was issued before."),
        ({"faults": [{"kind": "drop", "operation": "post_charges"}]}, "There is no operation 'post_charges'"),
        ({"now": "yesterday"}, "now"),
        ({"organisations": [{"name": "A", "card": {"last4": "1"}}]}, 'organisations.0.card.last4: "1" does not match'),
        ({"organisations": [{"name": "A", "monthlyCapUsd": "x"}]}, 'organisations.0.monthlyCapUsd: "x" does not match'),
        ({"people": [{"name": "\ud800"}]}, "A text is not Unicode."),
    ],
)
def test_a_bad_seed_is_refused_and_changes_nothing(control, api, change, said):
    before = control("GET", "state").json()
    reply = control("POST", "seed", **{"organisations": [{"name": "A"}], "people": [{"name": "P"}], **change})
    assert (reply.status_code, reply.json()["error"]) == (400, "validation_failed")
    assert said in reply.json()["message"]
    assert control("GET", "state").json() == before
    assert api.state().status_code == 200
    with pytest.raises(ValueError, match=re.escape(said)):
        MockPortal(seed={"organisations": [{"name": "A"}], "people": [{"name": "P"}], **change})


def test_what_contains_itself_is_no_seed_and_no_fault():
    itself, deep = [], []
    itself.append(itself)
    for _ in range(100_000):
        deep = [deep]
    for value in (itself, deep):
        with pytest.raises(ValueError, match="cannot be written as JSON, such as a list that contains itself"):
            MockPortal(seed={"people": value})
        with pytest.raises(ValueError, match=r"Circular|too deeply"):
            Fault.reply(200, value)


def test_organisations_people_and_their_tokens(control, api):
    assert control("POST", "organisations", name="New", id="new", balanceUsd="1.50").status_code == 201
    changed = control("PATCH", "organisations/new", minUsd=20, card={"last4": "3155"}, consentRequired=True)
    shown = {"balanceUsd": "1.5", "minUsd": "20", "card": {"brand": "visa", "last4": "3155"}, "consentRequired": True}
    assert changed.json().items() >= shown.items()
    assert control("POST", "people", name="Eve", organisation="new", id="eve", role="MEMBER").status_code == 201
    tokens = control("POST", "tokens", person="eve", accessToken="eve-token", scope="billing:manage", lifetime=60)
    assert tokens.json().items() >= {"accessToken": "eve-token", "expiresIn": 60, "scope": "billing:manage"}.items()
    assert api.charge(token="eve-token").json()["error"] == "role_required"
    control("PATCH", "people/eve", canChangePlan=True)
    assert api.charge(token="eve-token").json()["error"] == "consent_required"
    assert api.refresh(tokens.json()["refreshToken"]).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "organisations", {"name": "New", "id": "org_1"}, 409),
        ("POST", "people", {"name": "New", "id": "usr_1"}, 409),
        ("PATCH", "organisations/nobody", {}, 404),
        ("PATCH", "people/nobody", {}, 404),
        ("PATCH", "people/usr_1", {"organisation": "nobody"}, 404),
        ("POST", "tokens", {"person": "nobody"}, 404),
        ("PATCH", "tokens", {"accessToken": "unknown", "expired": True}, 404),
        ("POST", "devices/BCDF-GHJK", {"decision": "approve"}, 404),
        ("PUT", "state", {}, 405),
        ("POST", "clock", {"advance": -1}, 400),
        ("PATCH", "tokens", {"accessToken": "unknown"}, 400),
        ("PATCH", "organisations/org_1", {"name": "New", "balanceUsd": 1e300}, 400),
        ("PATCH", "organisations/org_1", {"name": "New", "monthlyCapUsd": 1e-300}, 400),
        ("PATCH", "organisations/org_1", {"name": "New", "monthlyCapUsd": -5}, 400),
        ("PATCH", "organisations/org_1", {"name": "New", "monthlyCapUsd": "-0.01"}, 400),
        ("PATCH", "organisations/org_1", {"name": "New", "minUsd": -1}, 400),
        ("PATCH", "organisations/org_1", {"name": "New", "minUsd": "-2", "maxUsd": "-1"}, 400),
        ("PATCH", "organisations/org_1", {"name": "New", "minUsd": 100, "maxUsd": 1}, 400),
    ],
)
def test_what_there_is_not_or_already_is_is_refused(control, method, path, body, status):
    before = control("GET", "state").json()
    reply = control(method, path, **body)
    assert reply.status_code == status
    assert reply.json()["message"].endswith(".")
    assert control("GET", "state").json() == before


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"expired": True}, "invalid_token"),
        ({"sessionRevoked": True}, "session_revoked"),
        ({"spendingStoppedBy": "admin"}, "remote_spending_revoked"),
        ({"organisationDenied": True}, "org_access_denied"),
    ],
)
def test_a_token_is_spoilt(control, api, change, error):
    assert control("PATCH", "tokens", accessToken=api.token, **change).status_code == 204
    assert api.charge().json()["error"] == error


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"decision": "deny"}, "access_denied"),
        ({"decision": "approve"}, "inference:invoke billing:manage"),
        ({"decision": "approve", "allowSpending": False, "person": "usr_1"}, "inference:invoke"),
    ],
)
def test_a_device_is_approved_or_denied(control, api, body, answer):
    device = api.device_code().json()
    waiting = control("GET", "state").json()["devices"]
    assert waiting == [{"userCode": device["user_code"], "scope": "inference:invoke billing:manage"}]
    assert control("POST", f"devices/{device['user_code']}", **body).status_code == 204
    reply = api.poll_device(device["device_code"]).json()
    assert answer in (reply.get("error"), reply.get("scope"))
    assert control("GET", "state").json()["devices"] == []


def test_the_clock_stops_moves_and_runs_again(control, portal):
    control("POST", "clock", frozen=False)
    assert not portal.clock.frozen
    stopped = control("POST", "clock", frozen=True).json()
    assert stopped["frozen"]
    before = portal.clock.now()
    control("POST", "clock", advance=0.5)
    assert portal.clock.now() == pytest.approx(before + 0.5)


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        (
            {"kind": "reply", "status": 418, "body": {"error": "tea"}, "headers": {"X-Tea": "1"}},
            418,
            '{"error": "tea"}',
        ),
        ({"kind": "reply", "body": "0.10"}, 200, "0.10"),
        ({"kind": "html", "status": 502}, 502, "Nous Portal"),
        ({"kind": "unavailable", "retryAfter": 7, "error": "stripe_unavailable"}, 503, "stripe_unavailable"),
        ({"kind": "late", "delay": 0.01}, 202, "chargeId"),
        ({"kind": "raw", "body": "HTTP/1.1 299 Odd\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"}, 299, "ok"),
    ],
)
def test_a_fault_reaches_its_operation_once(control, api, fault, status, text):
    assert control("POST", "faults", operation="post_charge", **fault).status_code == 204
    assert api.state().status_code == 200
    reply = api.charge()
    assert reply.status_code == status
    assert text in reply.text
    assert api.charge().status_code == 202


def test_faults_leave_the_control_and_the_pages_alone_and_can_be_forgotten(control, api):
    control("POST", "faults", kind="drop")
    assert api.client.get("/billing").status_code == api.client.get("/device").status_code == 200
    assert control("DELETE", "faults").status_code == 204
    assert api.state().status_code == 200


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop", "body": "x"},
        {"kind": "late"},
        {"kind": "reply", "body": [1.5]},
        {"kind": "unavailable", "acts": True},
        *({"kind": "reply", "headers": {name: "value"}} for name in ("", "a b", "a:", "a\n")),
        *({"kind": "reply", "headers": {"name": value}} for value in (" a", "a ", "\ta", "a\nb")),
    ],
)
def test_a_fault_that_cannot_be_is_refused(control, fault):
    assert control("POST", "faults", **fault).status_code == 400


def test_requests_are_shown_without_secrets(control, api):
    api.charge("50.10")
    api.refresh("rt_secret")
    api.poll_device("dc_secret")
    charge, refresh, poll = control("GET", "requests").json()
    assert (charge["operation"], charge["body"], charge["status"]) == ("post_charge", '{"amountUsd": 50.10}', 202)
    assert charge["headers"]["authorization"] == "***"
    assert "_secret" not in str([refresh, poll])
    assert api.token not in str(control("GET", "state").json())


def test_fixed_ids_come_first(control, api):
    chosen = {"accessToken": ["at"], "refreshToken": ["rt"], "deviceCode": ["dc"], "userCode": ["BCDF-GHJK"]}
    control("POST", "ids", **chosen)
    device = api.device_code().json()
    assert (device["device_code"], device["user_code"]) == ("dc", "BCDF-GHJK")
    control("POST", "devices/BCDF-GHJK", decision="approve")
    tokens = api.poll_device("dc").json()
    assert (tokens["access_token"], tokens["refresh_token"]) == ("at", "rt")
    assert api.device_code().json()["user_code"] != "BCDF-GHJK"


def test_each_link_of_the_portal_leads_to_a_page(api, portal):
    links = [api.state().json()["portalUrl"]]
    for spoil in ("card", "cli_billing_enabled"):
        setattr(portal.organisation, spoil, None)
        links.append(api.charge().json()["portalUrl"])
    device = api.device_code().json()
    links += [device["verification_uri"], device["verification_uri_complete"]]
    for link in links:
        page = api.client.get(urljoin(portal.url, link))
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_the_pages_escape_and_show_no_token_and_say_what_is_wrong(api, portal):
    portal.organisation.name = portal.owner.name = "<script>"
    api.charge(key="<b>")
    device = api.device_code().json()
    pages = [api.client.get("/billing"), api.client.get(device["verification_uri_complete"])]
    for page in pages:
        assert "<script>" not in page.text
        assert "&lt;script&gt;" in page.text
        assert not [secret for secret in (api.token, device["device_code"]) if secret in page.text]
    assert "&lt;b&gt;" in pages[0].text
    assert api.client.get("/device?user_code=nope").status_code == 404
    assert api.client.get("/billing?organisation=nope").status_code == 404
    for cap in ("NaN", "-1", "1e400", "1_000", "9" * 17):
        wrong = api.client.post("/billing", data={"organisation": "org_1", "monthly_cap": cap})
        assert (wrong.status_code, "amount in dollars" in wrong.text) == (400, True)
    again = api.client.post("/device", data={"user_code": "NOPE-NOPE", "decision": "approve"})
    assert again.status_code == 404


@pytest.mark.parametrize(
    ("fields", "attribute", "value"),
    [
        ({"monthly_cap": "$250.50"}, "spending_limit", 250.5),
        ({"monthly_cap": ""}, "monthly_cap", None),
        ({"spending": "stop"}, "cli_billing_enabled", False),
        ({"confirmed": "yes"}, "consent_required", False),
        ({"card": "none"}, "card", None),
        ({"card": "9995"}, "card", Card("visa", "9995")),
        ({"card": "1111"}, "card", Card("mastercard", "1111", "wallet")),
    ],
)
def test_the_billing_page_changes_the_organisation(api, portal, fields, attribute, value):
    portal.organisation.consent_required, portal.organisation.monthly_cap = True, 1
    portal.organisation.card = Card("mastercard", "1111", "wallet")
    reply = api.client.post("/billing", data={"organisation": "org_1", **fields})
    assert (reply.status_code, reply.headers["location"]) == (303, "/billing?organisation=org_1")
    assert getattr(portal.organisation, attribute) == value


@pytest.mark.parametrize(
    "path", ["/", "/billing", "/_mock/", *(each.path for each in OPERATIONS if each.method == "GET")]
)
def test_head_is_get_without_a_body_and_options_name_the_methods(api, path):
    headers = {"Authorization": f"Bearer {api.token}"}
    head, get = (api.client.request(method, path, headers=headers) for method in ("HEAD", "GET"))
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["content-length"] == get.headers["content-length"]
    named = api.client.options(path)
    assert (named.status_code, {"GET", "HEAD", "OPTIONS"} <= set(named.headers["allow"].split(", "))) == (204, True)


def test_scripts_of_other_origins_may_use_it_only_if_asked_for():
    origin = {"Origin": "http://localhost:5173"}
    preflight = {**origin, "Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization"}
    for portal, allowed in ((MockPortal(), None), (MockPortal(cors_origins=[origin["Origin"]]), origin["Origin"])):
        with portal.serve() as url, httpx.Client(base_url=url, trust_env=False) as client:
            asked = client.options("/api/billing/auto-top-up", headers=preflight)
            refused = Api(client, "none").client.get("/api/billing/state", headers=origin)
        assert asked.headers.get("access-control-allow-origin") == allowed
        assert refused.headers.get("access-control-allow-origin") == allowed
        assert (asked.status_code == 200) is bool(allowed)
