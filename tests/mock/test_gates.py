"""Every error of the billing operations, and the order in which the gates come."""

import itertools
import json
from decimal import Decimal

import pytest

from tests.registry import ENTRIES

from .api import OPERATIONS


def behind(code):
    """The operations that the mock refuses with a code by itself."""
    found = [each for each in OPERATIONS if each.id in ENTRIES and code in ENTRIES[each.id].gates]
    assert found
    return found


class Attempt:
    """A charge that would be accepted, until something about it is broken."""

    def __init__(self, portal, api):
        self.portal = portal
        self.api = api
        self.person = portal.owner
        self.organisation = portal.organisation
        self.token = portal.issue_token()
        self.headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": "new"}
        self.body = b'{"amountUsd": 50}'

    def scope(self):
        narrow = self.portal.issue_token(scope="inference:invoke")
        if self.headers["Authorization"].startswith("Bearer ey"):
            self.token, self.headers["Authorization"] = narrow, f"Bearer {narrow}"

    def authorization(self):
        self.headers["Authorization"] = "Bearer nonsense"

    def spending(self):
        self.portal.stop_spending(self.token)

    def role(self):
        self.person.role = "MEMBER"

    def organisation_access(self):
        self.portal.deny_organisation(self.token)

    def kill_switch(self):
        self.organisation.cli_billing_enabled = False

    def card(self):
        self.organisation.card = None

    def consent(self):
        self.organisation.consent_required = True

    def key(self):
        del self.headers["Idempotency-Key"]

    def content(self):
        self.body = b"{"

    def bounds(self):
        self.organisation.bounds = (Decimal("60"), Decimal("70"))

    def limiter(self):
        number = itertools.count()
        while self.api.charge("10", key=f"limit-{next(number)}", token=self.portal.issue_token()).status_code == 202:
            pass

    def cap(self):
        self.organisation.monthly_cap = Decimal("10")

    def conflict(self):
        other = self.portal.issue_token()
        assert self.api.charge("11", key="new", token=other).status_code in {202, 429}

    def send(self):
        headers = {**self.headers, "Content-Type": "application/json"}
        return self.api.client.post("/api/billing/charge", headers=headers, content=self.body)


# In the contract's order: what is broken, and how it is answered.
GATES = {
    "authorization": (401, "invalid_token"),
    "scope": (403, "insufficient_scope"),
    "spending": (403, "remote_spending_revoked"),
    "role": (403, "role_required"),
    "organisation_access": (403, "org_access_denied"),
    "kill_switch": (403, "cli_billing_disabled"),
    "card": (403, "no_payment_method"),
    "consent": (403, "consent_required"),
    "key": (400, "idempotency_key_required"),
    "content": (400, "validation_failed"),
    "bounds": (400, "amount_out_of_bounds"),
    "limiter": (429, "rate_limited"),
    "cap": (403, "monthly_cap_exceeded"),
    "conflict": (409, "idempotency_conflict"),
}
# What needs charges that go through, or a token that is still known, is broken first.
FIRST = ["conflict", "limiter", "scope"]


@pytest.mark.parametrize("gate", GATES)
def test_each_gate_has_its_error(portal, api, gate):
    attempt = Attempt(portal, api)
    getattr(attempt, gate)()
    before = len(portal.organisation.charges)
    reply = attempt.send()
    assert (reply.status_code, reply.json()["error"]) == GATES[gate]
    assert isinstance(reply.json()["message"], str)
    assert ("portalUrl" in reply.json()) == (reply.status_code == 403)
    assert len(portal.organisation.charges) == before


@pytest.mark.parametrize(("earlier", "later"), [*itertools.combinations(GATES, 2)])
def test_the_earlier_gate_answers(portal, api, earlier, later):
    attempt = Attempt(portal, api)
    for gate in sorted([earlier, later], key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST)):
        getattr(attempt, gate)()
    reply = attempt.send()
    assert (reply.status_code, reply.json()["error"]) == GATES[earlier]


def test_401_answers_before_everything_else_that_is_wrong(portal, api):
    attempt = Attempt(portal, api)
    for gate in reversed([name for name in GATES if name not in FIRST]):
        getattr(attempt, gate)()
    assert attempt.send().json()["error"] == "invalid_token"


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Basic eDp5", "{token}", "Bearer {token}x", "Token {token}"]
)
def test_every_operation_refuses_a_bearer_that_is_missing_or_malformed(portal, api, authorization):
    headers = {"X": "x"} if authorization is None else {"Authorization": authorization.format(token=api.token)}
    for reply in api.each(**headers):
        assert (reply.status_code, reply.json()["error"]) == (401, "invalid_token")


def test_the_name_of_the_scheme_may_be_written_in_any_case(api):
    assert api.client.get("/api/billing/state", headers={"Authorization": f"bearer {api.token}"}).status_code == 200


def test_a_token_expires_by_the_clock_and_by_hand(portal, api):
    short = portal.issue_token(lifetime=10)
    portal.clock.advance(9)
    assert api.state(short).status_code == 200
    portal.clock.advance(1)
    assert api.state(short).json()["error"] == "invalid_token"
    assert api.state().status_code == 200
    portal.expire(api.token)
    assert api.state().json()["error"] == "invalid_token"


def test_a_revoked_session_says_that_only_a_login_helps(portal, api):
    portal.revoke_session(api.token)
    for reply in api.each():
        assert reply.status_code == 401
        assert reply.json()["error"] == "session_revoked"
        assert reply.json()["recovery"] == "login"
    assert api.state(portal.issue_token()).status_code == 200


@pytest.mark.parametrize("actor", ["self", "admin"])
def test_stopped_spending_closes_every_operation_behind_its_gate(portal, api, actor):
    portal.stop_spending(api.token, actor)
    for reply in api.each(behind("remote_spending_revoked")):
        assert reply.status_code == 403
        body = reply.json()
        assert (body["error"], body["actor"], body["recovery"]) == ("remote_spending_revoked", actor, "reconnect")
    assert api.state().status_code == 200


def test_a_denied_organisation_closes_every_operation_behind_its_gate(portal, api):
    portal.deny_organisation(api.token)
    for reply in api.each(behind("org_access_denied")):
        assert (reply.status_code, reply.json()["error"]) == (403, "org_access_denied")


def test_the_closed_kill_switch_says_where_to_open_it(portal, api):
    portal.organisation.cli_billing_enabled = False
    assert api.charge().json() == {
        "error": "cli_billing_disabled",
        "message": "Billing from a terminal is switched off for this organisation.",
        "code": "remote_spending_disabled",
        "recovery": "enable_account_toggle",
        "portalUrl": "/billing?topup=open",
    }


@pytest.mark.parametrize(
    ("role", "can_change_plan", "status"),
    [
        ("OWNER", None, 202),
        ("ADMIN", None, 202),
        ("MEMBER", None, 403),
        ("FINANCE_ADMIN", None, 403),
        ("FINANCE_ADMIN", True, 202),
        ("OWNER", False, 403),
    ],
)
def test_the_capability_outranks_the_role(portal, api, role, can_change_plan, status):
    person = portal.add_person("Pat", portal.organisation, role, can_change_plan)
    assert api.charge(token=portal.issue_token(person)).status_code == status


def test_a_poll_asks_for_scope_but_neither_role_nor_kill_switch_nor_card(portal, api):
    assert api.poll("x", portal.issue_token(scope="inference:invoke")).json()["error"] == "insufficient_scope"
    portal.owner.role = "MEMBER"
    portal.organisation.cli_billing_enabled = False
    portal.organisation.card = None
    assert api.poll("x").json() == {"status": "pending"}


@pytest.mark.parametrize(
    ("gate", "error"),
    [
        ("role", "role_required"),
        ("kill_switch", "cli_billing_disabled"),
        ("card", "no_payment_method"),
    ],
)
def test_auto_reload_has_the_gates_of_every_change(portal, api, gate, error):
    getattr(Attempt(portal, api), gate)()
    reply = api.top_up(nonsense=True)
    assert (reply.status_code, reply.json()["error"]) == (403, error)


def test_an_unknown_path_is_a_page_and_a_wrong_method_says_which_is_right(portal, api):
    unknown = api.client.get("/api/billing/invoices?year=2026")
    assert unknown.status_code == 404
    assert unknown.headers["content-type"].startswith("text/html")
    assert portal.requests[-1].operation is None
    assert portal.requests[-1].path == "/api/billing/invoices?year=2026"
    assert api.client.get("/api/billing/state/").status_code == 404
    wrong = api.client.put("/api/billing/state", content=json.dumps({}))
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert wrong.json()["message"] == "This path does not take PUT, but GET, HEAD, OPTIONS."
