"""Every answer to a refresh: what ends a login, what passes, and what is read out of a success."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from nous_billing import (
    BillingAuthError,
    BillingClient,
    BillingInvalidRequest,
    BillingNetworkError,
    BillingTimeout,
    StoredLogin,
)
from nous_billing.auth import oauth
from nous_billing.mock import Fault, MockClock, MockPortal
from nous_billing.mock.oauth_form import OAuthError
from tests.auth.support import (
    ASKS,
    FULL,
    PortalClock,
    ask_by_client,
    asked,
    from_iso,
    iso,
    jwt,
    refreshes,
    state_status,
)

OTHER = "https://portal.nousresearch.com"
TOKEN_KEYS = {"access_token", "refresh_token", "expires_at", "expires_in", "obtained_at"}


@pytest.fixture
def at_refresh(house, monkeypatch):
    """Let something happen while the portal works on a refresh."""

    def install(happens, *, answer=None):
        rotate = house.portal.oauth._rotate

        def changed(text):
            happens()
            if answer is not None:
                raise OAuthError(answer, "It is over.")
            return rotate(text)

        monkeypatch.setattr(house.portal.oauth, "_rotate", changed)

    return install


# What ends a login

FINAL = {
    "invalid_grant": (400, {"error": "invalid_grant"}, "invalid_grant"),
    "invalid_token": (401, {"error": "invalid_token", "error_description": "Unknown."}, "invalid_token"),
    "refresh_token_reused": (400, {"error": "refresh_token_reused"}, "refresh_token_reused"),
    "a description of reuse": (
        400,
        {"error": "invalid_request", "error_description": "Refresh token Reuse detected"},
        "invalid_request",
    ),
    "nothing but a description of reuse": (403, {"error_description": "This token was reused."}, "invalid_grant"),
}


@pytest.mark.parametrize("row", FINAL)
def test_a_final_error_ends_the_login_and_says_what_to_do(house, ask, row):
    status, body, code = FINAL[row]
    house.put(left=0)
    document = house.document()
    document["portals"][house.url]["note"] = {"kept": [1]}
    document["portals"][OTHER] = {"access_token": "other", "refresh_token": "other-refresh"}
    house.write(document["portals"], note="top")
    house.portal.inject(Fault.reply(status, body), "oauth_token")
    source = house.source()
    with pytest.raises(BillingAuthError, match="Log in again") as caught:
        ask(source)
    assert caught.value.error == code
    after = house.document()
    ended = after["portals"][house.url]
    assert not TOKEN_KEYS & set(ended)
    assert ended["last_auth_error"] == {"code": code, "at": iso(house.clock.time())}
    assert ended["note"] == {"kept": [1]}
    assert after["portals"][OTHER] == {"access_token": "other", "refresh_token": "other-refresh"}
    assert (after["note"], after["active_portal"]) == ("top", house.url)
    assert not source.is_logged_in
    with pytest.raises(BillingAuthError, match="Log in"):
        ask(source)
    assert len(house.refreshes()) == 1


def test_a_final_error_ends_the_login_although_its_token_still_has_time_left(house):
    house.put(left=100)
    house.portal.inject(Fault.reply(400, {"error": "invalid_grant"}), "oauth_token")
    with pytest.raises(BillingAuthError):
        house.source().resolve()
    assert not TOKEN_KEYS & set(house.entry())


def test_a_login_that_ended_lives_again_after_a_new_one(house):
    house.put(left=0)
    house.portal.inject(Fault.reply(400, {"error": "invalid_grant"}), "oauth_token")
    source = house.source(portal_base_url=house.url)
    with pytest.raises(BillingAuthError):
        source.resolve()
    source.login(lambda code: house.portal.approve_device(code.user_code))
    assert "last_auth_error" not in house.entry()
    assert source.resolve().access_token == house.entry()["access_token"]


def test_a_pair_that_another_program_wrote_under_a_final_error_is_taken(house, ask, at_refresh):
    house.put(left=0)
    newer = house.portal.log_in()
    at_refresh(lambda: house.write({house.url: house.entry_for(newer)}), answer="refresh_token_reused")
    source = house.source()
    ask(source)
    assert source.resolve().access_token == newer.access_token == house.entry()["access_token"]
    assert len(house.refreshes()) == 1


def test_a_newer_refresh_token_in_the_file_is_not_ended_by_a_final_error_about_the_older(house, at_refresh):
    house.put(left=0)
    newer = house.portal.log_in()
    entry = house.entry_for(newer, expires_at=iso(house.clock.time() - 1))
    at_refresh(lambda: house.write({house.url: entry}), answer="refresh_token_reused")
    source = house.source()
    with pytest.raises(BillingNetworkError) as caught:
        source.resolve()
    assert str(caught.value) == "Another program has changed the login in the meantime. Try again."
    assert caught.value.error == "network_error"
    assert house.entry()["refresh_token"] == newer.refresh_token


def test_a_pair_that_is_the_rejected_one_is_not_taken_for_another_programs(house, at_refresh):
    login = house.put(left=500)
    at_refresh(lambda: None, answer="invalid_grant")
    with pytest.raises(BillingAuthError):
        house.source().resolve(rejected=login.access_token)
    assert not TOKEN_KEYS & set(house.entry())


# What passes

PASSING = {
    "503 {}": Fault.reply(503, {}),
    "500 {}": Fault.reply(500, {}),
    "500 with a code": Fault.reply(500, {"error": "server_error"}),
    "429": Fault.reply(429, {"error": "rate_limited"}, {"retry-after": "60"}),
    "HTML 200": Fault.html(200),
    "HTML 502": Fault.html(502),
    "HTML 400": Fault.html(400),
    "a redirect": Fault.reply(302, headers={"location": "/elsewhere"}),
    "drop": Fault.drop(),
    "garbage": Fault.raw(b"garbage\r\n\r\n"),
    "a truncated body": Fault.raw(b'HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{"access_token": "x'),
    "truncated JSON": Fault.reply(200, b'{"access_token": "x"'),
    "bad UTF-8": Fault.reply(200, b'{"access_token": "\xff\xfe"}'),
    "200 {}": Fault.reply(200, {}),
    "200 []": Fault.reply(200, []),
    "200 null": Fault.reply(200, b"null"),
    "200 a string": Fault.reply(200, b'"invalid_grant"'),
    "200 without a body": Fault.reply(200),
    "no access_token": Fault.reply(200, {"refresh_token": "rt_new", "expires_in": 900}),
    "a blank access_token": Fault.reply(200, {"access_token": " ", "refresh_token": "rt_new"}),
    "access_token a number": Fault.reply(200, {"access_token": 5, "refresh_token": "rt_new"}),
    "too large": Fault.reply(200, b'{"access_token": "' + b"x" * (1 << 20) + b'"}'),
    "compressed": Fault.reply(200, b"{}", {"content-encoding": "gzip"}),
    "nested beyond reason": Fault.reply(200, b"[" * 100_000),
    "400 {}": Fault.reply(400, {}),
    "an error without a description": Fault.reply(400, {"error": "temporarily_unavailable"}),
    "a description without an error": Fault.reply(400, {"error_description": "A bad day."}),
    "error a number": Fault.reply(400, {"error": 5}),
    "error null": Fault.reply(400, {"error": None, "error_description": None}),
    "error a list": Fault.reply(400, {"error": ["invalid_grant"]}),
    "error an object": Fault.reply(400, {"error": {"code": "invalid_grant"}}),
}


@pytest.mark.parametrize("row", PASSING)
def test_a_passing_error_leaves_the_login_and_the_token_at_hand(house, row):
    login = house.put(left=100)
    before = house.document()
    house.portal.inject(PASSING[row], "oauth_token")
    assert house.source().resolve().access_token == login.access_token
    assert house.entry()["failed_renewal"]["failures"] == 1
    assert house.without_failures() == before
    assert len(house.refreshes()) == 1


@pytest.mark.parametrize("row", PASSING)
def test_a_passing_error_about_an_expired_token_is_no_logout(house, row):
    house.put(left=0)
    before = house.document()
    house.portal.inject(PASSING[row], "oauth_token")
    source = house.source()
    with pytest.raises(BillingNetworkError, match="Try again") as caught:
        source.resolve()
    assert caught.value.error == "network_error"
    assert caught.value.retry_after == (60 if row == "429" else 5)
    assert house.without_failures() == before
    assert source.is_logged_in
    house.portal.clock.advance(caught.value.retry_after)
    assert state_status(house.portal, source.resolve().access_token) == 200
    assert len(house.refreshes()) == 2


@pytest.mark.parametrize("row", ["503 {}", "HTML 200", "drop", "error a list"])
@pytest.mark.parametrize("kind", ["client", "async client"])
def test_both_clients_outlive_a_passing_error(house, kind, row):
    house.put(left=100)
    house.portal.inject(PASSING[row], "oauth_token")
    assert ASKS[kind](house.source()).org.name == "Acme"
    house.portal.clock.advance(100)
    house.portal.inject(PASSING[row], "oauth_token")
    with pytest.raises(BillingNetworkError):
        ASKS[kind](house.source())
    assert "refresh_token" in house.entry()


@pytest.mark.parametrize("left", [100, 0])
def test_a_portal_that_stalls_passes(house, ask, left, monkeypatch):
    monkeypatch.setattr(oauth, "_REQUEST_SECONDS", 0.15)
    house.put(left=left)
    before = house.document()
    house.portal.inject(Fault.stall(), "oauth_token")
    source = house.source()
    if left:
        ask(source)
    else:
        with pytest.raises(BillingTimeout):
            ask(source)
    assert house.without_failures() == before


def test_a_portal_that_cannot_be_reached_passes(house, monkeypatch):
    login = house.put(left=100)
    before = house.document()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{closed.getsockname()[1]}"
        house.write({dead: house.entry()}, active_portal=dead)
        source = house.source()
        assert source.resolve().access_token == login.access_token
        house.portal.clock.advance(100)
        with pytest.raises(BillingNetworkError):
            source.resolve()
    assert house.without_failures()["portals"][dead] == before["portals"][house.url]


def test_a_token_that_was_rejected_is_not_used_while_a_failure_passes(house):
    login = house.put(left=800)
    house.portal.inject(Fault.reply(503, {}), "oauth_token")
    with pytest.raises(BillingNetworkError):
        house.source().resolve(rejected=login.access_token)
    assert house.entry()["refresh_token"] == login.refresh_token


# What is read out of a success


def test_the_new_pair_is_in_the_file_before_it_is_used(house, ask):
    house.put(left=119)
    source = house.source()
    ask(source)
    entry = house.entry()
    assert source.resolve().access_token == entry["access_token"]
    assert state_status(house.portal, entry["access_token"]) == 200
    assert len(house.refreshes()) == 1
    assert {request.status for request in asked(house.portal, "get_billing_state")} == {200}


def test_the_new_pair_is_written_with_all_that_is_known_of_it(house):
    house.put(left=0)
    house.write({house.url: {**house.entry(), "token_type": "MAC", "last_auth_error": {"code": "x"}, "note": 1}})
    now = house.clock.time()
    source = house.source()
    source.resolve()
    entry = house.entry()
    assert (entry.pop("access_token"), entry.pop("note")) == (source.resolve().access_token, 1)
    assert entry.pop("refresh_token") not in house.refreshes()
    assert entry == {
        "token_type": "Bearer",
        "scope": FULL,
        "obtained_at": iso(now),
        "expires_in": 900.0,
        "expires_at": iso(now + 900),
    }
    assert house.path.read_text().startswith('{\n "version": 1,\n')


def test_a_token_with_more_than_120_s_left_is_used_as_it_is(house, ask):
    login = house.put(left=121)
    ask(house.source())
    assert house.entry()["access_token"] == login.access_token
    assert house.refreshes() == []
    assert house.files() == ["login.json"]


def test_a_refresh_is_sent_as_the_contract_says(house):
    login = house.put(left=0)
    house.source().resolve()
    (request,) = asked(house.portal, "oauth_token")
    assert request.headers["x-nous-refresh-token"] == login.refresh_token
    assert request.body == b"grant_type=refresh_token&client_id=hermes-cli"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert "authorization" not in request.headers


def test_the_client_id_can_be_another(house):
    house.put(left=0)
    with pytest.raises(BillingNetworkError):
        house.source(client_id="other app").resolve()
    (request,) = asked(house.portal, "oauth_token")
    assert request.body == b"grant_type=refresh_token&client_id=other+app"


@pytest.mark.parametrize("left", [None, "", 5])
def test_a_reply_without_a_refresh_token_leaves_none(house, left):
    house.put(left=0)
    token = house.portal.issue_token()
    body = {"access_token": token, "expires_in": 900}
    house.portal.inject(Fault.reply(200, body if left is None else {**body, "refresh_token": left}), "oauth_token")
    source = house.source()
    assert source.resolve().access_token == token
    assert "refresh_token" not in house.entry()
    # Used up to its end, as there is nothing to renew it with; then the login is over.
    house.portal.clock.advance(899)
    assert source.resolve().access_token == token
    house.portal.clock.advance(1)
    with pytest.raises(BillingAuthError, match="Log in"):
        source.resolve()
    assert len(house.refreshes()) == 1


def test_expiry_is_counted_from_before_the_request(house, at_refresh):
    house.put(left=0)
    before = house.clock.time()
    at_refresh(lambda: house.portal.clock.advance(5))
    house.source().resolve()
    assert from_iso(house.entry()["obtained_at"]) == pytest.approx(before, abs=1e-3)
    assert from_iso(house.entry()["expires_at"]) == pytest.approx(before + 900, abs=1e-3)


@pytest.mark.parametrize("raw", [None, "null", '"900"', "-1", "0", "true", "1e400", "1e13", "[]"])
def test_an_expires_in_that_says_nothing_falls_back_to_the_tokens_own_exp(house, raw):
    house.put(left=0)
    token = jwt(exp=house.clock.time() + 300)
    expires_in = "" if raw is None else f', "expires_in": {raw}'
    body = f'{{"access_token": "{token}", "refresh_token": "rt_2"{expires_in}}}'
    house.portal.inject(Fault.reply(200, body), "oauth_token")
    source = house.source()
    assert source.resolve().access_token == token
    assert "expires_at" not in house.entry()
    house.portal.clock.advance(179)
    assert source.resolve().access_token == token
    house.portal.clock.advance(2)
    house.portal.inject(Fault.reply(503, {}), "oauth_token")
    source.resolve()
    assert len(house.refreshes()) == 2


@pytest.mark.parametrize("offset", [1200, 0, -1200])
@pytest.mark.parametrize("lifetime", [900, 60])
def test_a_clock_that_is_wrong_renews_a_token_of_unsaid_life_only_when_it_is_due(house, offset, lifetime):
    house.put(left=0)
    house.clock.offset = offset
    now = house.portal.clock.now()
    body = {"access_token": jwt(iat=now, exp=now + lifetime), "refresh_token": "rt_2"}
    house.portal.inject(Fault.reply(200, body), "oauth_token")
    if offset < 0:
        house.write({house.url: {**house.entry(), "expires_at": iso(now - 5000), "obtained_at": iso(now - 6000)}})
    for _ in range(3):
        assert house.source().resolve().access_token == body["access_token"]
    assert len(house.refreshes()) == 1


def test_an_opaque_token_without_any_expiry_is_used_until_it_is_rejected(house):
    house.put(left=0)
    house.portal.inject(Fault.reply(200, {"access_token": "opaque", "refresh_token": "rt_2"}), "oauth_token")
    source = house.source()
    assert source.resolve().access_token == "opaque"
    house.portal.clock.advance(100_000)
    assert source.resolve().access_token == "opaque"
    assert len(house.refreshes()) == 1


def test_a_life_shorter_than_the_margin_does_not_mean_a_refresh_at_every_call(house):
    house.put(left=0)
    body = {"access_token": house.portal.issue_token(lifetime=60), "refresh_token": "rt_2", "expires_in": 60}
    house.portal.inject(Fault.reply(200, body), "oauth_token")
    source = house.source()
    assert {source.resolve().access_token for _ in range(5)} == {body["access_token"]}
    assert len(house.refreshes()) == 1


def test_keys_that_the_reply_does_not_name_survive_a_refresh(house, ask):
    house.put(left=0, note={"kept": [1]}, inference_base_url="https://x")
    document = house.document()
    house.write({**document["portals"], OTHER: {"access_token": "other"}}, note="top")
    ask(house.source())
    after = house.document()
    assert (after["note"], after["portals"][OTHER]) == ("top", {"access_token": "other"})
    assert house.entry()["note"] == {"kept": [1]}
    assert house.entry()["inference_base_url"] == "https://x"


def test_a_scope_that_was_lost_at_a_refresh_is_not_in_the_file_any_more(house):
    house.put(left=0)
    house.portal.owner.role = "MEMBER"
    house.source().resolve()
    assert house.entry()["scope"] == "inference:invoke"


@pytest.mark.parametrize("date", ["yesterday", "2026-02-30T00:00:00+00:00", "2020-01-01T00:00:00", "", 5, None, ["x"]])
def test_dates_in_the_file_that_are_none_fall_back_to_the_tokens_own_exp(house, date):
    login = house.put(left=200)
    house.write({house.url: {**house.entry(), "obtained_at": date, "expires_at": date, "expires_in": str(date)}})
    source = house.source()
    assert source.resolve().access_token == login.access_token
    house.portal.clock.advance(81)
    assert source.resolve().access_token != login.access_token
    assert len(house.refreshes()) == 1


# A clock that jumps


def test_a_clock_that_goes_forward_by_an_hour_costs_one_refresh(house, ask):
    house.put(left=800)
    house.clock.offset = 3600
    source = house.source()
    ask(source)
    ask(source)
    assert len(house.refreshes()) == 1
    assert state_status(house.portal, source.resolve().access_token) == 200


def test_a_token_from_before_the_clock_went_back_is_used_until_the_portal_refuses_it(house):
    login = house.put(left=800)
    house.clock.offset = -3600
    source = house.source()
    assert ask_by_client(source)
    house.portal.clock.advance(801)
    assert source.resolve().access_token == login.access_token
    assert house.refreshes() == []
    assert ask_by_client(source)
    assert len(house.refreshes()) == 1
    house.portal.clock.advance(779)
    source.resolve()
    assert len(house.refreshes()) == 1
    house.portal.clock.advance(1)
    source.resolve()
    assert len(house.refreshes()) == 2


@pytest.mark.parametrize("offsets", [(-600, 600), (0, 600), (-600, 0), (0, 3600), (-7200, 7200)])
def test_machines_with_different_clocks_that_share_a_login_do_not_renew_it_in_turn(house, offsets):
    house.put()
    machines = []
    for offset in offsets:
        clock = PortalClock(house.portal)
        clock.offset = offset
        machines.append(house.source(clock=clock))
    for _ in range(60):
        for machine in machines:
            ask_by_client(machine)
        house.portal.clock.advance(60)
    # An hour is five lives of a token, each of which either machine ends once at most.
    assert len(house.refreshes()) <= 10
    assert len(set(house.refreshes())) == len(house.refreshes())


def test_a_clock_that_is_corrected_by_half_a_minute_costs_nothing(house):
    house.put(left=800)
    house.clock.offset = -130
    source = house.source()
    source.resolve()
    assert house.refreshes() == []


@pytest.mark.parametrize("token", ["a\x01b", "\u00e9", "a b"])
def test_a_new_token_that_no_header_can_carry_passes_and_the_new_refresh_token_is_spent_next(house, token):
    house.put(left=0)
    newer = house.portal.log_in()
    reply = {"access_token": token, "refresh_token": newer.refresh_token, "expires_in": 900}
    house.portal.inject(Fault.reply(200, reply), "oauth_token")
    for _ in range(2):
        with pytest.raises(BillingNetworkError, match=r"Try again in 5 s\.") as caught:
            house.source().resolve()
        assert (caught.value.error, caught.value.retry_after) == ("network_error", 5)
    assert len(house.refreshes()) == 1
    house.portal.clock.advance(5)
    assert state_status(house.portal, house.source().resolve().access_token) == 200
    assert house.refreshes()[1:] == [newer.refresh_token]


# A rejected token


def test_another_token_in_the_file_is_taken_for_a_rejected_one_without_a_refresh(house):
    login = house.put(left=500)
    assert house.source().resolve(rejected="another token").access_token == login.access_token
    assert house.refreshes() == []


def test_a_rejected_token_that_is_the_one_in_the_file_is_refreshed_once(house):
    login = house.put(left=500)
    source = house.source()
    renewed = source.resolve(rejected=login.access_token).access_token
    assert renewed != login.access_token
    assert house.refreshes() == [login.refresh_token]
    assert source.resolve(rejected=login.access_token).access_token == renewed
    assert len(house.refreshes()) == 1


@pytest.mark.parametrize("kind", ["client", "async client"])
def test_a_portal_that_refuses_every_token_costs_one_renewal_in_thirty_seconds(house, kind):
    house.put(left=800)
    house.portal.inject(Fault.reply(401, {"error": "invalid_token"}), "get_billing_state", times=100)
    for renewals in (1, 2):
        for _ in range(4):
            with pytest.raises(BillingAuthError):
                # Another source of the same file, as another process has.
                ASKS[kind](house.source())
            assert len(house.refreshes()) == renewals
        house.portal.clock.advance(30)


def test_a_new_login_is_renewed_if_it_is_rejected_although_the_one_before_just_was(house):
    login = house.put(left=800)
    source = house.source(portal_base_url=house.url)
    source.resolve(rejected=login.access_token)
    source.login(lambda code: house.portal.approve_device(code.user_code))
    new = house.entry()["access_token"]
    assert source.resolve(rejected=new).access_token != new


@pytest.mark.parametrize("kind", ["client", "async client"])
def test_a_401_is_one_refresh_and_no_error(house, kind):
    login = house.put(left=500)
    house.portal.expire(login.access_token)
    assert ASKS[kind](house.source()).org.name == "Acme"
    assert house.refreshes() == [login.refresh_token]


def test_threads_that_want_a_token_at_once_share_one_refresh(house):
    house.put(left=0)
    source = house.source()
    barrier = threading.Barrier(12)

    def resolve(number):
        barrier.wait()
        return (source if number % 2 else house.source()).resolve().access_token

    with ThreadPoolExecutor(12) as pool:
        tokens = set(pool.map(resolve, range(12)))
    assert len(tokens) == len(house.refreshes()) == 1


# Nobody is logged in


def test_without_a_file_nobody_is_logged_in(house, ask):
    source = house.source(portal_base_url=house.url)
    assert not source.is_logged_in
    with pytest.raises(BillingAuthError, match="Log in") as caught:
        ask(source)
    assert (caught.value.error, caught.value.status) == ("invalid_token", 401)
    assert house.portal.requests == []


@pytest.mark.parametrize(
    "entry",
    [
        {},
        None,
        {"access_token": ""},
        {"access_token": 5, "refresh_token": 5},
        {"refresh_token": " "},
        {"refresh_token": "a\nb"},
        # It has expired, and there is nothing to renew it with.
        {"access_token": "at_1", "expires_at": "2020-01-01T00:00:00+00:00"},
    ],
    ids=str,
)
def test_a_login_without_tokens_is_none(house, entry):
    house.write({house.url: entry})
    with pytest.raises(BillingAuthError, match="Log in"):
        house.source().resolve()
    assert not house.source().is_logged_in
    assert house.portal.requests == []


def test_a_login_with_a_refresh_token_alone_is_renewed(house):
    login = house.put(left=0)
    house.write({house.url: {"refresh_token": login.refresh_token}})
    source = house.source()
    assert source.is_logged_in
    assert state_status(house.portal, source.resolve().access_token) == 200


@pytest.mark.parametrize("token", ["r\u00f6t", "rt\n2", "rt\x00", "\ud800"])
def test_a_refresh_token_that_no_header_can_carry_is_a_typed_error(house, token):
    house.write({house.url: {"refresh_token": token}})
    with pytest.raises((BillingAuthError, BillingNetworkError)) as caught:
        house.source().resolve()
    assert token not in str(caught.value)


def test_logging_out_forgets_the_login_of_this_portal_only(house):
    house.put()
    house.write({**house.document()["portals"], OTHER: {"access_token": "other"}}, note="top")
    source = house.source()
    source.logout()
    assert not source.is_logged_in
    assert house.document() == {
        "version": 1,
        "active_portal": house.url,
        "note": "top",
        "portals": {OTHER: {"access_token": "other"}},
    }
    source.logout()


def test_a_logout_ends_what_a_client_has_kept(house):
    house.put()
    source = house.source()
    with BillingClient(source) as client:
        client.get_billing_state()
        house.source().logout()
        with pytest.raises(BillingAuthError):
            client.get_billing_state()


# Which portal


@pytest.mark.parametrize(
    "address", ["http://portal.example", "http://portal.nousresearch.com", "ftp://localhost", "portal.example", ""]
)
def test_a_portal_that_is_not_https_is_refused(house, address, monkeypatch):
    with pytest.raises(BillingInvalidRequest, match=r"^portal_base_url '") as caught:
        StoredLogin(house.path, portal_base_url=address)
    assert caught.value.error == "invalid_base_url"
    if not address:
        return
    house.put(left=0)
    monkeypatch.setenv("NOUS_PORTAL_BASE_URL", address)
    with pytest.raises(BillingInvalidRequest):
        house.source().resolve()
    with pytest.raises(BillingInvalidRequest):
        house.source().login(lambda code: None)
    assert house.portal.requests == []


STRANGERS = [
    "https://portal.example",
    "https://portal.nousresearch.com.example",
    "https://portal.nousresearch.com@portal.example",
    "https://localhost:80@portal.example",
    "http://portal.nousresearch.com",
    "//portal.example",
    "https://[::1]",
    "https://portal.nousresearch.com\\@portal.example",
]


@pytest.mark.parametrize("stranger", STRANGERS)
@pytest.mark.parametrize("left", [900, 0])
def test_neither_token_leaves_for_a_stored_host_that_is_not_allowed(house, ask, stranger, left, monkeypatch):
    house.put(left=left)
    entry = house.entry()
    house.write({stranger: entry, house.url: entry}, active_portal=stranger)

    attempts = []

    def refuse(*arguments, **_):
        attempts.append(arguments)
        raise OSError("Nothing may be sent.")

    source = house.source()
    before = house.path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        with pytest.raises(BillingInvalidRequest) as caught:
            ask(source)
        with pytest.raises(BillingInvalidRequest):
            source.step_up(lambda code: None)
    assert caught.value.error == "invalid_base_url"
    assert house.path.read_bytes() == before
    assert (attempts, house.portal.requests) == ([], [])


@pytest.fixture
def other_portal():
    portal = MockPortal(clock=MockClock(frozen=True))
    with portal.serve():
        yield portal


def two_logins(house, other):
    mine, theirs = house.portal.log_in(), other.log_in()
    house.write({house.url: house.entry_for(mine), other.url: house.entry_for(theirs)})
    for clock in (house.portal.clock, other.clock):
        clock.advance(900)
    return mine, theirs


@pytest.mark.parametrize("name", ["HERMES_PORTAL_BASE_URL", "NOUS_PORTAL_BASE_URL"])
def test_the_environment_outranks_the_file(house, ask, other_portal, name, monkeypatch):
    mine, theirs = two_logins(house, other_portal)
    monkeypatch.setenv(name, other_portal.url + "/")
    source = house.source()
    ask(source)
    assert source.resolve().portal_base_url == other_portal.url
    assert house.portal.requests == []
    assert refreshes(other_portal) == [theirs.refresh_token]
    assert house.entry()["refresh_token"] == mine.refresh_token


def test_an_argument_outranks_the_environment(house, other_portal, monkeypatch):
    mine, _ = two_logins(house, other_portal)
    monkeypatch.setenv("HERMES_PORTAL_BASE_URL", other_portal.url)
    source = house.source(portal_base_url=house.url)
    assert source.resolve().portal_base_url == house.url
    assert (house.refreshes(), other_portal.requests) == ([mine.refresh_token], [])


def test_two_portals_live_side_by_side_in_one_file(house, other_portal):
    mine, theirs = two_logins(house, other_portal)
    sources = [house.source(portal_base_url=url) for url in (house.url, other_portal.url)]
    tokens = [source.resolve().access_token for source in sources]
    assert (house.refreshes(), refreshes(other_portal)) == ([mine.refresh_token], [theirs.refresh_token])
    assert [state_status(house.portal, tokens[0]), state_status(other_portal, tokens[1])] == [200, 200]
    assert [entry["access_token"] for entry in house.document()["portals"].values()] == tokens
    sources[0].logout()
    assert (sources[0].is_logged_in, sources[1].is_logged_in) == (False, True)


def test_a_login_at_one_portal_leaves_that_at_another(house, other_portal):
    house.put()
    before = house.entry()
    house.clock._clock = other_portal.clock
    house.source(portal_base_url=other_portal.url).login(lambda code: other_portal.approve_device(code.user_code))
    assert house.entry() == before
    assert house.document()["active_portal"] == other_portal.url
    assert house.source().resolve().portal_base_url == other_portal.url


# The source itself


def test_the_file_is_in_the_platforms_config_folder_unless_it_is_given(tmp_path):
    source = StoredLogin()
    assert source.path == tmp_path.resolve() / "home" / ".config" / "nous-billing" / "login.json"
    assert repr(source) == f"StoredLogin({str(source.path)!r})"
    assert StoredLogin("~/elsewhere.json").path == tmp_path.resolve() / "home" / "elsewhere.json"
    assert not source.path.parent.exists()


def test_the_fingerprint_changes_with_the_file_and_the_environment(house, monkeypatch):
    house.put(left=0)
    source = house.source()
    seen = [source.fingerprint()]
    assert source.fingerprint() == seen[0]
    source.resolve()
    seen.append(source.fingerprint())
    monkeypatch.setenv("NOUS_PORTAL_BASE_URL", house.url)
    seen.append(source.fingerprint())
    house.path.unlink()
    seen.append(source.fingerprint())
    assert len(set(seen)) == 4
