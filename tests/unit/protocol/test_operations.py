"""The endpoints: what goes out, what is refused before, and how a success is read."""

import copy
import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from types import NoneType
from typing import get_args, get_type_hints
from uuid import UUID

import pytest

from nous_billing import models
from nous_billing.errors import BillingInvalidRequest, BillingResponseError
from nous_billing.protocol import operations
from tests.documented import CHANGING, KEYED, OPERATIONS, made
from tests.unit.drive import OWNER_STATE, PREVIEW, call, charge, reply, short

SETTLED = {"status": "settled", "amountUsd": "50.10", "settledAt": "2026-06-13T10:00:00Z"}
FAILED = {"status": "failed", "reason": "card_declined"}
ACCEPTED = {"chargeId": "ch_1"}


def read(name, body):
    return call(made(name), reply(200, body)).result


def changed(body, path, *value):
    """A copy in which the field at the path has another value, or is gone where none is given."""
    body = copy.deepcopy(body)
    holder = body
    for key in path[:-1]:
        holder = holder[key]
    if value:
        holder[path[-1]] = value[0]
    else:
        del holder[path[-1]]
    return body


JSON_HEADERS = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("make", "method", "path", "headers", "body", "moves_money"),
    [
        (operations.get_billing_state, "GET", "/api/billing/state", {}, None, False),
        (
            lambda: operations.patch_auto_top_up(True, Decimal("20.50"), "100"),
            "PATCH",
            "/api/billing/auto-top-up",
            JSON_HEADERS,
            b'{"enabled":true,"threshold":20.50,"topUpAmount":100}',
            False,
        ),
        (
            lambda: operations.patch_auto_top_up(False, 0.1, Decimal("1E+3")),
            "PATCH",
            "/api/billing/auto-top-up",
            JSON_HEADERS,
            b'{"enabled":false,"threshold":0.1,"topUpAmount":1000}',
            False,
        ),
        (
            lambda: operations.post_charge("50.10", " key-1 "),
            "POST",
            "/api/billing/charge",
            {**JSON_HEADERS, "Idempotency-Key": "key-1"},
            b'{"amountUsd":50.10}',
            True,
        ),
        (
            lambda: operations.post_charge(19.99, "k"),
            "POST",
            "/api/billing/charge",
            {**JSON_HEADERS, "Idempotency-Key": "k"},
            b'{"amountUsd":19.99}',
            True,
        ),
        (lambda: operations.get_charge_status("ch_3PqXyZ"), "GET", "/api/billing/charge/ch_3PqXyZ", {}, None, False),
    ],
)
def test_a_request_is_what_the_contract_says_byte_for_byte(make, method, path, headers, body, moves_money):
    operation = make()
    assert (operation.method, operation.path, dict(operation.headers)) == (method, path, headers)
    assert operation.body == body
    assert operation.moves_money is moves_money
    assert operation.changes_settings is (method == "PATCH")


@pytest.mark.parametrize(
    ("charge_id", "segment"),
    [
        ("ch_1", "ch_1"),
        (" ch_1\n", "ch_1"),
        ("a/b", "a%2Fb"),
        ("../state", "..%2Fstate"),
        ("...", "..."),
        ("a?b=c", "a%3Fb%3Dc"),
        ("a#b", "a%23b"),
        ("a%2Fb", "a%252Fb"),
        ("%2e%2e", "%252e%252e"),
        ("a\\b", "a%5Cb"),
        ("a;b", "a%3Bb"),
        ("{charge_id}", "%7Bcharge_id%7D"),
        ("x" * 255, "x" * 255),
    ],
    ids=short,
)
def test_an_odd_charge_id_stays_one_segment_of_the_path(charge_id, segment):
    assert operations.get_charge_status(charge_id).path == f"/api/billing/charge/{segment}"


@pytest.mark.parametrize(
    "charge_id",
    [
        "",
        " ",
        "\n",
        ".",
        "..",
        " .. ",
        "a b",
        "a\nb",
        "a\x00",
        "\u00fc",
        "\u0661",
        "x" * 256,
    ],
    ids=short,
)
def test_what_cannot_be_a_charge_id_is_refused(charge_id):
    with pytest.raises(BillingInvalidRequest) as caught:
        operations.get_charge_status(charge_id)
    assert str(caught.value) == (
        "charge_id must be that of an accepted charge: 1 to 255 visible ASCII characters, other than . and .."
    )
    assert caught.value.error == "invalid_charge_id"


@pytest.mark.parametrize("amount", [0, -1, "0.001", 0.1 + 0.2, float("nan"), "abc", None, True, 10**7])
def test_a_bad_amount_is_refused_under_the_name_of_its_parameter(amount):
    for name, make in {
        "amount_usd": lambda: operations.post_charge(amount, "key-1"),
        "threshold": lambda: operations.patch_auto_top_up(True, amount, 100),
        "top_up_amount": lambda: operations.patch_auto_top_up(True, 20, amount),
    }.items():
        with pytest.raises(BillingInvalidRequest, match=f"^{name} must be") as caught:
            make()
        assert caught.value.error == "invalid_amount"


@pytest.mark.parametrize(
    ("key", "error"),
    [(None, "idempotency_key_required"), (" ", "idempotency_key_required"), ("a b", "invalid_idempotency_key")],
)
def test_a_charge_without_a_usable_key_is_refused(key, error):
    with pytest.raises(BillingInvalidRequest) as caught:
        operations.post_charge(50, key)
    assert caught.value.error == error


@pytest.mark.parametrize("enabled", [None, 0, 1, "true", "false", [], 1.0])
def test_enabled_is_true_or_false_and_nothing_that_looks_like_it(enabled):
    with pytest.raises(BillingInvalidRequest) as caught:
        operations.patch_auto_top_up(enabled, 20, 100)
    assert (
        str(caught.value)
        == f"enabled must be True or False, not {type(enabled).__name__ if enabled is not None else enabled}."
    )
    assert caught.value.error == "invalid_request"


def test_the_whole_state_of_an_owner_is_read():
    state = read("get_billing_state", OWNER_STATE)
    assert state == models.BillingState(
        org=models.Organisation(id="org_1", slug="acme", name="Acme", role="OWNER"),
        balance_usd=Decimal("142.5"),
        cli_billing_enabled=True,
        charge_presets=(Decimal(100), Decimal(250), Decimal(500)),
        bounds=models.Bounds(min_usd=Decimal(10), max_usd=Decimal(10000)),
        card=models.Card(brand="visa", last4="4242", resolved_via="subPin"),
        monthly_cap=models.MonthlyCap(
            limit_usd=Decimal(1000), spent_this_month_usd=Decimal("250.75"), is_default_ceiling=True
        ),
        auto_reload=models.AutoReload(
            enabled=True,
            threshold_usd=Decimal(20),
            reload_to_usd=Decimal(100),
            card=models.AutoReloadCard(kind="distinct", payment_method_id="pm_1", brand="visa", last4="0069"),
        ),
        can_change_plan=True,
        portal_url=f"{PREVIEW}/billing?topup=open",
        raw=OWNER_STATE,
    )


def test_money_keeps_the_digits_that_the_server_sent():
    state = read("get_billing_state", OWNER_STATE)
    assert [str(sum_) for sum_ in (state.balance_usd, state.auto_reload.reload_to_usd)] == ["142.5", "100.00"]
    assert str(read("get_billing_state", changed(OWNER_STATE, ["balanceUsd"], "-0.10")).balance_usd) == "-0.10"


def test_a_member_sees_no_card_no_cap_and_no_auto_reload():
    body = {**OWNER_STATE, "card": None, "monthlyCap": None, "autoReload": None}
    body["org"] = {**body["org"], "role": "MEMBER"}
    del body["canChangePlan"], body["portalUrl"]
    state = read("get_billing_state", body)
    assert (state.card, state.monthly_cap, state.auto_reload) == (None, None, None)
    assert (state.can_change_plan, state.is_admin, state.can_charge) == (None, False, False)


@pytest.mark.parametrize("link", ["javascript:alert(1)", "//evil.example", "", "https://user@evil.example/", None])
def test_the_state_always_has_a_portal_link_that_is_safe(link):
    for body in (changed(OWNER_STATE, ["portalUrl"], link), changed(OWNER_STATE, ["portalUrl"])):
        assert read("get_billing_state", body).portal_url == f"{PREVIEW}/billing?topup=open"


def test_the_link_of_the_state_is_one_of_the_address_that_answered():
    assert read("get_billing_state", changed(OWNER_STATE, ["portalUrl"], "/team")).portal_url == f"{PREVIEW}/team"


@pytest.mark.parametrize(
    ("path", "attribute"),
    [
        (["card", "resolvedVia"], lambda state: state.card.resolved_via),
        (["autoReload", "card"], lambda state: state.auto_reload.card),
        (["autoReload", "card", "paymentMethodId"], lambda state: state.auto_reload.card.payment_method_id),
        (["autoReload", "card", "brand"], lambda state: state.auto_reload.card.brand),
        (["autoReload", "card", "last4"], lambda state: state.auto_reload.card.last4),
        (["canChangePlan"], lambda state: state.can_change_plan),
    ],
)
def test_an_optional_field_that_is_absent_is_none(path, attribute):
    assert attribute(read("get_billing_state", OWNER_STATE)) is not None
    assert attribute(read("get_billing_state", changed(OWNER_STATE, path))) is None


@pytest.mark.parametrize(
    ("path", "attribute"),
    [
        (["monthlyCap", "limitUsd"], lambda state: state.monthly_cap.limit_usd),
        (["autoReload", "thresholdUsd"], lambda state: state.auto_reload.threshold_usd),
        (["autoReload", "reloadToUsd"], lambda state: state.auto_reload.reload_to_usd),
        (["autoReload", "card", "brand"], lambda state: state.auto_reload.card.brand),
        (["autoReload", "card", "last4"], lambda state: state.auto_reload.card.last4),
    ],
)
def test_a_field_that_may_be_null_is_none(path, attribute):
    assert attribute(read("get_billing_state", changed(OWNER_STATE, path, None))) is None


@pytest.mark.parametrize(
    ("path", "value", "attribute"),
    [
        (["org", "role"], "FINANCE_ADMIN", lambda state: state.org.role),
        (["org", "role"], "EMPEROR", lambda state: state.org.role),
        (["card", "resolvedVia"], "moonbeam", lambda state: state.card.resolved_via),
        (
            ["card"],
            {"brand": "Link", "last4": ""},
            lambda state: {"brand": state.card.brand, "last4": state.card.last4},
        ),
        (["autoReload", "card", "kind"], "borrowed", lambda state: state.auto_reload.card.kind),
        (["autoReload", "card", "kind"], "none", lambda state: state.auto_reload.card.kind),
        (["chargePresets"], [], lambda state: list(state.charge_presets)),
    ],
)
def test_a_value_of_tomorrow_comes_through_as_it_is(path, value, attribute):
    assert attribute(read("get_billing_state", changed(OWNER_STATE, path, value))) == value


def test_fields_of_tomorrow_are_kept_in_the_raw_reply_without_a_float():
    body = copy.deepcopy(OWNER_STATE)
    for place in (body, body["org"], body["bounds"], body["card"], body["monthlyCap"], body["autoReload"]):
        place["tomorrow"] = 0.1
    state = read("get_billing_state", body)
    assert state.org.name == "Acme"
    for place in (state.raw, state.raw["org"], state.raw["autoReload"]):
        assert str(place["tomorrow"]) == "0.1"
        assert type(place["tomorrow"]) is Decimal


def test_saved_settings_say_so_and_nothing_else():
    assert read("patch_auto_top_up", {"ok": True, "tomorrow": 1}) == models.AutoTopUpSaved(ok=True)


def test_an_accepted_charge_has_its_id():
    accepted = read("post_charge", {**ACCEPTED, "tomorrow": 1})
    assert accepted == models.ChargeAccepted(charge_id="ch_1", raw={**ACCEPTED, "tomorrow": 1})


@pytest.mark.parametrize(
    ("moment", "read_as"),
    [
        ("2026-06-13T10:00:00Z", datetime(2026, 6, 13, 10, tzinfo=UTC)),
        ("2026-06-13T10:00:00.250Z", datetime(2026, 6, 13, 10, microsecond=250_000, tzinfo=UTC)),
        ("2026-06-13T10:00:00.123456789Z", datetime(2026, 6, 13, 10, microsecond=123_456, tzinfo=UTC)),
        ("2026-06-13T12:00:00+02:00", datetime(2026, 6, 13, 12, tzinfo=timezone(timedelta(hours=2)))),
        ("2026-06-13t10:00:00z", datetime(2026, 6, 13, 10, tzinfo=UTC)),
    ],
)
def test_a_settled_charge_has_its_money_and_an_aware_moment(moment, read_as):
    settled = read("get_charge_status", {**SETTLED, "settledAt": moment, "tomorrow": 1})
    assert isinstance(settled, models.ChargeSettled)
    assert (settled.status, str(settled.amount_usd), settled.settled_at) == ("settled", "50.10", read_as)
    assert settled.settled_at.utcoffset() is not None
    assert settled.raw["tomorrow"] == 1


@pytest.mark.parametrize(
    "moment",
    [
        "2026-06-30T23:59:60Z",
        # The zero of Go, and "never": not each zone has them, nor each system.
        "0001-01-01T00:00:00Z",
        "1970-01-01T00:00:00+14:00",
        "3000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
        "2026-06-13T10:00:00",
        "2026-06-13",
        "2026-13-45T10:00:00Z",
        "soon",
        "",
        "\ud800",
        5,
        None,
        [],
    ],
)
def test_a_moment_that_cannot_be_read_does_not_hide_a_payment(moment):
    for body in (changed(SETTLED, ["settledAt"], moment), changed(SETTLED, ["settledAt"])):
        settled = read("get_charge_status", body)
        assert settled == models.ChargeSettled(amount_usd=Decimal("50.10"), settled_at=None, raw=body)


@pytest.mark.parametrize(
    "reason",
    ["authentication_required", "payment_method_expired", "card_declined", "processing_error", "eaten_by_a_dog"],
)
def test_a_failed_charge_has_its_reason_also_one_of_tomorrow(reason):
    body = {"status": "failed", "reason": reason}
    assert read("get_charge_status", body) == models.ChargeFailed(reason=reason, raw=body)


@pytest.mark.parametrize("status", ["pending", "refunding", "SETTLED", "Failed"])
def test_a_status_never_heard_of_is_pending_under_its_own_name(status):
    body = {"status": status, "amountUsd": "50", "reason": "x"}
    assert read("get_charge_status", body) == models.ChargePending(status=status, raw=body)


NO_TEXT = [5, 1.5, True, [], ["x"], {}, {"x": 1}]
NO_BOOL = [0, 1, "true", "", [], {}, 1.5]
NO_MONEY = [5, 1.5, True, "", "x", "1e5", "1e999999999", "NaN", "$5", " 5", "9" * 33, [], {}, ["5"]]
NO_OBJECT = [5, 1.5, True, False, "", "x", [], ["x"], [5], {}]
NO_LIST = [5, True, "100", "", {}, {"100": 1}, [5], [None], ["x"], [["100"]]]

# Each field: what it cannot be; whether it may be null; whether it may be absent.
STATE_FIELDS = [
    (["org"], NO_OBJECT, False, False),
    (["org", "id"], NO_TEXT, False, False),
    (["org", "slug"], NO_TEXT, False, False),
    (["org", "name"], NO_TEXT, False, False),
    (["org", "role"], NO_TEXT, False, False),
    (["balanceUsd"], NO_MONEY, False, False),
    (["cliBillingEnabled"], NO_BOOL, False, False),
    (["chargePresets"], NO_LIST, False, False),
    (["bounds"], NO_OBJECT, False, False),
    (["bounds", "minUsd"], NO_MONEY, False, False),
    (["bounds", "maxUsd"], NO_MONEY, False, False),
    (["card"], NO_OBJECT, True, False),
    (["card", "brand"], NO_TEXT, False, False),
    (["card", "last4"], NO_TEXT, False, False),
    (["card", "resolvedVia"], NO_TEXT, True, True),
    (["monthlyCap"], NO_OBJECT, True, False),
    (["monthlyCap", "limitUsd"], NO_MONEY, True, False),
    (["monthlyCap", "spentThisMonthUsd"], NO_MONEY, False, False),
    (["monthlyCap", "isDefaultCeiling"], NO_BOOL, False, False),
    (["autoReload"], NO_OBJECT, True, False),
    (["autoReload", "enabled"], NO_BOOL, False, False),
    (["autoReload", "thresholdUsd"], NO_MONEY, True, False),
    (["autoReload", "reloadToUsd"], NO_MONEY, True, False),
    # Null is no part of the contract; whether it is taken for absent is not held fixed.
    (["autoReload", "card"], NO_OBJECT, True, True),
    (["autoReload", "card", "kind"], NO_TEXT, False, False),
    (["autoReload", "card", "paymentMethodId"], NO_TEXT, True, True),
    (["autoReload", "card", "brand"], NO_TEXT, True, True),
    (["autoReload", "card", "last4"], NO_TEXT, True, True),
    (["canChangePlan"], NO_BOOL, True, True),
    # The portal's own page for billing takes the place of a link that cannot be used.
    (["portalUrl"], [], True, True),
]
SETTLED_FIELDS = [
    (["status"], NO_TEXT, False, False),
    (["amountUsd"], NO_MONEY, False, False),
]
FAILED_FIELDS = [(["status"], NO_TEXT, False, False), (["reason"], NO_TEXT, False, False)]
ACCEPTED_FIELDS = [(["chargeId"], [*NO_TEXT, "", "  "], False, False)]
# `ok` is the constant true: a server that says false has saved nothing.
SAVED_FIELDS = [(["ok"], [*NO_BOOL, False], False, False)]


def breaches():
    for name, body, table in [
        ("get_billing_state", OWNER_STATE, STATE_FIELDS),
        ("patch_auto_top_up", {"ok": True}, SAVED_FIELDS),
        ("post_charge", ACCEPTED, ACCEPTED_FIELDS),
        ("get_charge_status", SETTLED, SETTLED_FIELDS),
        ("get_charge_status", FAILED, FAILED_FIELDS),
    ]:
        for path, wrong, nullable, optional in table:
            bodies = [changed(body, path, value) for value in (wrong if nullable else [*wrong, None])]
            bodies += [] if optional else [changed(body, path)]
            if bodies:
                yield pytest.param(name, bodies, id=f"{name}-{'.'.join(path)}")
        yield pytest.param(name, [5, "text", [], [5], {}, True, None], id=name)


def fields_of(body, above=()):
    for key, value in body.items():
        yield [*above, key]
        if isinstance(value, dict):
            yield from fields_of(value, (*above, key))


def test_the_table_of_breaches_names_every_field_of_the_state():
    assert [path for path, *_ in STATE_FIELDS] == list(fields_of(OWNER_STATE))


@pytest.mark.parametrize(("name", "bodies"), list(breaches()))
def test_a_success_that_breaks_the_contract_is_an_error_that_keeps_the_payload(name, bodies):
    for body in bodies:
        error = call(made(name), reply(202, body)).error
        assert type(error) is BillingResponseError, body
        assert (error.error, error.status) == ("invalid_response", 202)
        assert error.payload == (json.loads(json.dumps(body), parse_float=Decimal) if isinstance(body, dict) else {})
        assert error.outcome_unknown is (name in CHANGING)
        assert ("same idempotency key" in str(error)) is (name in KEYED)
        assert ("The settings may have been saved: read the billing state to find out." in str(error)) is (
            name in CHANGING - KEYED
        )


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("post_charge", [["chargeId", "ch_1"]]),
        ("patch_auto_top_up", [["ok", True]]),
        ("get_billing_state", list(OWNER_STATE.items())),
        ("get_billing_state", changed(OWNER_STATE, ["org"], list(OWNER_STATE["org"].items()))),
        ("get_billing_state", changed(OWNER_STATE, ["bounds"], list(OWNER_STATE["bounds"].items()))),
    ],
    ids=["charge", "top-up", "state", "org", "bounds"],
)
def test_a_list_of_pairs_is_no_object(name, body):
    error = call(made(name), reply(200, body)).error
    assert (type(error), error.error) == (BillingResponseError, "invalid_response")


def test_an_accepted_charge_whose_id_cannot_be_asked_for_keeps_it_in_the_payload():
    for charge_id in ("a b", "..", "x" * 256, "\u00fc"):
        error = call(charge(), reply(202, {"chargeId": charge_id})).error
        assert (error.error, error.payload, error.outcome_unknown) == (
            "invalid_response",
            {"chargeId": charge_id},
            True,
        )


@pytest.mark.parametrize(
    ("name", "body", "breach"),
    [
        ("patch_auto_top_up", {"ok": False}, "ok is not True"),
        ("patch_auto_top_up", [["ok", True]], "the body is a list instead of an object"),
        ("post_charge", {"chargeId": "a b"}, "chargeId is not an id that can be sent back"),
        ("post_charge", {"chargeId": 5}, "chargeId is a whole number instead of a string"),
        ("get_charge_status", {"status": 5}, "status is a whole number instead of a string"),
        ("get_charge_status", {"amountUsd": "50"}, "status is missing"),
        ("get_charge_status", [], "the body is a list, which the contract does not allow"),
        ("get_charge_status", {**SETTLED, "amountUsd": 5}, "amountUsd is not a decimal string of dollars"),
        ("get_billing_state", {**OWNER_STATE, "org": [["id", "org_1"]]}, "org is a list instead of an object"),
        ("get_billing_state", {**OWNER_STATE, "bounds": None}, "bounds is null instead of an object"),
        (
            "get_billing_state",
            {**OWNER_STATE, "card": {"brand": 1}},
            "card.brand is a whole number instead of a string",
        ),
        (
            "get_billing_state",
            {**OWNER_STATE, "chargePresets": ["5", 5]},
            "chargePresets[1] is not a decimal string of dollars",
        ),
        (
            "get_billing_state",
            {**OWNER_STATE, "cliBillingEnabled": 1},
            "cliBillingEnabled is a whole number instead of true or false",
        ),
    ],
)
def test_what_broke_the_contract_is_said(name, body, breach):
    error = call(made(name), reply(200, body)).error
    assert str(error).startswith(f"The portal's reply does not match the API contract ({breach}).")


def operation_of(result=None, accept=operations.JSON, **kwargs):
    """An operation as the module makes them of what the generated client says."""
    return operations._operation({"method": "delete", "url": "/x", **kwargs}, result, accept)


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ({}, "/x"),
        ({"limit": 5}, "/x?limit=5"),
        ({"since": "a b&c", "all": True, "tags": ["x", False]}, "/x?since=a+b%26c&all=true&tags=x&tags=false"),
    ],
)
def test_a_query_travels_with_the_path(params, path):
    assert operation_of(params=params).path == path


@pytest.mark.parametrize(
    "kwargs",
    [
        *({"url": f"/x/{each}/pay"} for each in ("", ".", "..")),
        *({"url": f"/x/{each}"} for each in ("", ".", "..")),
        *({"headers": {"X-Org": each}} for each in ("", " a", "a\r\nX-B: b", "\u00e9", "a\x00")),
    ],
)
def test_an_argument_that_would_change_the_request_is_refused_before_anything_is_sent(kwargs):
    with pytest.raises(BillingInvalidRequest, match="Nothing was sent") as caught:
        operation_of(**kwargs)
    assert caught.value.error == "invalid_request"


@pytest.mark.parametrize("key", ["data", "files", "content", "cookies"])
def test_what_would_not_be_sent_fails_loudly(key):
    with pytest.raises(TypeError, match=f"^/x: the client does not send {key} of _get_kwargs.$"):
        operation_of(**{key: {}})


def test_a_body_within_a_body_keeps_the_digits_of_its_money():
    body = {"lines": [{"amountUsd": Decimal("0.10"), "note": None}], "on": True}
    assert operation_of(json=body).body == b'{"lines":[{"amountUsd":0.10,"note":null}],"on":true}'


@pytest.mark.parametrize(
    ("headers", "moves_money"), [({"Idempotency-Key": "k"}, True), ({"idempotency-key": "k"}, True), ({}, False)]
)
def test_what_has_an_idempotency_key_moves_money(headers, moves_money):
    operation = operation_of(headers=headers)
    assert (operation.moves_money, operation.changes_settings) == (moves_money, not moves_money)
    error = call(operation, reply(502)).error
    assert error.outcome_unknown
    assert ("same idempotency key" in str(error)) is moves_money


@pytest.mark.parametrize("body", [b"", b" ", b'{"ok": true}', b"[]"])
def test_where_no_body_is_to_be_there_is_no_result(body):
    assert call(operation_of(), reply(204, body)).caught is None
    assert call(operation_of(), reply(204, body)).result is None


CSV = {"content-type": "Text/CSV; charset=utf-8"}


@pytest.mark.parametrize(("result", "read_as"), [(str, "a,\u00fc\n"), (bytes, b"\xef\xbb\xbfa,\xc3\xbc\n")])
def test_a_body_that_is_no_json_is_read_as_it_is_declared(result, read_as):
    assert call(operation_of(result, "text/csv"), reply(200, b"\xef\xbb\xbfa,\xc3\xbc\n", CSV)).result == read_as


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        (b"<html>", {"content-type": "text/html"}, "endpoint_unavailable"),
        (b"a,b", {}, "endpoint_unavailable"),
        (b"\xff", CSV, "invalid_response"),
    ],
)
def test_another_media_type_than_was_asked_for_is_not_this_api(body, headers, code):
    error = call(operation_of(str, "text/csv"), reply(200, body, headers)).error
    assert (type(error), error.error) == (BillingResponseError, code)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_reads_what_its_type_says(name):
    operation = made(name)
    function = getattr(operations, name)
    hints = get_type_hints(function, localns={"models": models, "UUID": UUID})
    assert get_args(hints["return"]) == (operation.load_result() or NoneType,)
