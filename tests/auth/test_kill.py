"""`kill -9` while a login is refreshed: the file stays whole, and one window is left, which the grace covers."""

import random

import pytest

from nous_billing import BillingAuthError, BillingNetworkError
from nous_billing.mock import Fault
from tests.auth.killing import Killing, in_milliseconds, kill_in_the_window
from tests.auth.support import state_status

_random = random.Random(20240613)
MOMENTS = [round(_random.uniform(0, 0.03), 4) for _ in range(12)]


@pytest.fixture(scope="module")
def killing(tmp_path_factory):
    killing = Killing(tmp_path_factory.mktemp("killing"))
    yield killing
    killing.close()


@pytest.mark.parametrize("after", MOMENTS)
def test_a_kill_at_any_moment_leaves_a_whole_file_and_a_login_that_lives(killing, after):
    killed = killing.kill(after)
    assert killed.whole
    assert killed.mode == 0o600
    assert set(killed.files) <= {"login.json", "login.json.lock", "login.json.new"}
    assert killed.alive


def test_the_window_between_the_rotation_and_the_new_file_is_short(killing):
    windows = killing.windows(20)
    assert len(windows) == 20
    assert all(0 < seconds < 5 for seconds in windows)
    assert len(in_milliseconds(windows)) == 4


@pytest.fixture
def killed(house):
    login = house.put_expired()
    before = house.path.read_bytes()
    kill_in_the_window(house, house.path)
    assert house.path.read_bytes() == before
    return login


def test_a_kill_in_the_window_is_survived_within_the_grace_by_the_same_pair(house, killed):
    house.portal.clock.advance(59)
    source = house.source()
    token = source.resolve().access_token
    assert house.refreshes() == [killed.refresh_token] * 2
    assert house.portal.oauth._refresh_tokens[killed.refresh_token].successor.access_token == token
    house.portal.clock.advance(900)
    assert state_status(house.portal, source.resolve().access_token) == 200


def test_a_kill_in_the_window_costs_the_login_after_the_grace_and_the_error_says_so(house, killed):
    house.portal.clock.advance(61)
    source = house.source()
    with pytest.raises(BillingAuthError, match="Log in again") as caught:
        source.resolve()
    assert caught.value.error == "refresh_token_reused"
    assert "refresh_token" not in house.entry()
    assert not source.is_logged_in


def test_the_lock_of_a_killed_process_is_free(house, killed):
    assert "login.json.lock" in house.files()
    house.source().resolve()


@pytest.mark.parametrize("fault", [Fault.drop(acts=True), Fault.html(502, acts=True), Fault.reply(200, acts=True)])
def test_a_reply_that_was_lost_is_survived_within_the_grace(house, fault):
    login = house.put(left=0)
    house.portal.inject(fault, "oauth_token")
    source = house.source()
    with pytest.raises(BillingNetworkError):
        source.resolve()
    assert house.entry()["refresh_token"] == login.refresh_token
    house.portal.clock.advance(59)
    assert state_status(house.portal, source.resolve().access_token) == 200
    assert house.entry()["refresh_token"] != login.refresh_token


def test_what_a_killed_process_left_half_written_is_never_read(house):
    house.put(left=0)
    half = house.path.with_name("login.json.new")
    half.write_text('{"portals": {')
    half.chmod(0o644)
    source = house.source()
    token = source.resolve().access_token
    assert house.entry()["access_token"] == token
    assert house.path.stat().st_mode & 0o777 == 0o600
    assert house.files() == ["login.json", "login.json.lock"]
