"""When a login ends for good, and who is told."""

import logging
from pathlib import Path

import pytest

from nous_billing.auth import grant
from nous_billing.auth.grant import grant_end, warn_of_grant_end
from nous_billing.auth.tokens import iso_from_seconds
from tests.unit.drive import NOW

DAY = 86400.0
PATH = Path("/home/ada/login.json")
URL = "https://portal.example"


@pytest.fixture
def warnings(caplog, monkeypatch):
    """Returns what is logged about a login with so many seconds left, and forgets it."""
    monkeypatch.setattr(grant, "_warned_at", {})
    caplog.set_level(logging.DEBUG)

    def warn(left, *, now=NOW, path=PATH, url=URL, **login):
        login = {"grant_expires_at": iso_from_seconds(now + left), "access_token": "secret"} | login
        warn_of_grant_end(login, path, url, now)
        told = [(record.name, record.levelname, record.getMessage()) for record in caplog.records]
        caplog.clear()
        return told

    return warn


def test_a_login_ends_thirty_days_after_it_was_approved():
    assert grant_end(NOW) == "2025-07-15T15:06:40+00:00"


def test_the_warning_names_the_login_and_its_end_and_no_token(warnings):
    assert warnings(2 * DAY) == [
        (
            "nous_billing",
            "WARNING",
            "The login to https://portal.example in /home/ada/login.json ends at 2025-06-17T15:06:40+00:00, 30 days "
            "after it was approved. Log in again before then.",
        )
    ]


@pytest.mark.parametrize(
    ("left", "is_told"), [(5 * DAY + 1, False), (5 * DAY, True), (1, True), (0, False), (-1, False)]
)
def test_the_end_is_told_for_its_last_five_days(warnings, left, is_told):
    assert bool(warnings(left)) is is_told


@pytest.mark.parametrize("end", [None, "soon", 5])
def test_a_login_whose_end_is_not_known_is_not_warned_of(warnings, end):
    assert warnings(1, grant_expires_at=end) == []


def test_a_process_is_told_once_a_day_for_each_login(warnings):
    assert warnings(4 * DAY)
    assert warnings(4 * DAY, now=NOW + DAY - 1) == []
    assert warnings(4 * DAY, path=Path("/other"))
    assert warnings(4 * DAY, url="https://other.example")
    assert warnings(3 * DAY, now=NOW + DAY)
    assert warnings(3 * DAY, now=NOW + 1.5 * DAY) == []
    # A clock that was set back keeps nobody from being told.
    assert warnings(3 * DAY, now=NOW)


def test_a_log_that_fails_does_not_make_a_login_fail(warnings, monkeypatch):
    def failing(record):
        raise TypeError

    monkeypatch.setattr(logging.getLogger("nous_billing"), "filters", [failing])
    assert warnings(2 * DAY) == []
