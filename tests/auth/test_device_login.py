"""Device login and step-up (RFC 8628): how fast it polls, what ends it, what it grants."""

import asyncio
import threading
import time
from itertools import pairwise
from urllib.parse import parse_qs

import pytest

from nous_billing import (
    AsyncBillingClient,
    BillingAuthError,
    BillingClient,
    BillingInvalidRequest,
    BillingNetworkError,
    BillingScopeRequired,
    BillingTimeout,
)
from nous_billing.auth import oauth
from nous_billing.mock import Fault
from tests.auth.support import FULL, PortalClock, asked, jwt, state_status, until

PASSING = {
    "503 {}": Fault.reply(503, {}),
    "500 with a code": Fault.reply(500, {"error": "server_error"}),
    "502 with a final code": Fault.reply(502, {"error": "access_denied"}),
    "HTML 200": Fault.html(200),
    "HTML 404": Fault.html(404),
    "drop": Fault.drop(),
    "garbage": Fault.raw(b"garbage\r\n\r\n"),
    "200 {}": Fault.reply(200, {}),
    "200 []": Fault.reply(200, []),
    "200 null": Fault.reply(200, b"null"),
    "no access_token": Fault.reply(200, {"refresh_token": "rt"}),
    "truncated JSON": Fault.reply(200, b'{"access_token": "x'),
    "400 {}": Fault.reply(400, {}),
    "error a list": Fault.reply(400, {"error": ["access_denied"]}),
    "a redirect": Fault.reply(302, headers={"location": "/elsewhere"}),
}


class Device:
    """A device login under test: when it polled, and a person who decides after so many seconds."""

    def __init__(self, house, kind):
        self.house = house
        self.kind = kind
        self.codes = []
        self.times = {"oauth_device_code": [], "oauth_token": []}
        self.decide = house.portal.approve_device
        self.decide_at = 0.0
        self._decided = False
        device = self

        class NotingList(list):
            def append(self, request):
                super().append(request)
                if request.operation in device.times:
                    device.times[request.operation].append(house.portal.clock.now())

        class Clock(PortalClock):
            def sleep(self, seconds):
                super().sleep(seconds)
                device.look()

        house.portal.requests = NotingList(house.portal.requests)
        house.clock = Clock(house.portal)
        self.source = house.source(portal_base_url=house.url)

    def show(self, code):
        self.codes.append(code)
        self.look()

    def look(self):
        started = self.times["oauth_device_code"]
        if started and not self._decided and self.house.portal.clock.now() - started[-1] >= self.decide_at:
            self._decided = True
            if self.decide is not None:
                self.decide(self.codes[-1].user_code)

    def again(self):
        self._decided = False

    def login(self, **arguments):
        if self.kind == "sync":
            return self.source.login(self.show, **arguments)
        return asyncio.run(self.source.alogin(self.show, **arguments))

    def step_up(self, **arguments):
        self.again()
        if self.kind == "sync":
            return self.source.step_up(self.show, **arguments)
        return asyncio.run(self.source.astep_up(self.show, **arguments))

    def gaps(self):
        moments = [self.times["oauth_device_code"][-1], *self.times["oauth_token"]]
        return [round(after - before, 3) for before, after in pairwise(moments)]

    def scope(self):
        return parse_qs(asked(self.house.portal, "oauth_device_code")[-1].body.decode())["scope"][0]


@pytest.fixture(params=["sync", "async"])
def device(request, house):
    return Device(house, request.param)


@pytest.fixture
def sync_device(house):
    return Device(house, "sync")


@pytest.fixture
def change_code(house, monkeypatch):
    """Change the portal's reply with a code; None takes a member away."""

    def install(**changes):
        start = house.portal.oauth.devices.start

        def changed(*arguments):
            reply = {**start(*arguments), **changes}
            return {key: value for key, value in reply.items() if value is not None}

        monkeypatch.setattr(house.portal.oauth.devices, "start", changed)

    return install


@pytest.fixture
def change_grant(house, monkeypatch):
    """Change the portal's tokens; None takes a member away."""

    def install(**changes):
        grant = house.portal.oauth._grant

        def changed(call):
            reply = {**grant(call), **changes}
            return {key: value for key, value in reply.items() if value is not None}

        monkeypatch.setattr(house.portal.oauth, "_grant", changed)

    return install


# A login


def test_a_login_shows_a_code_and_saves_what_was_approved(house, device):
    assert device.login() == {"inference:invoke", "billing:manage"}
    (code,) = device.codes
    assert code.verification_uri == f"{house.url}/device"
    assert code.verification_uri_complete == f"{house.url}/device?user_code={code.user_code}"
    assert code.expires_in == 600
    assert device.scope() == FULL
    assert (house.document()["active_portal"], house.document()["version"]) == (house.url, 1)
    assert state_status(house.portal, house.entry()["access_token"]) == 200
    assert device.source.resolve().access_token == house.entry()["access_token"]
    (request,) = asked(house.portal, "oauth_token")
    assert parse_qs(request.body.decode())["client_id"] == ["hermes-cli"]
    assert "authorization" not in request.headers


def test_a_login_that_is_downscoped_says_so_and_is_no_error(house, device):
    device.decide = lambda code: house.portal.approve_device(code, allow_spending=False)
    assert device.login() == {"inference:invoke"}
    assert house.entry()["scope"] == "inference:invoke"


def test_a_second_login_takes_the_place_of_the_first(house, device):
    device.login()
    first = house.entry()
    device.again()
    device.login()
    second = house.entry()
    assert first["access_token"] != second["access_token"] == device.source.resolve().access_token
    assert first["login_id"] != second["login_id"]


def test_the_scope_that_is_asked_for_is_the_callers_choice(device):
    assert device.login(scope="inference:invoke") == {"inference:invoke"}
    assert device.scope() == "inference:invoke"


def test_a_login_goes_to_the_environments_portal_and_not_to_that_of_the_file(house, monkeypatch):
    house.write({}, active_portal="https://portal.nousresearch.com")
    monkeypatch.setenv("NOUS_PORTAL_BASE_URL", house.url)
    source = house.source()
    source.login(lambda code: house.portal.approve_device(code.user_code))
    assert house.document()["active_portal"] == house.url


@pytest.mark.parametrize("before", ["nobody", "a login"])
def test_a_portal_that_gives_no_code_for_a_while_is_left_alone_by_all_programs(house, before):
    login = house.put() if before == "a login" else None
    house.portal.inject(Fault.reply(429, {"error": "rate_limited"}, {"retry-after": "60"}), "oauth_device_code")
    sources = [house.source(portal_base_url=house.url) for _ in range(2)]

    def log_in(source):
        return source.login(lambda code: house.portal.approve_device(code.user_code))

    for passed, source, left in ((0, sources[0], 60), (1, sources[0], 59), (58, sources[1], 1)):
        house.portal.clock.advance(passed)
        with pytest.raises(BillingNetworkError, match=rf"HTTP 429\). Try again in {left} s") as caught:
            log_in(source)
        assert (caught.value.retry_after, source.is_logged_in) == (left, login is not None)
    assert len(asked(house.portal, "oauth_device_code")) == 1
    if login is not None:
        assert sources[1].resolve().access_token == login.access_token
    house.portal.clock.advance(1)
    assert log_in(sources[1])
    assert "failed_login" not in house.entry()
    assert log_in(sources[0])


@pytest.mark.parametrize("fault", [Fault.reply(503, {}), Fault.drop()])
def test_a_portal_that_gives_no_code_and_no_reason_to_wait_is_asked_again(house, fault):
    house.portal.inject(fault, "oauth_device_code")
    source = house.source(portal_base_url=house.url)
    with pytest.raises(BillingNetworkError):
        source.login(print)
    assert not house.path.exists()
    assert source.login(lambda code: house.portal.approve_device(code.user_code))


# How fast it polls


def test_polling_begins_after_the_interval_and_is_never_faster(device):
    device.decide_at = 23
    device.login()
    assert device.gaps() == [5, 5, 5, 5, 5]


@pytest.mark.parametrize(
    ("interval", "gap"), [(7, 7), (1, 1), (0.01, 1), (None, 5), ("x", 5), (0, 5), (-3, 5), (True, 5), (2.5, 2.5)]
)
def test_the_interval_is_the_portals_or_five_seconds(sync_device, change_code, interval, gap):
    change_code(interval=interval)
    sync_device.login()
    assert sync_device.gaps() == [gap]


SLOWER = {
    "slow_down": Fault.reply(400, {"error": "slow_down"}),
    "429 slow_down": Fault.reply(429, {"error": "slow_down"}),
    "429 with another code": Fault.reply(429, {"error": "rate_limited"}),
    "429 without a body": Fault.reply(429),
    "429 HTML": Fault.html(429),
}


@pytest.mark.parametrize("row", SLOWER)
def test_slow_down_and_429_lengthen_the_interval_for_good(house, device, row):
    house.portal.inject(SLOWER[row], "oauth_token", times=2)
    device.decide_at = 40
    device.login()
    assert device.gaps() == [5, 10, 15, 15]


@pytest.mark.parametrize("row", PASSING)
def test_a_failure_that_passes_does_not_end_a_login(house, device, row):
    house.portal.inject(PASSING[row], "oauth_token", times=3)
    device.login()
    assert device.gaps() == [5, 5, 5, 5]
    assert state_status(house.portal, house.entry()["access_token"]) == 200


def test_a_portal_that_stalls_does_not_end_a_login(house, device, monkeypatch):
    monkeypatch.setattr(oauth, "_REQUEST_SECONDS", 0.1)
    house.portal.inject(Fault.stall(), "oauth_token")
    device.login()
    assert device.gaps() == [5, 5]


# What ends it

ENDS = {
    "access_denied": (400, "access_denied", "refused on the portal"),
    "expired_token": (400, "expired_token", "expired"),
    "invalid_grant": (400, "invalid_grant", "invalid_grant"),
    "an unknown code": (403, "no_such_luck", "no_such_luck"),
}


@pytest.mark.parametrize("row", ENDS)
def test_a_refusal_is_typed_and_nothing_is_saved(house, device, row):
    status, error, sentence = ENDS[row]
    house.put()
    before = house.path.read_bytes()
    house.portal.inject(Fault.reply(status, {"error": error}), "oauth_token")
    with pytest.raises(BillingAuthError, match=sentence) as caught:
        device.login()
    assert caught.value.error == error
    assert len(device.times["oauth_token"]) == 1
    assert house.path.read_bytes() == before


def test_a_person_who_declines_ends_the_login(house, device):
    device.decide = house.portal.deny_device
    device.decide_at = 8
    with pytest.raises(BillingAuthError) as caught:
        device.login()
    assert caught.value.error == "access_denied"
    assert device.gaps() == [5, 5]
    assert not house.path.exists()
    assert not device.source.is_logged_in


def test_a_code_that_nobody_approves_runs_out(house, device):
    device.decide = None
    with pytest.raises(BillingAuthError, match="expired") as caught:
        device.login()
    assert caught.value.error == "expired_token"
    assert 590 <= house.portal.clock.now() - device.times["oauth_device_code"][0] <= 606
    assert min(device.gaps()) == 5
    assert not house.path.exists()


def test_a_code_runs_out_although_the_portal_does_not_answer_any_more(house, sync_device):
    house.portal.inject(Fault.drop(), "oauth_token", times=200)
    with pytest.raises(BillingAuthError) as caught:
        sync_device.login()
    assert caught.value.error == "expired_token"
    assert 590 <= house.portal.clock.now() - sync_device.times["oauth_device_code"][0] <= 606


@pytest.mark.parametrize(("expires_in", "end"), [(12, 12), (None, 600), ("x", 600)])
def test_the_life_of_a_code_is_the_portals_or_ten_minutes(house, sync_device, change_code, expires_in, end):
    change_code(expires_in=expires_in)
    sync_device.decide = None
    with pytest.raises(BillingAuthError):
        sync_device.login()
    assert end <= house.portal.clock.now() - sync_device.times["oauth_device_code"][0] <= end + 5
    assert sync_device.codes[0].expires_in == end


def test_an_interval_longer_than_the_life_of_a_code_does_not_hold_the_login(house, sync_device, change_code):
    change_code(interval=100_000)
    with pytest.raises(BillingAuthError) as caught:
        sync_device.login()
    assert caught.value.error == "expired_token"
    assert house.portal.clock.now() - sync_device.times["oauth_device_code"][0] <= 601


NO_CODE = {
    "503 {}": Fault.reply(503, {}),
    "503 with a code": Fault.unavailable(),
    "500 with a code": Fault.reply(500, {"error": "server_error"}),
    "429": Fault.reply(429, {"error": "rate_limited"}, {"retry-after": "60"}),
    "HTML 200": Fault.html(200),
    "HTML 404": Fault.html(404),
    "drop": Fault.drop(),
    "garbage": Fault.raw(b"garbage\r\n\r\n"),
    "200 {}": Fault.reply(200, {}),
    "200 []": Fault.reply(200, []),
    "truncated JSON": Fault.reply(200, b'{"device_code": "x'),
    "400 with a list": Fault.reply(400, {"error": ["x"]}),
    "a redirect": Fault.reply(302, headers={"location": "/elsewhere"}),
}


@pytest.mark.parametrize("row", NO_CODE)
def test_a_portal_that_gives_no_code_is_a_network_error(house, device, row):
    house.portal.inject(NO_CODE[row], "oauth_device_code")
    with pytest.raises(BillingNetworkError) as caught:
        device.login()
    assert caught.value.error == "network_error"
    assert (device.codes, device.times["oauth_token"]) == ([], [])


def test_a_portal_that_stalls_before_it_gives_a_code_is_a_timeout(house, device, monkeypatch):
    monkeypatch.setattr(oauth, "_REQUEST_SECONDS", 0.1)
    house.portal.inject(Fault.stall(), "oauth_device_code")
    with pytest.raises(BillingTimeout):
        device.login()


def test_a_portal_that_does_not_know_the_client_refuses_the_login(house):
    with pytest.raises(BillingAuthError) as caught:
        house.source(portal_base_url=house.url, client_id="other").login(lambda code: None)
    assert caught.value.error == "invalid_client"


@pytest.mark.parametrize("client_id", ["\ud800", "a\0", "a\nb", "\u00e9", ""])
def test_a_client_id_that_no_form_can_carry_is_refused_at_once(house, client_id):
    with pytest.raises(BillingInvalidRequest, match=r"client_id cannot be used\. Give one of visible ASCII") as caught:
        house.source(client_id=client_id)
    assert caught.value.error == "invalid_client_id"


MALFORMED = [
    *({name: value} for name in ("device_code", "user_code", "verification_uri") for value in (None, "", 5, ["x"])),
    *(
        {"verification_uri": link}
        for link in ("javascript:alert(1)", "data:text/html,x", "//portal.example/device", "file:///etc/passwd")
    ),
    {"verification_uri": "https://user:secret@portal.example/device"},
]


@pytest.mark.parametrize("changes", MALFORMED, ids=str)
def test_a_malformed_code_is_never_shown(sync_device, change_code, changes):
    change_code(**changes)
    with pytest.raises(BillingNetworkError, match="incomplete"):
        sync_device.login()
    assert (sync_device.codes, sync_device.times["oauth_token"]) == ([], [])


@pytest.mark.parametrize("link", [None, "javascript:alert(1)", 5])
def test_a_link_with_the_code_in_it_is_left_out_where_it_is_not_safe(sync_device, change_code, link):
    change_code(verification_uri_complete=link)
    sync_device.login()
    assert sync_device.codes[0].verification_uri_complete is None


def test_a_relative_link_is_resolved_against_the_portal(house, sync_device, change_code):
    change_code(verification_uri="/activate")
    sync_device.login()
    assert sync_device.codes[0].verification_uri == f"{house.url}/activate"


# Cancelling


def test_a_login_that_was_cancelled_before_it_began_never_polls(house, device):
    with pytest.raises(BillingAuthError) as caught:
        device.login(cancelled=lambda: True)
    assert caught.value.error == "login_cancelled"
    assert device.times["oauth_token"] == []
    assert not house.path.exists()


def test_a_login_that_is_cancelled_while_it_waits_ends_within_a_quarter_of_a_second(house, device):
    device.decide = None
    stop_at = house.portal.clock.now() + 12
    with pytest.raises(BillingAuthError) as caught:
        device.login(cancelled=lambda: house.portal.clock.now() >= stop_at)
    assert caught.value.error == "login_cancelled"
    assert house.portal.clock.now() - stop_at <= 0.25
    assert device.gaps() == [5, 5]


def test_a_login_that_may_be_cancelled_and_is_not_polls_no_faster(device):
    device.decide_at = 12
    device.login(cancelled=lambda: False)
    assert device.gaps() == [5, 5, 5]


def test_an_on_code_that_raises_ends_the_login_with_its_own_error(house, device):
    def fail(code):
        raise LookupError("no screen")

    device.show = fail
    with pytest.raises(LookupError, match="no screen"):
        device.login()
    assert device.times["oauth_token"] == []
    assert not house.path.exists()


class SlowClock(PortalClock):
    """A clock on which a task gets a word in: each nap takes a moment."""

    def sleep(self, seconds):
        time.sleep(0.002)
        super().sleep(seconds)


@pytest.mark.parametrize("method", ["alogin", "astep_up"])
def test_on_code_runs_in_the_threads_of_the_event_loop_which_stays_free(house, method):
    house.put(scope="inference:invoke")
    where = []
    ticks = []

    async def run():
        async def tick():
            while True:
                ticks.append(1)
                await asyncio.sleep(0.002)

        def show(code):
            where.append((threading.get_ident(), asyncio.get_running_loop()))
            house.portal.approve_device(code.user_code)

        ticking = asyncio.create_task(tick())
        source = house.source(clock=SlowClock(house.portal), portal_base_url=house.url)
        await getattr(source, method)(show)
        ticking.cancel()
        assert where == [(threading.get_ident(), asyncio.get_running_loop())]

    asyncio.run(run())
    assert len(ticks) > 5


@pytest.mark.parametrize("method", ["alogin", "astep_up"])
def test_cancelling_the_task_ends_the_polling_and_saves_nothing(house, method):
    house.put(scope="inference:invoke")
    before = house.path.read_bytes()
    codes = []

    async def run():
        source = house.source(clock=SlowClock(house.portal), portal_base_url=house.url)
        task = asyncio.create_task(getattr(source, method)(codes.append))
        while len(asked(house.portal, "oauth_token")) < 2:
            assert not task.done()
            await asyncio.sleep(0.002)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.05)
        polls = len(asked(house.portal, "oauth_token"))
        house.portal.approve_device(codes[0].user_code)
        await asyncio.sleep(0.05)
        assert len(asked(house.portal, "oauth_token")) == polls

    asyncio.run(run())
    assert house.path.read_bytes() == before


# Step-up


def test_step_up_asks_for_the_scopes_held_and_for_billing(house, device):
    house.put(scope="inference:invoke other:thing")
    assert device.step_up() is True
    assert sorted(device.scope().split()) == ["billing:manage", "inference:invoke", "other:thing"]
    assert set(house.entry()["scope"].split()) == {"billing:manage", "inference:invoke", "other:thing"}


def test_step_up_asks_for_the_scopes_that_the_login_names_whatever_its_token_is(house, sync_device):
    house.put(scope="inference:invoke")
    house.write({house.url: {**house.entry(), "access_token": "opaque", "scope": "inference:invoke other:thing"}})
    sync_device.step_up()
    assert sync_device.scope() == "billing:manage inference:invoke other:thing"


@pytest.mark.parametrize("scope", ["\ud800", "inference:invoke \x1b[31m", "a\tb", 'a"b', "", " ", 5])
def test_a_scope_that_no_form_can_carry_is_refused_before_anything_is_sent(house, sync_device, scope):
    with pytest.raises(BillingInvalidRequest, match=r"visible ASCII|must be a string of scopes, not int") as caught:
        sync_device.login(scope=scope)
    assert (caught.value.error, house.portal.requests) == ("invalid_scope", [])


def test_a_step_up_leaves_out_what_is_no_scope(house, sync_device):
    house.put(scope="inference:invoke")
    house.write({house.url: {**house.entry(), "scope": "inference:invoke \ud800 \x1b]0;x\x07"}})
    assert sync_device.source.scopes == {"inference:invoke"}
    assert sync_device.step_up() is True
    assert sync_device.scope() == "billing:manage inference:invoke"


def test_step_up_that_is_downscoped_in_silence_says_that_it_was_not_granted(house, device):
    house.put(scope="inference:invoke")
    device.decide = lambda code: house.portal.approve_device(code, allow_spending=False)
    assert device.step_up() is False
    assert house.entry()["scope"] == "inference:invoke"


def test_step_up_of_who_is_no_admin_says_that_it_was_not_granted(house, device):
    member = house.portal.add_person("Mem", house.portal.organisation, "MEMBER")
    house.put(scope="inference:invoke")
    device.decide = lambda code: house.portal.approve_device(code, member)
    assert device.step_up() is False


@pytest.mark.parametrize("granted", [True, False])
@pytest.mark.parametrize("scope", [None, 5, ["billing:manage"]])
def test_where_the_reply_has_no_scope_the_tokens_own_claim_decides(house, device, change_grant, granted, scope):
    house.put(scope="inference:invoke")
    change_grant(scope=scope)
    device.decide = lambda code: house.portal.approve_device(code, allow_spending=granted)
    assert device.step_up() is granted


def test_the_scope_of_the_reply_outranks_the_tokens_claim(house, sync_device, change_grant):
    house.put(scope="inference:invoke")
    change_grant(scope="inference:invoke")
    assert sync_device.step_up() is False


@pytest.mark.parametrize(
    ("claim", "granted"), [(["billing:manage"], True), ("billing:manage", True), (["x"], False), (None, False)]
)
def test_a_claim_may_be_a_list_or_a_text(house, sync_device, change_grant, claim, granted):
    house.put(scope="inference:invoke")
    change_grant(scope=None, access_token=jwt(scope=claim))
    assert sync_device.step_up() is granted


def test_a_login_whose_reply_has_no_scope_does_not_inherit_that_of_the_login_before(house, sync_device, change_grant):
    house.put(scope=FULL)
    change_grant(scope=None)
    sync_device.decide = lambda code: house.portal.approve_device(code, allow_spending=False)
    assert sync_device.login() == {"inference:invoke"}
    assert "billing:manage" not in (house.entry().get("scope") or "")


@pytest.mark.parametrize("entry", [{"scope": None}, {"scope": None, "access_token": "opaque"}])
def test_step_up_of_a_login_that_names_no_scope_asks_for_the_claim_or_the_login_scope(house, sync_device, entry):
    house.put(scope="inference:invoke")
    house.write({house.url: {**house.entry(), **entry}})
    assert sync_device.step_up() is True
    assert sync_device.scope() == "billing:manage inference:invoke"


def test_step_up_of_nobody_is_not_logged_in(house, device):
    with pytest.raises(BillingAuthError) as caught:
        device.step_up()
    assert str(caught.value) == "Not logged in to the Nous Portal. Log in first."
    assert (caught.value.status, caught.value.error) == (401, "invalid_token")
    assert house.portal.requests == []


def test_a_step_up_that_is_denied_leaves_the_login_as_it_was(house, device):
    house.put(scope="inference:invoke")
    before = house.path.read_bytes()
    device.decide = house.portal.deny_device
    with pytest.raises(BillingAuthError):
        device.step_up()
    assert house.path.read_bytes() == before


def test_a_step_up_can_be_cancelled(house, device):
    house.put(scope="inference:invoke")
    before = house.path.read_bytes()
    with pytest.raises(BillingAuthError) as caught:
        device.step_up(cancelled=lambda: True)
    assert caught.value.error == "login_cancelled"
    assert house.path.read_bytes() == before


def test_a_step_up_beside_a_refresh_is_not_lost(house, sync_device):
    """The refresh of the older login answers late: after the person approved, and before the new login is saved."""
    login = house.put(left=0, scope="inference:invoke")
    house.portal.inject(Fault.drip(0.001, acts=True), "oauth_token")
    refreshing = threading.Thread(target=sync_device.source.resolve)
    refreshing.start()
    until(house.refreshes)
    granted = sync_device.step_up()
    refreshing.join()
    assert granted is True
    assert house.refreshes() == [login.refresh_token]
    assert "billing:manage" in house.entry()["scope"]
    assert sync_device.source.resolve().access_token == house.entry()["access_token"]


# What a charge makes of it


def test_the_next_call_after_a_step_up_uses_the_new_token(house, device):
    house.put(scope="inference:invoke")

    def bearer():
        return house.portal.requests[-1].headers["authorization"].removeprefix("Bearer ")

    if device.kind == "sync":
        with BillingClient(device.source) as client:
            with pytest.raises(BillingScopeRequired):
                client.post_charge(amount_usd=20, idempotency_key="k")
            assert device.step_up()
            accepted = client.post_charge(amount_usd=20, idempotency_key="k")
            assert bearer() == house.entry()["access_token"]
    else:

        async def run():
            async with AsyncBillingClient(device.source) as client:
                with pytest.raises(BillingScopeRequired):
                    await client.post_charge(amount_usd=20, idempotency_key="k")
                assert await device.source.astep_up(device.show)
                accepted = await client.post_charge(amount_usd=20, idempotency_key="k")
                assert bearer() == house.entry()["access_token"]
                return accepted

        accepted = asyncio.run(run())
    assert [charge.id for charge in house.portal.organisation.charges] == [accepted.charge_id]


def test_a_client_of_another_source_of_the_same_file_uses_the_new_token_too(house, sync_device):
    house.put(scope="inference:invoke")
    with BillingClient(house.source()) as client:
        client.get_billing_state()
        sync_device.step_up()
        client.post_charge(amount_usd=20, idempotency_key="k")
    assert len(house.portal.organisation.charges) == 1
