"""A renewal that failed is remembered by all that share the login, until the portal may be asked again."""

import pytest

from nous_billing import BillingAuthError, BillingChargeTimeout, BillingClient, BillingNetworkError
from nous_billing.mock import Fault
from tests.auth.support import state_status

BUSY = Fault.reply(429, {"error": "rate_limited"}, {"retry-after": "3600"})


def fail(house, source, fault=BUSY):
    house.portal.inject(fault, "oauth_token")
    with pytest.raises(BillingNetworkError) as caught:
        source.resolve()
    return caught.value


def test_the_token_endpoint_is_left_alone_for_as_long_as_it_asks(house):
    house.put(left=0)
    mine, another = house.source(), house.source()
    error = fail(house, mine)
    assert (error.status, error.retry_after) == (429, 3600)
    assert str(error) == "The login could not be renewed right now (HTTP 429). Try again in 3600 s."
    for passed in (0, 3599):
        house.portal.clock.advance(passed)
        for source in (mine, another):
            with pytest.raises(BillingNetworkError) as caught:
                source.resolve()
            assert (caught.value.status, caught.value.retry_after) == (429, 3600 - passed)
    assert len(house.refreshes()) == 1
    house.portal.clock.advance(1)
    assert state_status(house.portal, another.resolve().access_token) == 200
    assert mine.resolve().access_token == house.entry()["access_token"]
    assert "failed_renewal" not in house.entry()


def test_a_token_that_is_still_valid_is_used_while_a_failure_is_remembered(house):
    login = house.put(left=100)
    house.portal.inject(BUSY, "oauth_token")
    for source in (house.source(), house.source()):
        assert source.resolve().access_token == login.access_token
        with pytest.raises(BillingNetworkError, match="a short while ago"):
            source.resolve(rejected=login.access_token)
    assert len(house.refreshes()) == 1


@pytest.mark.parametrize("fault", [BUSY, Fault.reply(503, {}), Fault.reply(500, {}), Fault.drop(), Fault.html(200)])
def test_who_waits_for_a_charge_for_five_minutes_does_not_hammer_the_token_endpoint(house, fault):
    house.put(left=0)
    house.portal.inject(fault, "oauth_token", times=1000)
    with (
        BillingClient(house.source(), clock=house.clock) as client,
        pytest.raises(BillingChargeTimeout),
    ):
        client.wait_for_charge("ch_1", cap=300)
    # Without `Retry-After` at 0, 5, 20, 65 and 200 s.
    assert len(house.refreshes()) == (1 if fault is BUSY else 5)
    assert "refresh_token" in house.entry()


@pytest.mark.parametrize("how", ["login", "step_up"])
def test_a_new_login_forgets_the_failures_of_the_one_before(house, how):
    house.put(left=0)
    source = house.source(portal_base_url=house.url)
    fail(house, source)
    getattr(source, how)(lambda code: house.portal.approve_device(code.user_code))
    assert "failed_renewal" not in house.entry()
    house.portal.clock.advance(900)
    assert state_status(house.portal, source.resolve().access_token) == 200


def test_a_logout_forgets_the_failures(house):
    house.put(left=0)
    source = house.source()
    fail(house, source)
    source.logout()
    assert house.files() == ["login.json", "login.json.lock"]


def test_a_login_that_the_portal_ends_has_no_failures_left(house):
    house.put(left=0, grant_expires_at="2030-01-01T00:00:00+00:00")
    source = house.source()
    fail(house, source)
    house.portal.clock.advance(3600)
    house.portal.inject(Fault.reply(200, {"error": "invalid_grant"}), "oauth_token")
    with pytest.raises(BillingAuthError, match="has ended"):
        source.resolve()
    assert house.files() == ["login.json", "login.json.lock"]
    assert not {"refresh_token", "grant_expires_at"} & set(house.entry())
    with pytest.raises(BillingAuthError, match="Not logged in"):
        source.resolve()
    assert len(house.refreshes()) == 2


def test_failures_in_a_row_are_counted_by_all(house):
    house.put(left=0)
    pauses = []
    for _ in range(5):
        pauses.append(fail(house, house.source(), Fault.reply(503, {})).retry_after)
        house.portal.clock.advance(pauses[-1])
    assert pauses == [5, 15, 45, 135, 300]
    assert house.entry()["failed_renewal"]["failures"] == 5


def test_a_change_by_another_program_is_no_failure_of_the_portal(house, monkeypatch):
    house.put(left=0)
    newer = house.portal.log_in()
    rotate = house.portal.oauth._rotate

    def changed(text):
        house.write({house.url: house.entry_for(newer, expires_at="2020-01-01T00:00:00+00:00")})
        return rotate("unknown")

    monkeypatch.setattr(house.portal.oauth, "_rotate", changed)
    with pytest.raises(BillingNetworkError, match="Another program has changed"):
        house.source().resolve()
    assert "failed_renewal" not in house.entry()
