"""At least one test for each of the thirteen faults of the clients that came before, by the contract's numbers."""

import json
import sys
import time
import types
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

import pytest

import nous_billing as nb
from nous_billing import StaticToken
from nous_billing.mock import Fault
from tests.documented import CALLS, CHANGING, IN_JSON, KEYED, OPERATIONS, answer_of, success, successes, validator
from tests.registry import KEY

from .harness import TOLERANCE, Source, charge, failure, poll, read, save
from .raw_server import Answer, RawServer, answer
from .test_hermes import StandIn, in_seconds

STATE = success("get_billing_state")[1]
SETTLED = {"status": "settled", "amountUsd": "50", "settledAt": "2026-06-13T10:00:00Z"}
# A success of each operation, by each of its schemas.
BODIES = [(operation, body) for operation in IN_JSON for body in successes(operation)]


NO_SUCCESSES = [
    b"<!doctype html><h1>Nous</h1>",
    b"null",
    b"[]",
    b'["chargeId"]',
    b'"text"',
    b"7",
    b"true",
    b"",
    b" \r\n",
    b"{}",
    b'{"chargeId": "\xff", "status": "\xff"}',
    b"\xff\xfe{\x00}\x00",
    b"{\x00}\x00",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"7" * 5000,
    b'{"chargeId": NaN, "status": Infinity}',
    b"{} {}",
]


@pytest.mark.parametrize("operation", IN_JSON)
@pytest.mark.parametrize("content_type", ["application/json", "text/html"])
def test_01_a_success_that_is_not_the_contracts_is_a_typed_error(content_type, operation, raw_client, server):
    content = answer_of(operation, success(operation)[0])["content"]["application/json"]
    for body in NO_SUCCESSES:
        if body == b"[]" and validator(content["schema"]).is_valid([]):
            continue
        server.script.append(answer(success(operation)[0], body, content_type=content_type))
        error = failure(CALLS[operation], raw_client)
        assert type(error) is nb.BillingResponseError, body[:30]
        assert error.error in ("invalid_response", "endpoint_unavailable")
        assert error.status == success(operation)[0]
        assert error.outcome_unknown is (operation in CHANGING)
        assert isinstance(error.payload, dict)


@pytest.mark.parametrize("operation", IN_JSON)
def test_01_a_truncated_body_is_a_typed_error_at_every_length(operation, raw_client, server):
    status, body = success(operation)
    text = json.dumps(body).encode()
    for length in range(len(text)):
        server.script.append(answer(status, text[:length]))
        error = failure(CALLS[operation], raw_client)
        assert (type(error), error.error) == (nb.BillingResponseError, "invalid_response")


@pytest.mark.parametrize(("operation", "body"), BODIES)
def test_01_a_missing_or_wrong_member_is_a_typed_error(operation, body, raw_client, server):
    status, _ = success(operation)
    if not isinstance(body, dict):
        pytest.skip("It has no members.")
    # A moment that is missing or cannot be read does not hide a payment.
    body = {key: value for key, value in body.items() if key != "settledAt"}
    broken = [{key: value for key, value in body.items() if key != left_out} for left_out in body]
    broken += [{**body, key: odd} for key in body for odd in ([], 7.5, {"x": 1}, None, "odd")]
    content = answer_of(operation, status)["content"]["application/json"]
    broken = [each for each in broken if not validator(content["schema"]).is_valid(each)]
    assert broken
    for each in broken:
        server.script.append(answer(status, each))
        error = failure(CALLS[operation], raw_client)
        assert (type(error), error.error) == (nb.BillingResponseError, "invalid_response"), each
        assert error.payload == json.loads(json.dumps(each), parse_float=Decimal)


@pytest.mark.parametrize("operation", IN_JSON)
def test_01_a_byte_order_mark_is_read_over(operation, raw_client, server):
    status, body = success(operation)
    server.script.append(answer(status, b"\xef\xbb\xbf" + json.dumps(body).encode()))
    CALLS[operation](raw_client)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_02_a_dropped_connection_is_typed_and_says_whether_a_charge_may_have_gone_through(
    operation, client, mock_portal
):
    for fault in (Fault.drop(), Fault.raw(b"garbage\r\n\r\n"), Fault.raw(b"HTTP/1.1 200 OK\r\nContent-Le")):
        read(client)
        # A drop on a kept-alive connection is met a second time by what only reads.
        mock_portal.inject(fault, operation, times=2)
        error = failure(CALLS[operation], client)
        assert (type(error), error.error) == (nb.BillingNetworkError, "network_error")
        assert error.outcome_unknown is (operation in CHANGING)
        assert ("same idempotency key" in str(error)) is (operation in KEYED)
        mock_portal.faults.take(operation)


def test_02_a_timeout_in_the_middle_of_a_body_is_typed(raw_client, server):
    server.script.append(Answer(answer(202, {"chargeId": "ch_1"}).data[:-2], "hold"))
    error = failure(charge, raw_client, timeout=0.5)
    assert (type(error), error.outcome_unknown) == (nb.BillingTimeout, True)


@pytest.mark.parametrize("part", ["headers", "body"])
def test_03_a_server_that_drips_bytes_does_not_hold_the_screen(part, client, mock_portal):
    mock_portal.inject(Fault.drip(0.03, part), "get_billing_state")
    started = time.monotonic()
    assert type(failure(read, client, timeout=0.2)) is nb.BillingTimeout
    assert time.monotonic() - started < 0.2 + TOLERANCE


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_04_a_redirect_takes_neither_the_token_nor_a_page_for_the_charge(status, raw_client, server):
    with RawServer(answer(200, {"chargeId": "ch_forged"})) as elsewhere:
        server.otherwise = answer(status, b"", {"Location": f"{elsewhere.url}/api/billing/charge"})
        for call in (read, charge):
            error = failure(call, raw_client)
            assert (type(error), error.status) == (nb.BillingResponseError, status)
        assert elsewhere.connections == 0
    assert [request.method for request in server.requests] == ["GET", "POST"]


@pytest.mark.parametrize(
    ("link", "absolute"),
    [
        ("/billing?topup=open", "{base}/billing?topup=open"),
        ("billing", "{base}/billing"),
        ("https://portal.nousresearch.com/billing", "https://portal.nousresearch.com/billing"),
        ("javascript:alert(1)", None),
        ("JavaScript:alert(1)", None),
        ("java\tscript:alert(1)", None),
        ("data:text/html,x", None),
        ("file:///etc/passwd", None),
        ("//elsewhere.test/billing", None),
        ("\\\\elsewhere.test", None),
        ("/\\elsewhere.test", None),
        ("https://portal.nousresearch.com@elsewhere.test/", None),
        ("https://", None),
        ("", None),
        (7, None),
        (None, None),
    ],
    ids=repr,
)
def test_05_a_link_is_resolved_against_the_portal_that_answered(link, absolute, client, mock_portal):
    expected = absolute and absolute.format(base=mock_portal.url)
    mock_portal.inject(Fault.reply(403, {"error": "no_payment_method", "portalUrl": link}), "post_charge")
    assert failure(charge, client).portal_url == expected
    if link is None or isinstance(link, str):
        mock_portal.inject(Fault.reply(200, {**STATE, "portalUrl": link}), "get_billing_state")
        assert read(client).portal_url == (expected or f"{mock_portal.url}/billing?topup=open")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", range(7, 8)),
        (" 7 ", range(7, 8)),
        ("0", range(1)),
        ("999999999", range(999999999, 1000000000)),
        ("date", range(38, 42)),
        ("Wed, 21 Oct 2015 07:28:00 GMT", range(1)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", range(1)),
        ("Sun Nov  6 08:49:37 1994", range(1)),
        *((bad, None) for bad in ("-5", "inf", "-inf", "nan", "1e9", "7.5", "", "soon", "9" * 400, "0x10", "\u0667")),
        ("Wed, 99 Foo 2015 07:28:00 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 -9999", None),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_06_retry_after_is_seconds_or_a_date_and_never_stops_a_poller(header, seconds, client_kind, server):
    clock = client_kind.clock()
    client = client_kind.client(StaticToken("t"), base_url=server.url, clock=clock)
    if header == "date":
        header = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    limited = answer(429, {"error": "rate_limited"}).data
    reply = limited.replace(b"\r\n\r\n", b"\r\nRetry-After: " + header.encode() + b"\r\n\r\n", 1)
    server.script += [Answer(reply)] * 2
    error = failure(charge, client)
    assert error.retry_after in seconds if seconds is not None else error.retry_after is None
    server.script.append(answer(200, SETTLED))
    assert client.wait_for_charge("ch_1").amount_usd == Decimal(50)
    expected = 5 if seconds is None else min(max(seconds[0], 2), 30)
    assert clock.sleeps == pytest.approx([expected], abs=0.01)


class Profile(Source):
    """A source that tells when what it returned must not be used any longer."""

    def __init__(self, tokens, url):
        super().__init__(tokens, url)
        self.name = "first"

    def fingerprint(self):
        return self.name


def test_07_the_kept_token_does_not_outlive_a_changed_login_nor_thirty_seconds(client_kind, mock_portal):
    clock = client_kind.clock()
    tokens = [mock_portal.issue_token() for _ in range(3)]
    source = Profile(tokens, mock_portal.url)
    client = client_kind.client(source, clock=clock)
    read(client)
    read(client)
    source.name = "second"
    read(client)
    clock.advance(29.5)
    read(client)
    clock.advance(0.5)
    read(client)
    used = [request.headers["authorization"].removeprefix("Bearer ") for request in mock_portal.requests]
    assert [tokens.index(token) for token in used] == [0, 0, 1, 1, 2]


def test_07_a_changed_base_url_is_followed_at_once(client_kind, mock_portal, server, monkeypatch):
    client = client_kind.client(Source([mock_portal.issue_token()], mock_portal.url))
    read(client)
    monkeypatch.setenv("HERMES_PORTAL_BASE_URL", server.url)
    poll(client)
    monkeypatch.delenv("HERMES_PORTAL_BASE_URL")
    read(client)
    assert (len(mock_portal.requests), len(server.requests)) == (2, 1)


def test_07_after_a_step_up_the_new_token_is_sent(client_kind, mock_portal):
    source = Profile([mock_portal.issue_token(scope="inference:invoke"), mock_portal.issue_token()], mock_portal.url)
    client = client_kind.client(source)
    assert type(failure(charge, client)) is nb.BillingScopeRequired
    source.name = "stepped up"
    assert charge(client).charge_id


def test_08_a_retry_after_a_401_never_sends_the_rejected_token_again(client_kind, mock_portal):
    source = Source(["stale", "stale"], mock_portal.url)
    assert type(failure(charge, client_kind.client(source))) is nb.BillingAuthError
    assert [request.status for request in mock_portal.requests] == [401]
    source = Source(["stale", mock_portal.issue_token()], mock_portal.url)
    assert charge(client_kind.client(source)).charge_id
    assert [request.status for request in mock_portal.requests] == [401, 401, 202]
    assert source.rejected == [None, "stale"]


# 9 and 10 are about who refreshes. Here that is Hermes's module, which keeps the login; the facade only has to tell a
# failure that passes from the end of the login. That a pair of tokens which cannot be saved is not lost (10) is for a
# login of the SDK's own to show.


@pytest.fixture
def hermes(monkeypatch, mock_portal):
    auth = StandIn()
    auth.state = {"access_token": mock_portal.issue_token(), "portal_base_url": mock_portal.url}
    monkeypatch.setitem(sys.modules, "hermes_cli", types.ModuleType("hermes_cli"))
    monkeypatch.setitem(sys.modules, "hermes_cli.auth", auth)
    return auth


def fails(error):
    def renew():
        raise error

    return renew


@pytest.mark.parametrize(
    "raised", [OSError("down"), ValueError("{} from the token endpoint"), RuntimeError("500")], ids=repr
)
def test_09_a_passing_failure_to_refresh_does_not_give_up_a_token_that_is_still_good(
    raised, client_kind, hermes, mock_portal
):
    hermes.state["expires_at"] = in_seconds(60)
    hermes.renew = fails(raised)
    assert charge(client_kind.client()).charge_id
    assert hermes.state["access_token"]


@pytest.mark.parametrize("raised", [OSError("down"), RuntimeError("500")], ids=repr)
def test_09_a_passing_failure_to_refresh_is_no_logout(raised, client_kind, hermes, mock_portal):
    hermes.state["expires_at"] = in_seconds(-60)
    hermes.renew = fails(raised)
    error = failure(charge, client_kind.client())
    assert (type(error), error.error, error.outcome_unknown) == (nb.BillingNetworkError, "network_error", False)
    hermes.renew = mock_portal.issue_token
    assert charge(client_kind.client()).charge_id


def test_10_the_facade_leaves_a_login_that_cannot_be_saved_to_its_owner(client_kind, hermes, mock_portal):
    hermes.state["expires_at"] = in_seconds(-60)
    hermes.renew = fails(OSError(28, "No space left on device"))
    before = dict(hermes.state)
    assert type(failure(read, client_kind.client())) is nb.BillingNetworkError
    assert hermes.state == before
    assert mock_portal.requests == []


@pytest.mark.parametrize("amount", ["10.10", "19.99", "1000000", "123456.78", "64.10"])
def test_11_money_goes_out_and_comes_in_digit_for_digit(amount, client_kind, mock_portal):
    clock = client_kind.clock(mock_portal.clock)
    client = client_kind.client(StaticToken(mock_portal.issue_token()), base_url=mock_portal.url, clock=clock)
    mock_portal.organisation.monthly_cap = Decimal(10_000_000)
    mock_portal.organisation.bounds = (Decimal(10), Decimal(10_000_000))
    settled = client.wait_for_charge(charge(client, Decimal(amount)).charge_id)
    assert mock_portal.requests[0].body == f'{{"amountUsd":{amount}}}'.encode()
    assert settled.amount_usd == Decimal(amount)
    assert type(settled.amount_usd) is Decimal


def test_11_no_sum_of_the_state_is_a_float(client, mock_portal):
    mock_portal.organisation.balance = Decimal("0.30")
    state = read(client)
    assert str(state.balance_usd) == "0.3"
    sums = [state.balance_usd, *state.charge_presets, state.bounds.min_usd, state.monthly_cap.limit_usd]
    assert {type(each) for each in sums} == {Decimal}


def test_12_a_poller_goes_on_after_a_network_error(client_kind, mock_portal):
    clock = client_kind.clock(mock_portal.clock)
    client = client_kind.client(StaticToken(mock_portal.issue_token()), base_url=mock_portal.url, clock=clock)
    charge_id = charge(client).charge_id
    mock_portal.inject(Fault.drop(), "get_charge_status", times=6)
    assert type(client.wait_for_charge(charge_id)) is nb.ChargeSettled


def test_12_a_charge_whose_outcome_is_not_known_is_never_called_failed(client_kind, mock_portal):
    clock = client_kind.clock(mock_portal.clock)
    token = mock_portal.issue_token()
    client = client_kind.client(StaticToken(token), base_url=mock_portal.url, clock=clock)
    charge_id = charge(client).charge_id
    mock_portal.revoke_session(token)
    error = failure(client.wait_for_charge, charge_id)
    assert (type(error), error.outcome_unknown) == (nb.BillingChargeUnconfirmed, True)
    assert "failed" not in str(error)


@pytest.mark.parametrize(
    "fault", [Fault.drop(acts=True), Fault.stall(acts=True), Fault.reply(500, {}, acts=True), Fault.html(acts=True)]
)
def test_12_the_same_key_after_an_indeterminate_send_charges_once(fault, client, mock_portal):
    mock_portal.inject(fault, "post_charge")
    assert failure(charge, client, timeout=0.5).outcome_unknown is True
    accepted = charge(client)
    assert [entry.id for entry in mock_portal.organisation.charges] == [accepted.charge_id]
    assert [request.headers["idempotency-key"] for request in mock_portal.requests] == [KEY, KEY]


def test_13_every_request_has_the_sdks_own_user_agent(client_kind, mock_portal):
    for given in ({}, {"http_client": client_kind.http_client(headers={"User-Agent": "Python-urllib/3.11"})}):
        client = client_kind.client(StaticToken(mock_portal.issue_token()), base_url=mock_portal.url, **given)
        for call in (read, save, charge, poll):
            call(client)
    assert len(mock_portal.requests) == 8
    assert {request.headers["user-agent"] for request in mock_portal.requests} == {f"nous-billing/{nb.__version__}"}
