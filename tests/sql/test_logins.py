"""Logins of many people in a table: machines that share one renew it once, and lose it by nothing."""

import asyncio
import json
import logging
import time
from collections import Counter
from itertools import pairwise

import pytest
from sqlalchemy import Connection, create_engine
from sqlalchemy.dialects import mysql
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.schema import CreateTable

from nous_billing import (
    AsyncBillingClient,
    BillingAuthError,
    BillingError,
    BillingInvalidRequest,
    BillingLoginNotSaved,
    BillingNetworkError,
    StoredLogin,
)
from nous_billing.auth import login_keeper, oauth, sql_logins
from nous_billing.mock import Fault, MockPortal
from nous_billing.sql import LOGINS, SqlLoginStorage
from tests.auth.conftest import RoundClock
from tests.auth.killing import kill_in_the_window
from tests.auth.support import Nursery, SqlHouse, state_status

AT_ONCE = 20


@pytest.fixture(params=["pysqlite", "psycopg"])
def url(request, make_database):
    """The URL of a database without any login."""
    database = make_database(request.param)
    database.execute("DROP TABLE IF EXISTS nous_logins")
    return database.url


@pytest.fixture
def make_house(url, monkeypatch):
    """Make a portal, and a database with the login of one person."""
    monkeypatch.setattr(oauth, "_PAUSES_BEFORE_REPLAY", ())
    made = []

    def make(clock=None):
        portal = MockPortal(clock=clock, settle_after=0)
        portal.start()
        made.append(SqlHouse(portal, url))
        return made[-1]

    yield make
    for house in made:
        house.close()
        house.portal.stop()
        assert house.portal.violations == []


@pytest.fixture
def house(make_house):
    return make_house(RoundClock())


@pytest.fixture
def live(make_house):
    """A portal on real time, as processes of their own have no other."""
    return make_house()


def test_twenty_processes_on_machines_with_clocks_of_their_own_renew_a_login_once(live, tmp_path):
    login = live.put_expired()
    go, results = tmp_path / "go", [tmp_path / f"result-{number}" for number in range(AT_ONCE)]
    with Nursery() as nursery:
        for number, result in enumerate(results):
            nursery.fork("skewed-calls", (-50, 0, 300)[number % 3], live.place, 3, 0.02, go, result)
        go.touch()
        assert [nursery.ended() for _ in results] == [0] * AT_ONCE
    assert sum((Counter(json.loads(result.read_text())) for result in results), Counter()) == {"ok": 3 * AT_ONCE}
    assert live.refreshes() == [login.refresh_token]
    assert state_status(live.portal, live.entry()["access_token"]) == 200


@pytest.mark.parametrize(("passed", "is_alive"), [(59, True), (61, False)])
def test_a_process_that_is_killed_before_it_saves_lets_go_and_the_next_gets_the_same_pair(
    house, passed, is_alive, monkeypatch
):
    login = house.put_expired()
    kill_in_the_window(house, house.place)
    source = house.source()
    monkeypatch.setattr(login_keeper, "_LOCK_SECONDS", 0.2)
    with pytest.raises(BillingNetworkError, match="Another program has held nous_logins of 'ada' for"):
        source.resolve()
    assert len(house.refreshes()) == 1
    left = house.execute(f"SELECT lease_until - {house.now} FROM nous_logins")[0][0]
    assert 0 < left <= 40
    house.execute("UPDATE nous_logins SET lease_until = lease_until - 40")
    house.portal.clock.advance(passed)
    if is_alive:
        token = source.resolve().access_token
        assert house.portal.oauth._refresh_tokens[login.refresh_token].successor.access_token == token
    else:
        with pytest.raises(BillingAuthError, match="Log in again"):
            source.resolve()
        assert not source.is_logged_in
    assert house.refreshes() == [login.refresh_token] * 2


def test_clocks_that_hardly_differ_are_taken_for_the_same(house, monkeypatch):
    assert house.storage().skew() == 0.0
    now = time.time()
    monkeypatch.setattr(sql_logins.time, "time", lambda: now - 60)
    assert house.storage().skew() == pytest.approx(60, abs=5)


@pytest.mark.parametrize("skew", [-4000, -60, 60, 4000])
def test_a_failure_is_remembered_by_the_clock_of_the_database(house, skew, monkeypatch):
    login = house.put_expired()
    here, there = house.source(), house.source(skew=skew)

    def resolve(source, offset):
        # What the machine says of the time is as wrong as the login's clock.
        monkeypatch.setattr(sql_logins.time, "time", lambda: real() + offset)
        try:
            return source.resolve(rejected=login.access_token).access_token
        except BillingNetworkError as error:
            return error.retry_after
        finally:
            monkeypatch.setattr(sql_logins.time, "time", real)

    real = time.time
    house.portal.inject(Fault.reply(429, {}, {"retry-after": "60"}), "oauth_token")
    assert resolve(here, 0) == 60
    for _ in range(3):
        assert 55 <= resolve(there, skew) <= 60
        assert 55 <= resolve(here, 0) <= 60
    assert len(house.refreshes()) == 1
    house.portal.clock.advance(61)
    assert state_status(house.portal, resolve(there, skew)) == 200


def during_the_renewal(house, monkeypatch, act):
    rotate = house.portal.oauth._rotate

    def rotated(text):
        act()
        return rotate(text)

    monkeypatch.setattr(house.portal.oauth, "_rotate", rotated)


def test_who_lost_the_lease_saves_nothing_over_what_another_may_save(house, monkeypatch):
    login = house.put_expired()
    steal = "UPDATE nous_logins SET lease_holder = 'thief'"
    during_the_renewal(house, monkeypatch, lambda: house.execute(steal))
    source = house.source()
    with pytest.raises(BillingLoginNotSaved, match="to nous_logins of 'ada': another machine has taken the lease"):
        source.resolve()
    assert house.entry()["refresh_token"] == login.refresh_token
    house.execute("UPDATE nous_logins SET lease_until = 0")
    # As nobody else has changed it.
    token = source.resolve().access_token
    assert house.entry()["access_token"] == token
    assert len(house.refreshes()) == 1


def test_what_cannot_be_saved_is_kept_in_memory_and_saved_later_and_no_log_has_it(house, monkeypatch, caplog):
    login = house.put_expired()
    during_the_renewal(house, monkeypatch, lambda: house.execute("ALTER TABLE nous_logins RENAME TO away"))
    engine = create_engine(house.database, echo="debug")  # As loud as it can be.
    source = house.source(engine=engine)
    with caplog.at_level(logging.DEBUG), pytest.raises(BillingLoginNotSaved) as caught:
        source.resolve()
    assert str(caught.value).startswith("The login cannot be saved to nous_logins of 'ada': ")
    house.execute("ALTER TABLE away RENAME TO nous_logins")
    # Nobody could let go of it either.
    house.execute("UPDATE nous_logins SET lease_until = 0")
    with caplog.at_level(logging.DEBUG):
        token = source.resolve().access_token
    assert house.refreshes() == [login.refresh_token]
    assert house.entry()["access_token"] == token
    assert "UPDATE nous_logins" in caplog.text
    # Some drivers' values are shown as they are.
    assert "hide_parameters=True" in caplog.text
    assert not engine.hide_parameters
    said = caplog.text + repr(caught.value) + repr(caught.value.__context__) + repr(source) + repr(vars(source))
    for secret in (login.refresh_token, token, house.entry()["refresh_token"]):
        assert str(secret)[:12] not in said
    engine.dispose()


def test_a_database_that_is_down_costs_nothing(house):
    house.put_expired()
    source = house.source()
    house.execute("ALTER TABLE nous_logins RENAME TO away")
    for call in (source.resolve, source.logout, lambda: source.is_logged_in, lambda: source.login(print)):
        with pytest.raises(BillingError, match=r"nous_logins of 'ada': (Operational|Programming)Error") as caught:
            call()
        assert isinstance(caught.value, (BillingNetworkError, BillingLoginNotSaved))
    assert house.portal.requests == []
    house.execute("ALTER TABLE away RENAME TO nous_logins")
    assert state_status(house.portal, source.resolve().access_token) == 200


def test_people_have_logins_of_their_own_that_are_made_stepped_up_and_ended(house):
    ada, bob = house.source(portal_base_url=house.url), house.source("bob", portal_base_url=house.url)
    ada.login(lambda code: house.portal.approve_device(code.user_code))
    assert (ada.is_logged_in, bob.is_logged_in) == (True, False)
    with pytest.raises(BillingAuthError, match="Not logged in"):
        bob.resolve()
    assert ada.step_up(lambda code: house.portal.approve_device(code.user_code))
    bob.login(lambda code: house.portal.approve_device(code.user_code))
    ada.logout()
    assert (ada.is_logged_in, bob.is_logged_in) == (False, True)
    assert repr(bob) == "StoredLogin(\"nous_logins of 'bob'\")"
    with pytest.raises(BillingInvalidRequest, match="which has no path"):
        assert bob.path


def test_what_is_in_the_table_is_encrypted_by_the_callers_functions(house):
    keys = {"encrypt": lambda content: bytes(255 - one for one in content)}
    keys["decrypt"] = keys["encrypt"]
    source = house.source(portal_base_url=house.url, **keys)
    source.login(lambda code: house.portal.approve_device(code.user_code))
    ((content,),) = house.execute("SELECT document FROM nous_logins")
    assert b"refresh_token" in keys["decrypt"](bytes(content))
    assert b"refresh_token" not in bytes(content)
    assert house.source(portal_base_url=house.url, **keys).is_logged_in
    with pytest.raises(BillingAuthError, match="not a login that this version reads") as caught:
        assert house.source().is_logged_in
    assert caught.value.error == "invalid_token"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b'{"version": 2}', "Upgrade nous-billing"), (b'{"version": 1, "portals": {', "Remove it and log in again")],
)
def test_what_is_no_login_is_left_as_it_is(house, content, sentence):
    house.save(content)
    source = house.source()
    for call in (source.resolve, lambda: source.login(print)):
        with pytest.raises(BillingAuthError, match=sentence):
            call()
    assert bytes(house.execute("SELECT document FROM nous_logins")[0][0]) == content


def test_an_event_loop_is_not_held_by_a_lease_that_another_has(live, monkeypatch):
    live.put_expired()
    monkeypatch.setattr(login_keeper, "_LOCK_SECONDS", 1.0)
    ticks = []

    async def tick():
        while True:
            await asyncio.sleep(0.01)
            ticks.append(time.monotonic())

    async def ask():
        ticking = asyncio.create_task(tick())
        async with AsyncBillingClient(live.source(clock=None)) as client:
            with pytest.raises(BillingNetworkError, match="Another program has held"):
                await client.get_billing_state()
        ticking.cancel()

    with live.storage().hold(1):
        asyncio.run(ask())
    assert ticks[-1] - ticks[0] > 0.9
    assert max(after - before for before, after in pairwise(ticks)) < 0.5


def test_a_table_is_created_once_or_brought_up_to_date(url):
    engine = create_engine(url)
    for _ in range(2):
        SqlLoginStorage.create_table(engine)
    engine.dispose()


def test_two_machines_that_hold_the_login_of_a_new_person_at_once_do_so_in_turn(house, monkeypatch):
    first, second = house.storage("new"), house.storage("new")
    execute, held = Connection.execute, []

    def late(connection, statement, *arguments, **more):
        # Between the look and the insert of the first.
        if statement.is_insert and not held:
            held.append(second.hold(1))
            held[0].__enter__()
        return execute(connection, statement, *arguments, **more)

    monkeypatch.setattr(Connection, "execute", late)
    with pytest.raises(BillingNetworkError, match="has held nous_logins of 'new' for"), first.hold(0.1):
        pass
    held[0].__exit__(None, None, None)
    with first.hold(0.1):
        assert first.load() is None
    assert repr(first).endswith("'new')")
    assert "***@" in repr(SqlLoginStorage(create_engine("postgresql+psycopg://me:canary@/db"), "new"))


def test_a_person_whom_the_database_refuses_is_not_said_to_be_held_by_another(house):
    house.put_expired()
    house.execute("CREATE UNIQUE INDEX own_rule_of_logins ON nous_logins (length(user_id))")
    with pytest.raises(BillingLoginNotSaved, match="IntegrityError"):
        house.source("eve").login(print)


def test_mysql_has_a_column_that_holds_a_login():
    statement = str(CreateTable(LOGINS).compile(dialect=mysql.dialect()))
    assert "document BLOB(1048576)" in statement
    assert "user_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin" in statement


@pytest.mark.parametrize(
    "make",
    [
        lambda engine: SqlLoginStorage(engine, ""),
        lambda engine: SqlLoginStorage(engine, "x" * 256),
        lambda engine: SqlLoginStorage(engine, "a\0"),
        lambda engine: SqlLoginStorage(engine, 7),  # type: ignore[arg-type]
        lambda engine: SqlLoginStorage(engine, "ada", encrypt=bytes),
        lambda engine: SqlLoginStorage(create_async_engine("sqlite+aiosqlite://"), "ada"),  # type: ignore[arg-type]
        lambda engine: SqlLoginStorage.create_table("sqlite://"),  # type: ignore[arg-type]
        lambda engine: StoredLogin("login.json", storage=SqlLoginStorage(engine, "ada")),
        lambda engine: StoredLogin(storage=engine),
    ],
)
def test_what_can_be_no_storage_is_refused(make):
    with pytest.raises(BillingInvalidRequest) as caught:
        make(create_engine("sqlite://"))
    assert caught.value.error == "invalid_storage"
    assert SqlLoginStorage(create_engine("sqlite://"), "x" * 255).load
