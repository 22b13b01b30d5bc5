"""What a new operation gets from its entry in the contract alone: parameters, body, key, and what it may answer."""

from decimal import Decimal
from urllib.parse import quote

import httpx
import pytest

from nous_billing.mock import MockPortal, Reply
from nous_billing.mock.calls import handler
from nous_billing.mock.openapi import Interface, load_document, operations
from nous_billing.mock.replies import ReplyLost

from .api import ask

# Behind the path of another operation, whose parameter may contain quoted slashes.
PATH = "/api/billing/charge/{number}/gifts"
SEVERAL = {"type": "array", "items": {"type": "integer"}, "maxItems": 3}
GIFT = {
    "operationId": "give",
    "tags": ["gifts"],
    "security": [{"bearer": ["billing:manage"]}],
    "parameters": [
        {"name": "number", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}},
        {"name": "limit", "in": "query", "required": True, "schema": {"type": "number", "maximum": 100}},
        {"name": "loud", "in": "query", "schema": {"type": "boolean"}},
        {"name": "note", "in": "query", "schema": {"type": ["string", "null"], "maxLength": 5}},
        {"name": "day", "in": "query", "schema": SEVERAL},
        {"name": "When", "in": "header", "schema": {"anyOf": [{"const": 7}, {"type": "string", "format": "date"}]}},
        {"$ref": "#/components/parameters/IdempotencyKey"},
    ],
    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/ChargeRequest"}}}},
    "responses": {
        "200": {"description": "A file.", "content": {"text/csv": {"schema": {"type": "string", "pattern": "^a,b"}}}},
        "201": {"description": "A picture.", "content": {"image/png": {}}},
        "204": {"description": "Nothing."},
        "400": {"description": "Wrong.", "content": {"application/problem+json": {}, "application/json": {}}},
        "403": {"$ref": "#/components/responses/ManageForbidden"},
        "401": {"$ref": "#/components/responses/Unauthorized"},
        "409": {"description": "Conflict.", "content": {"application/json": {}}},
        "429": {"description": "Nothing, too."},
    },
}
# Each path, of which one ends with its parameter, and the name of its operation.
NOTED = {"/api/notes/{about}": "note", "/api/notes/{about}/text:raw": "note_text"}
NOTE = {
    "parameters": [{"name": "about", "in": "path", "required": True, "schema": {"type": "string"}}],
    "responses": {"204": {"description": "Nothing."}},
}
SENT = {"method": "POST", "json": {"amountUsd": 10.5}, "headers": {"Idempotency-Key": "k", "When": "7"}}
URL = "/api/billing/charge/3/gifts?limit=2.5"


@pytest.fixture
def giving(monkeypatch):
    """Makes a portal with one more operation, which answers so and keeps the calls that reach it."""
    document = load_document()
    document["paths"][PATH] = {"post": GIFT}
    document["paths"][f"{PATH}/again"] = {"post": {**GIFT, "operationId": "give_again"}}
    document["paths"] |= {path: {"get": {**NOTE, "operationId": name}} for path, name in NOTED.items()}
    interface = Interface(document, operations(document))
    monkeypatch.setattr("nous_billing.mock.mock_portal.portal_interface", lambda: interface)

    def make(reply):
        class Giving(MockPortal):
            def __init__(self):
                self.calls = []
                super().__init__()

            @handler()
            def give(self, call):
                self.calls.append(call)
                return reply

            give_again = note = note_text = give

        return Giving()

    return make


def test_a_handler_gets_parameters_and_body_with_their_types(giving):
    portal = giving(Reply(204))
    answer = ask(portal, f"{URL}&loud=true&note=%22a%20b&day=1&day=2", **SENT)
    assert (answer.status_code, answer.content, "content-type" in answer.headers) == (204, b"", False)
    (call,) = portal.calls
    assert call.parameters == {
        "number": 3,
        "limit": Decimal("2.5"),
        "loud": True,
        "note": '"a b',
        "day": [1, 2],
        "When": 7,
        "Idempotency-Key": "k",
    }
    assert (call.body, call.person, call.organisation) == (
        {"amountUsd": Decimal("10.5")},
        portal.owner,
        portal.organisation,
    )
    assert portal.violations == []


@pytest.mark.parametrize("path", NOTED)
@pytest.mark.parametrize("about", ["a/b", "a%2Fb", "/", "\n", "a/text:raw", "\u00e9 ;?#", "%2e", "n1"])
def test_a_quoted_slash_is_part_of_a_parameter_wherever_it_is_in_the_path(giving, path, about):
    portal = giving(Reply(204))
    assert ask(portal, path.format(about=quote(about, safe=""))).status_code == 204
    assert portal.calls[0].parameters == {"about": about}
    assert portal.requests[0].operation == NOTED[path]


def test_a_slash_that_is_not_quoted_ends_a_parameter_and_other_characters_may_be_quoted(giving):
    portal = giving(Reply(204))
    assert ask(portal, "/api/notes/a/b").status_code == 404
    assert ask(portal, "/api/%6eotes/a/text%3Araw").status_code == 204


@pytest.mark.parametrize(
    ("query", "value"),
    [("day=7", [7]), ("note=null", None), ("note=7", "7"), ("note=", ""), ("note=%22x%22", '"x"'), ("x=1", ...)],
)
def test_a_value_has_the_type_that_its_schema_allows(giving, query, value):
    portal = giving(Reply(204))
    assert ask(portal, f"{URL}&{query}", **SENT).status_code == 204
    assert portal.calls[0].parameters.get(query.partition("=")[0], ...) == value


def test_a_body_may_be_left_out_where_the_contract_does_not_require_one(giving):
    portal = giving(Reply(204))
    assert ask(portal, URL, method="POST", headers=SENT["headers"]).status_code == 204
    assert portal.calls[0].body is None


@pytest.mark.parametrize(
    ("path", "more", "error", "said"),
    [
        ("/api/billing/charge/3/gifts", {}, "validation_failed", "limit is missing."),
        ("/api/billing/charge/0/gifts?limit=1", {}, "validation_failed", "number: "),
        ("/api/billing/charge/3/gifts?limit=101", {}, "validation_failed", "limit: "),
        ("/api/billing/charge/3/gifts?limit=NaN", {}, "validation_failed", 'limit: "NaN" is not'),
        ("/api/billing/charge/3/gifts?limit=1&limit=2", {}, "validation_failed", "limit: It is given more than once."),
        (f"{URL}&loud=yes", {}, "validation_failed", "loud: "),
        (f"{URL}&note=longer", {}, "validation_failed", "note: "),
        (f"{URL}&day=x", {}, "validation_failed", "day: 0: "),
        (f"{URL}&day=1&day=2&day=3&day=4", {}, "validation_failed", "day: "),
        (URL, {"headers": {"Idempotency-Key": "k", "When": "today"}}, "validation_failed", "When: "),
        (URL, {"json": {"amountUsd": 0}}, "validation_failed", "amountUsd: "),
        (URL, {"headers": {"Idempotency-Key": ""}}, "idempotency_key_required", "The header Idempotency-Key"),
    ],
)
def test_what_the_contract_does_not_allow_never_reaches_the_handler(giving, path, more, error, said):
    portal = giving(Reply(204))
    answer = ask(portal, path, **{**SENT, **more})
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.json()["message"].startswith(said)
    assert (portal.calls, portal.violations) == ([], [])


@pytest.mark.parametrize(("token", "status", "error"), [("x", 401, "invalid_token"), (None, 403, "insufficient_scope")])
def test_token_and_scope_come_before_parameters_and_body(giving, token, status, error):
    portal = giving(Reply(204))
    token = token or portal.issue_token(scope="inference:invoke")
    answer = ask(portal, PATH, method="POST", content=b"{", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["error"]) == (status, error)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(200, "a,b\n1,2\n", media_type="text/csv; charset=utf-8"), None),
        (Reply(201, b"\x89PNG\xff", media_type="image/png"), None),
        (Reply(400, {"title": "x"}, media_type="application/problem+json"), None),
        (Reply(429, media_type=None), None),
        (Reply(200, "b,a", media_type="text/csv"), "body that breaks the contract"),
        (Reply(200, media_type=None), "without a body. The contract declares text/csv."),
        (Reply(429, {}), "with application/json, which the contract does not declare"),
    ],
)
def test_a_reply_may_have_any_media_type_or_none(giving, reply, said):
    portal = giving(reply)
    answer = ask(portal, URL, **SENT)
    assert answer.status_code == (500 if said else reply.status)
    assert said or answer.content == reply.encoded()
    assert answer.headers.get("content-type") == ("text/plain; charset=utf-8" if said else reply.media_type)
    assert [violation for violation in portal.violations if said in violation] == portal.violations[: bool(said)]


class Gifts(MockPortal):
    """Makes a gift once for each key, as any handler of an operation with a key does it in one line."""

    gifts = 0
    lost = False

    @handler()
    def give(self, call):
        return call.once(self._give)

    give_again = note = note_text = give

    def _give(self):
        self.gifts += 1
        reply = Reply(200, f"a,b\n{self.gifts}", media_type="text/csv")
        if self.lost:
            raise ReplyLost(reply)
        return reply


def test_a_handler_acts_once_for_each_key(giving):
    giving(None)
    portal = Gifts()
    keys = ["first", "first", "second"]
    answers = [ask(portal, URL, **{**SENT, "headers": {"Idempotency-Key": key}}) for key in keys]
    assert [answer.text for answer in answers] == ["a,b\n1", "a,b\n1", "a,b\n2"]
    again = URL.replace("gifts", "gifts/again")
    for path, more in ((URL, {"json": {"amountUsd": 11}}), (f"{URL}&note=x", {}), (again, {})):
        conflict = ask(portal, path, **{**SENT, "headers": {"Idempotency-Key": "first"}, **more})
        assert (conflict.status_code, conflict.json()["error"]) == (409, "idempotency_conflict")
    assert portal.gifts == 2


def test_a_replay_gets_the_reply_that_was_lost(giving):
    giving(None)
    portal = Gifts()
    portal.lost = True
    with pytest.raises(httpx.RemoteProtocolError):
        ask(portal, URL, **SENT)
    assert (ask(portal, URL, **SENT).text, portal.gifts) == ("a,b\n1", 1)
