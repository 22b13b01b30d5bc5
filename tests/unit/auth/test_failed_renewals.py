"""What is remembered of failed renewals, and for how long."""

import json
import stat
from pathlib import Path

import pytest

from nous_billing._files.replacing import temporary_of
from nous_billing._secrets import Secret
from nous_billing.auth.failed_renewals import FailedRenewals
from nous_billing.auth.login_file import LoginFile
from nous_billing.errors import BillingNetworkError
from tests.unit.drive import NOW

URL = "https://portal.example"
OTHER = "https://other.example"
TOKEN = Secret("rt_secret")
ENTRY = {
    "login": "4d5f1e7d6b1f0b1c",
    "failed_at": "2025-06-15T15:06:40+00:00",
    "pause": 30,
    "failures": 2,
    "status": 503,
}


@pytest.fixture
def remembered(clock, tmp_path):
    """Makes what another process would remember."""
    return lambda: FailedRenewals(LoginFile(tmp_path / "login.json"), clock)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "login.json.failed"


def fail(remembered, *, token=TOKEN, url=URL, failures=0, pause=30, status=503):
    error = BillingNetworkError("x", retry_after=pause, status=status, error="network_error")
    remembered.add(url, token, failures, error)


@pytest.mark.parametrize(("status", "reason"), [(503, "HTTP 503"), (None, "no answer")])
@pytest.mark.parametrize("process", ["the same", "another"])
def test_until_the_pause_is_over_each_process_is_told_how_long_it_is(clock, remembered, status, reason, process):
    mine = remembered()
    fail(mine, status=status, failures=4)
    asked = mine if process == "the same" else remembered()
    for passed, left in ((0, 30), (0.5, 30), (29, 1), (29.5, 1)):
        clock.passed = passed
        with pytest.raises(BillingNetworkError) as caught:
            asked.check(URL, TOKEN)
        error = caught.value
        assert (error.status, error.error, error.retry_after) == (status, "network_error", left)
        assert str(error) == (f"The login could not be renewed a short while ago ({reason}). Try again in {left} s.")
    clock.passed = 30
    assert asked.check(URL, TOKEN) == 5


def test_failures_of_another_login_or_portal_do_not_count(remembered):
    mine = remembered()
    fail(mine)
    for asked in (mine, remembered()):
        assert asked.check(URL, Secret("rt_other")) == asked.check(OTHER, TOKEN) == 0
    fail(mine, url=OTHER)
    for url in (URL, OTHER):
        with pytest.raises(BillingNetworkError):
            remembered().check(url, TOKEN)


def test_what_is_forgotten_is_forgotten_for_all(clock, remembered, path):
    mine = remembered()
    fail(mine)
    fail(mine, url=OTHER)
    mine.forget(URL)
    assert mine.check(URL, TOKEN) == remembered().check(URL, TOKEN) == 0
    assert set(json.loads(path.read_bytes())) == {OTHER}
    mine.forget(OTHER)
    assert not path.exists()
    mine.forget(OTHER)


def test_the_file_is_the_owners_and_has_no_secret(remembered, path):
    fail(remembered())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    entry = json.loads(path.read_bytes())[URL]
    assert len(entry.pop("login")) == 16
    assert entry == {"failed_at": "2025-06-15T15:06:40+00:00", "pause": 30, "failures": 1, "status": 503}
    assert "rt_secret" not in path.read_text()


def test_where_the_file_cannot_be_written_the_process_remembers(remembered, path, monkeypatch):
    def full(*_):
        raise OSError("full")

    mine = remembered()
    fail(mine, pause=60)
    monkeypatch.setattr(Path, "replace", full)
    fail(mine, failures=1)
    with pytest.raises(BillingNetworkError):
        mine.check(URL, TOKEN)
    assert json.loads(path.read_bytes())[URL]["failures"] == 1


def test_the_longer_row_of_failures_counts(clock, remembered):
    first, second = remembered(), remembered()
    fail(first, failures=0)
    fail(second, failures=6)
    clock.passed = 30
    assert first.check(URL, TOKEN) == second.check(URL, TOKEN) == 7


@pytest.mark.parametrize(("behind", "is_early"), [(60, True), (60.5, False)])
def test_a_failure_of_the_future_is_that_of_another_clock(clock, remembered, behind, is_early):
    fail(remembered())
    clock.jumped = -behind
    if is_early:
        with pytest.raises(BillingNetworkError) as caught:
            remembered().check(URL, TOKEN)
        # Never longer than the pause itself.
        assert caught.value.retry_after == 30
    else:
        assert remembered().check(URL, TOKEN) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff",
        b"[" * 100_000,
        *(
            json.dumps({URL: {**ENTRY, key: value}}).encode()
            for key, value in [
                ("login", 5),
                ("failed_at", "soon"),
                ("failed_at", NOW),
                ("pause", 0),
                ("pause", 3601),
                ("pause", 1e400),
                ("pause", "30"),
                ("failures", 0),
                ("failures", None),
            ]
        ),
        json.dumps({URL: None}).encode(),
        json.dumps({URL: {}}).encode(),
    ],
)
def test_a_file_that_says_nothing_stops_nobody(remembered, path, content):
    path.write_bytes(content)
    assert remembered().check(URL, TOKEN) == 0
    fail(remembered())
    with pytest.raises(BillingNetworkError):
        remembered().check(URL, TOKEN)


@pytest.mark.parametrize(("key", "value"), [("pause", 3600), ("pause", 1), ("failures", 1), ("status", None)])
def test_each_entry_that_could_be_ours_counts(remembered, path, key, value):
    fail(remembered())
    entry = {**json.loads(path.read_bytes())[URL], key: value}
    path.write_text(json.dumps({URL: entry, OTHER: "nonsense"}))
    with pytest.raises(BillingNetworkError) as caught:
        remembered().check(URL, TOKEN)
    assert caught.value.retry_after == entry["pause"]


def test_a_refresh_token_that_is_no_text_has_a_digest_too(remembered):
    mine = remembered()
    fail(mine, token=Secret("\ud800"))
    with pytest.raises(BillingNetworkError):
        mine.check(URL, Secret("\ud800"))


def test_nothing_else_is_left_beside_the_file(remembered, path):
    fail(remembered())
    assert [entry.name for entry in path.parent.iterdir()] == ["login.json.failed"]
    assert temporary_of(path).exists() is False
