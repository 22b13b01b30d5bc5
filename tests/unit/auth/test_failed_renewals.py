"""What is remembered of failed renewals, and for how long."""

import json
import os

import pytest

from nous_billing._secrets import Secret, reveal
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


class Process:
    """What a process remembers, and what it reads of the others."""

    def __init__(self, path, clock):
        self.file = LoginFile(path)
        self.failed = FailedRenewals(self.file, clock)

    def check(self, url=URL, token=TOKEN):
        return self.failed.check(url, self.file.read()["portals"][url], token)

    def fail(self, *, token=TOKEN, url=URL, failures=0, pause=30, status=503, write=None):
        error = BillingNetworkError("x", retry_after=pause, status=status, error="network_error")
        self.failed.add(url, token, failures, error, write or self.file.write)

    def early(self, **arguments):
        with pytest.raises(BillingNetworkError) as caught:
            self.check(**arguments)
        return caught.value


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "login.json"
    entry = {"access_token": "at", "refresh_token": TOKEN.reveal()}
    path.write_text(json.dumps({"version": 1, "portals": {URL: entry, OTHER: entry}}))
    return path


@pytest.fixture
def process(clock, path):
    """Makes what another process would remember."""
    return lambda: Process(path, clock)


def noted(path, url=URL):
    return json.loads(path.read_bytes())["portals"][url].get("failed_renewal")


@pytest.mark.parametrize(("status", "reason"), [(503, "HTTP 503"), (None, "no answer")])
@pytest.mark.parametrize("which", ["the same", "another"])
def test_until_the_pause_is_over_each_process_is_told_how_long_it_is(clock, process, status, reason, which):
    mine = process()
    mine.fail(status=status, failures=4)
    asked = mine if which == "the same" else process()
    for passed, left in ((0, 30), (0.5, 30), (29, 1), (29.5, 1)):
        clock.passed = passed
        error = asked.early()
        assert (error.status, error.error, error.retry_after) == (status, "network_error", left)
        assert str(error) == (f"The login could not be renewed a short while ago ({reason}). Try again in {left} s.")
    clock.passed = 30
    assert asked.check() == 5


def test_failures_of_another_login_or_portal_do_not_count(process, path):
    mine = process()
    mine.fail()
    for asked in (mine, process()):
        assert asked.check(token=Secret("rt_other")) == asked.check(url=OTHER) == 0
    mine.fail(url=OTHER)
    for url in (URL, OTHER):
        process().early(url=url)
    mine.fail(token=Secret("rt_other"), url=OTHER, pause=99)
    assert noted(path, OTHER)["pause"] == 30


def test_what_is_noted_has_no_secret(process, path):
    process().fail()
    entry = noted(path)
    assert len(entry.pop("login")) == 16
    assert entry == {"failed_at": "2025-06-15T15:06:40+00:00", "pause": 30, "failures": 1, "status": 503}


def test_where_it_cannot_be_written_the_process_remembers(process, path):
    def full(_):
        raise OSError("full")

    mine = process()
    mine.fail(write=full)
    mine.early()
    assert noted(path) is None
    assert process().check() == 0
    mine.failed.forget(URL)
    assert mine.check() == 0


def test_the_longer_row_of_failures_counts(clock, process):
    first, second = process(), process()
    first.fail(failures=0)
    second.fail(failures=6)
    clock.passed = 30
    assert first.check() == second.check() == 7


@pytest.mark.parametrize(("behind", "is_early"), [(60, True), (60.5, False)])
def test_a_failure_of_the_future_is_that_of_another_clock(clock, process, behind, is_early):
    process().fail()
    clock.jumped = -behind
    if is_early:
        # Never longer than the pause itself.
        assert process().early().retry_after == 30
    else:
        assert process().check() == 1


@pytest.mark.parametrize("skew", [-300, 300])
def test_machines_with_clocks_of_their_own_count_by_that_of_the_file_server(clock, process, path, monkeypatch, skew):
    touch = os.utime
    there = Process(path, clock)
    with there.file.locked(1):
        there.fail()
        # The server's clock and this one agree, and another machine's does not.
        clock.jumped = skew
        monkeypatch.setattr("nous_billing.auth.login_file.time.time", lambda: os.stat(path).st_mtime + skew)
        monkeypatch.setattr(os, "utime", lambda lock: touch(lock, (0, os.stat(path).st_mtime)))
        assert process().early().retry_after == 30
        process().fail()
        assert abs(NOW - process().failed._now()) < 0.001


@pytest.mark.parametrize(
    "entry",
    [
        None,
        "text",
        {},
        *(
            {**ENTRY, key: value}
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
    ],
)
def test_an_entry_that_says_nothing_stops_nobody(process, path, entry):
    write(path, entry)
    assert process().check() == 0
    process().fail()
    process().early()


@pytest.mark.parametrize(("key", "value"), [("pause", 3600), ("pause", 1), ("failures", 1), ("status", None)])
def test_each_entry_that_could_be_ours_counts(process, path, key, value):
    process().fail()
    entry = {**noted(path), key: value}
    write(path, entry)
    assert process().early().retry_after == entry["pause"]


def write(path, entry):
    document = json.loads(path.read_bytes())
    document["portals"][URL]["failed_renewal"] = entry
    path.write_text(json.dumps(document))


def test_a_refresh_token_that_is_no_text_has_a_digest_too(process):
    mine = process()
    mine.fail(token=Secret("\ud800"))
    mine.early(token=Secret("\ud800"))


def test_nothing_is_left_beside_the_file(process, path):
    process().fail()
    assert [entry.name for entry in path.parent.iterdir()] == ["login.json"]
    assert reveal(process().file.read()["portals"][URL]["refresh_token"]) == "rt_secret"
