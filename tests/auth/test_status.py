"""What a stored login says of itself, and how long it may be renewed."""

import logging
from datetime import datetime, timedelta

import pytest

from nous_billing.auth import grant
from tests.auth.support import FULL, from_iso, iso

MONTH = 30 * 86400


def test_a_login_says_what_it_may_do_and_until_when(house):
    source = house.source(portal_base_url=house.url)
    assert (source.scopes, source.expires_at, source.grant_expires_at) == (frozenset(), None, None)
    now = house.clock.time()
    source.login(lambda code: house.portal.approve_device(code.user_code))
    approved = house.clock.time()
    assert approved > now
    assert (source.portal_base_url, source.scopes) == (house.url, set(FULL.split()))
    assert source.expires_at == datetime.fromisoformat(iso(approved + 900))
    assert source.grant_expires_at == datetime.fromisoformat(iso(approved + MONTH))
    assert source.grant_expires_at.utcoffset() == timedelta(0)
    source.logout()
    assert (source.scopes, source.expires_at, source.grant_expires_at) == (frozenset(), None, None)


@pytest.mark.parametrize("others", [False, True])
def test_a_logout_without_a_login_writes_nothing(house, others):
    if others:
        house.write({"https://portal.example": {"access_token": "theirs"}})
    folder = house.path.parent
    before = {each: each.stat().st_mtime_ns for each in folder.glob("*")}
    house.source(portal_base_url=house.url).logout()
    assert {each: each.stat().st_mtime_ns for each in folder.glob("*")} == before
    assert folder.exists() is others


def test_an_end_that_no_date_in_utc_holds_is_not_known(house):
    house.put(grant_expires_at="9999-12-31T23:59:59-12:00", expires_at="9999-12-31T23:59:59-12:00")
    source = house.source()
    assert (source.expires_at, source.grant_expires_at) == (None, None)
    assert source.resolve().access_token == house.entry()["access_token"]


def test_a_renewal_does_not_move_the_end_of_a_login_and_a_step_up_does(house):
    source = house.source(portal_base_url=house.url)
    source.login(lambda code: house.portal.approve_device(code.user_code), scope="inference:invoke")
    end = house.entry()["grant_expires_at"]
    house.portal.clock.advance(900)
    source.resolve()
    assert len(house.refreshes()) == 1
    assert house.entry()["grant_expires_at"] == end
    source.step_up(lambda code: house.portal.approve_device(code.user_code))
    assert from_iso(house.entry()["grant_expires_at"]) == house.clock.time() + MONTH


@pytest.mark.parametrize("left", [900, 0])
def test_who_asks_for_a_token_is_warned_of_the_end_of_the_login(house, caplog, monkeypatch, left):
    monkeypatch.setattr(grant, "_warned_at", {})
    house.put(left=left, grant_expires_at=iso(house.clock.time() + 4 * 86400))
    for _ in range(2):
        house.source().resolve()
    (record,) = [record for record in caplog.records if record.name == "nous_billing"]
    assert record.levelno == logging.WARNING
    assert str(house.path) in record.getMessage()
    assert not any(str(value) in record.getMessage() for key, value in house.entry().items() if key.endswith("_token"))
