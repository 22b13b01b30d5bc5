"""The mock keeps to the contract, and says loudly when it does not."""

from pathlib import Path

import pytest

from nous_billing.mock import ContractViolation, MockPortal, Reply
from nous_billing.mock.calls import handler
from nous_billing.mock.openapi import Interface, load_document, operations
from scripts.document import load

from .api import ask

OPENAPI = Path(__file__).parents[2] / "openapi" / "nous-portal-billing.yaml"


def test_the_contract_in_the_package_is_the_one_in_openapi():
    assert load_document() == load(OPENAPI)


def lying(reply):
    class LyingPortal(MockPortal):
        def get_billing_state(self, call):
            return reply

    return LyingPortal()


GOOD = {
    "org": {"id": "o", "slug": "s", "name": "n", "role": "OWNER"},
    "balanceUsd": "1",
    "cliBillingEnabled": True,
    "chargePresets": [],
    "bounds": {"minUsd": "1", "maxUsd": "2"},
    "card": None,
    "monthlyCap": None,
    "autoReload": None,
}


@pytest.mark.parametrize(
    ("reply", "what"),
    [
        (Reply(200, {**GOOD, "balanceUsd": 1.5}), "balanceUsd"),
        (Reply(200, {**GOOD, "balanceUsd": "1E+2"}), "balanceUsd"),
        (Reply(200, {key: value for key, value in GOOD.items() if key != "card"}), "card"),
        (Reply(202, GOOD), "202"),
        (Reply(404, {"error": "not_found"}), "404"),
        (Reply(401, {"error": "no_such_code"}), "401"),
        (Reply(403, {"error": "org_access_denied"}), "403"),
        (Reply(200, "<html>", media_type="text/html"), "text/html"),
        (Reply(503, {"error": "temporarily_unavailable"}), "Retry-After"),
        (Reply(503, {"error": "temporarily_unavailable"}, {"Retry-After": "soon"}), "Retry-After"),
        (Reply(503, {"error": "temporarily_unavailable"}, {"Retry-After": "-1"}), "Retry-After"),
        (Reply(200, {**GOOD, "org": object()}), "get_billing_state"),
    ],
)
def test_a_reply_that_the_contract_does_not_allow_is_not_sent(reply, what):
    portal = lying(reply)
    answer = ask(portal, "/api/billing/state")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "text/plain; charset=utf-8")
    assert len(portal.violations) == 1
    assert what in portal.violations[0]
    assert answer.text == portal.violations[0]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, GOOD),
        Reply(500, None),
        Reply(502, "<html>", media_type="text/html; charset=utf-8"),
        Reply(503, {"error": "temporarily_unavailable"}, {"retry-after": "60"}),
        Reply(503, {"error": "temporarily_unavailable"}, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}),
    ],
)
def test_a_reply_that_the_contract_allows_is_sent(reply):
    portal = lying(reply)
    assert ask(portal, "/api/billing/state").status_code == reply.status
    assert portal.violations == []


def drifted(monkeypatch, change):
    document = load_document()
    change(document)
    monkeypatch.setattr(
        "nous_billing.mock.mock_portal.portal_interface", lambda: Interface(document, operations(document))
    )


def test_an_operation_without_a_handler_fails_at_start(monkeypatch):
    def rename(document):
        document["paths"]["/api/billing/state"]["get"]["operationId"] = "read_state"

    drifted(monkeypatch, rename)
    with pytest.raises(ContractViolation, match=r"'read_state'.*'get_billing_state'"):
        MockPortal()


def test_a_handler_without_an_operation_fails_at_start():
    class Grown(MockPortal):
        @handler()
        def get_invoices(self, call):
            return Reply(200)

    with pytest.raises(ContractViolation, match="Handlers without an operation: \\['get_invoices'\\]"):
        Grown()


def charge(document):
    return document["paths"]["/api/billing/charge"]["post"]


def parameter(place="query", **more):
    return lambda post: post["parameters"].append({"name": "q", "in": place, **more})


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (parameter("cookie", schema={"type": "string"}), "read the parameter q from a cookie"),
        (parameter(content={"application/json": {}}), "check the parameter q without a schema"),
        (parameter(schema={"type": "array"}, explode=False), "read the parameter q in a style of its own"),
        (parameter("header", schema={"type": "array"}), "read the parameter q, an array in the header"),
        (parameter(schema={"anyOf": [{"type": "object"}]}), "read the parameter q, which is more than"),
        (lambda post: post["requestBody"]["content"].update({"text/csv": {}}), "read a request body of text/csv"),
        (lambda post: post["responses"].update({"default": {}}), "check replies of the status default"),
        (
            lambda post: post["responses"]["202"]["content"].update({"text/*": {}}),
            r"check a reply of any media type of text/\*",
        ),
        (lambda post: post.update(callbacks={}), "do what callbacks asks for"),
        (lambda post: post.update(security=[]), "check any security but one bearer token"),
    ],
)
def test_what_the_mock_cannot_do_or_check_fails_at_start_by_name(monkeypatch, change, what):
    drifted(monkeypatch, lambda document: change(charge(document)))
    with pytest.raises(ContractViolation, match=f"^post_charge: the mock cannot {what}"):
        MockPortal()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda document: charge(document).pop("operationId"), "POST /api/billing/charge: the mock cannot bind"),
        (lambda document: document["paths"]["/api/billing/charge"].update(servers=[]), "cannot read 'servers'"),
    ],
)
def test_what_belongs_to_no_operation_fails_at_start_too(monkeypatch, change, said):
    drifted(monkeypatch, change)
    with pytest.raises(ContractViolation, match=said):
        MockPortal()


def test_the_scopes_are_the_contracts(monkeypatch):
    def ask_for_scope(document):
        document["paths"]["/api/billing/state"]["get"]["security"] = [{"bearer": ["billing:manage"]}]

    drifted(monkeypatch, ask_for_scope)
    portal = MockPortal()
    reply = ask(
        portal,
        "/api/billing/state",
        headers={"Authorization": f"Bearer {portal.issue_token(scope='inference:invoke')}"},
    )
    # The 403 of this operation does not declare the code yet, and the mock says so.
    assert "insufficient_scope" not in reply.text or portal.violations
    assert reply.status_code == 500


def test_each_operation_is_read_whole():
    post_charge = next(operation for operation in operations(load_document()) if operation.id == "post_charge")
    assert (post_charge.method, post_charge.path, post_charge.scopes) == (
        "POST",
        "/api/billing/charge",
        ("billing:manage",),
    )
    assert [(each.name, each.place, each.required) for each in post_charge.parameters] == [
        ("Idempotency-Key", "header", True)
    ]
    assert sorted(post_charge.answers) == [202, 400, 401, 403, 409, 429, 500, 502, 503, 504]
    assert post_charge.answers[429].headers["Retry-After"].required
