"""A reply that was lost may have been the new pair: the spent token is replayed inside the grace of the portal."""

import pytest

from nous_billing import BillingAuthError, BillingNetworkError
from nous_billing.auth import oauth
from nous_billing.mock import Fault

from .support import state_status

LOST = {
    "drop": Fault.drop(acts=True),
    "HTML 502": Fault.html(502, acts=True),
    "HTML 200": Fault.html(200, acts=True),
    "500": Fault.reply(500, acts=True),
    "504": Fault.reply(504, acts=True),
    "no tokens": Fault.reply(200, {}, acts=True),
    "garbage": Fault.raw(b"garbage\r\n\r\n", acts=True),
    "cut body": Fault.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{", acts=True),
}


@pytest.fixture(autouse=True)
def replays(monkeypatch, _one_request_a_refresh):
    monkeypatch.setattr(oauth, "_PAUSES_BEFORE_REPLAY", (1.0, 2.0))


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_a_lost_reply_costs_no_login(house, fault, times):
    login = house.put(left=0)
    house.portal.inject(fault, "oauth_token", times=times)
    token = house.source().resolve().access_token
    assert house.refreshes() == [login.refresh_token] * (times + 1)
    assert house.entry()["access_token"] == token
    house.portal.clock.advance(300)
    assert state_status(house.portal, token) == 200


def test_replays_end_well_inside_the_grace(house):
    house.put(left=0)
    house.portal.inject(Fault.drop(acts=True), "oauth_token", times=9)
    before = house.clock.monotonic()
    with pytest.raises(BillingNetworkError):
        house.source().resolve()
    assert len(house.refreshes()) == 3
    assert house.clock.monotonic() - before == 3
    assert 3 * oauth._REQUEST_SECONDS + 3 < 60


@pytest.mark.parametrize(
    "fault", [Fault.reply(503, {}), Fault.reply(429, {"error": "rate_limited"}), Fault.reply(400, {"error": "odd"})]
)
def test_what_surely_spent_nothing_is_not_replayed(house, fault):
    house.put(left=0)
    house.portal.inject(fault, "oauth_token")
    with pytest.raises(BillingNetworkError):
        house.source().resolve()
    assert len(house.refreshes()) == 1


def test_a_retry_after_is_honoured_by_all_who_share_the_login_and_costs_no_login(house):
    house.put(left=0)
    house.portal.inject(Fault.reply(502, {}, {"retry-after": "300"}), "oauth_token")
    for _ in range(3):
        with pytest.raises(BillingNetworkError):
            house.source().resolve()
    assert len(house.refreshes()) == 1
    house.portal.clock.advance(300)
    assert state_status(house.portal, house.source().resolve().access_token) == 200


def test_a_final_error_is_not_replayed(house):
    house.put(left=0)
    house.portal.inject(Fault.reply(400, {"error": "invalid_grant"}), "oauth_token")
    with pytest.raises(BillingAuthError):
        house.source().resolve()
    assert len(house.refreshes()) == 1


@pytest.mark.parametrize(
    ("status", "body"), [(503, {"error_description": "connection reuse failed"}), (502, {"error": "invalid_token"})]
)
def test_a_failing_server_ends_no_login_whatever_it_says(house, status, body):
    login = house.put(left=0)
    house.portal.inject(Fault.reply(status, body), "oauth_token", times=3)
    with pytest.raises(BillingNetworkError):
        house.source().resolve()
    assert house.entry()["refresh_token"] == login.refresh_token
