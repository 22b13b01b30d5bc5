"""What a store in a SQL database keeps, finds and refuses: on SQLite and PostgreSQL, with and without asyncio."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import create_engine, select
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.schema import CreateTable

from nous_billing import (
    AsyncLeasingPurchaseStore,
    BillingInvalidRequest,
    BillingPurchaseStoreError,
    LeasingPurchaseStore,
    PurchaseLease,
)
from nous_billing.purchases.sql_table import OPEN, Now, exact
from nous_billing.sql import PURCHASES, SqlPurchaseStore
from tests.auth.support import until
from tests.properties.records import RECORDS
from tests.unit.purchases.kept import FIRST, OTHER, SECOND, THIRD

AT_ONCE = 20
MOMENT = datetime(2026, 6, 13, 10, tzinfo=UTC)
MINE = PurchaseLease(holder="mine", seconds=60)
THEIRS = PurchaseLease(holder="theirs", seconds=60)
EVERYTHING = replace(
    FIRST,
    amount_usd=Decimal("142.50"),
    started_at=datetime(2026, 10, 25, 2, 30, 0, 123456, timezone(timedelta(hours=2))),
    organisation_name="Ä & Söhne 🚀 ' \" \\ %s :x",
    status="settled",
    charge_id="ch_1",
    reason="",
    settled_at=datetime(1999, 12, 31, 23, 59, 59, 999999, UTC),
    added_usd=Decimal("-123456789012345.901234567890120"),
    other_charge_ids=("ch_2", "ch_'3"),
    discrepancies=("other_amount", "settled_and_failed"),
)


def _is_known_to_databases(purchase):
    """No text has a NUL, which PostgreSQL refuses, and no moment is outside of the years that there are in UTC."""
    try:
        moments = [moment and moment.astimezone(UTC) for moment in (purchase.started_at, purchase.settled_at)]
    except OverflowError:
        moments = []
    return bool(moments) and "\0" not in repr(purchase).replace("\\x00", "\0")


def kept(run, store, *arguments, **options):
    return list(run(store.load(*arguments, **options)))


def save_all(run, store, *purchases, **options):
    assert [run(store.save(purchase, **options)) for purchase in purchases] == [True] * len(purchases)


def holder(database, key=FIRST.key):
    return database.execute("SELECT lease_holder FROM nous_purchases WHERE key = :key", key=key)[0][0]


def at_once(database, call):
    """Call with as many stores as there are machines, at the same moment; what each returned."""
    stores = [database.new_store() for _ in range(AT_ONCE)]
    if not database.is_async:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(call, range(AT_ONCE), stores))

    async def gathered():
        return await asyncio.gather(*map(call, range(AT_ONCE), stores))

    return database.run(gathered())


class TestKept:
    @pytest.mark.parametrize("purchase", [FIRST, EVERYTHING])
    def test_each_digit_and_each_microsecond_come_back(self, run, store, purchase):
        save_all(run, store, purchase)
        (found,) = kept(run, store, purchase.key)
        assert found == purchase
        for name in ("amount_usd", "added_usd"):
            assert str(getattr(found, name)) == str(getattr(purchase, name))
        assert found.started_at.utcoffset() == timedelta(0)

    def test_whatever_is_saved_comes_back(self, run, store, database):
        @settings(max_examples=20, suppress_health_check=list(HealthCheck))
        @given(RECORDS.filter(_is_known_to_databases))
        def example(purchase):
            run(store.forget(purchase.key))
            save_all(run, store, purchase)
            (found,) = kept(run, store, purchase.key)
            assert (found, str(found.added_usd)) == (purchase, str(purchase.added_usd))

        example()

    def test_a_moment_is_that_moment_to_the_database_too(self, run, database):
        save_all(run, database.store, EVERYTHING)
        seconds = "extract(epoch FROM started_at)" if database.is_postgres else "unixepoch(started_at)"
        ((moment,),) = database.execute(f"SELECT {seconds} FROM nous_purchases")
        assert int(moment) == int(EVERYTHING.started_at.timestamp())

    def test_keys_that_differ_in_case_or_blanks_are_different_purchases(self, run, store):
        save_all(run, store, *(replace(FIRST, key=key) for key in ("a", "A", "a_", "%", "a" * 255)))
        assert [found.key for found in kept(run, store, "a")] == ["a"]
        assert kept(run, store, "a%") == []

    def test_a_later_revision_replaces_the_one_before_it_and_no_other(self, run, store):
        save_all(run, store, FIRST, SECOND)
        for stale in (FIRST, SECOND, replace(THIRD, revision=4), replace(THIRD, key="key-9")):
            assert run(store.save(stale)) is False
        assert kept(run, store, FIRST.key) == [SECOND]

    @pytest.mark.parametrize("first", [FIRST, SECOND])
    def test_of_many_machines_that_save_at_once_one_does(self, run, database, first):
        save_all(run, database.store, *([FIRST] if first is SECOND else []))
        saved = at_once(database, lambda number, store: store.save(replace(first, organisation_name=str(number))))
        assert sorted(saved) == [False] * (AT_ONCE - 1) + [True]
        assert kept(run, database.store, FIRST.key)[0].organisation_name == str(saved.index(True))

    def test_a_rule_of_the_database_that_is_broken_is_no_other_call_that_saved_first(self, run, database):
        database.execute("CREATE UNIQUE INDEX own_rule ON nous_purchases (organisation_name)")
        try:
            save_all(run, database.store, FIRST)
            with pytest.raises(IntegrityError):
                run(database.store.save(replace(FIRST, key="key-9")))
            assert not run(database.store.save(FIRST))
        finally:
            database.execute("DROP INDEX own_rule")


class TestFound:
    @pytest.fixture(autouse=True)
    def purchases(self, run, store):
        self.elsewhere = replace(FIRST, key="key-3", organisation_id="org_2", started_at=datetime.now(UTC))
        self.ended = replace(FIRST, key="key-4", organisation_id="org_2", status="not_made")
        save_all(run, store, FIRST, SECOND, OTHER, self.elsewhere, self.ended)

    def test_without_a_key_all_that_is_open_is_found_oldest_first(self, run, store):
        assert kept(run, store) == [OTHER, SECOND, self.elsewhere]

    def test_those_of_an_organisation_are_found_open_or_all(self, run, store):
        assert kept(run, store, organisation_id="org_1") == [OTHER, SECOND]
        assert kept(run, store, organisation_id="org_2", include_ended=True) == [self.ended, self.elsewhere]

    def test_a_key_of_another_organisation_is_not_found_for_this_one(self, run, store):
        assert kept(run, store, "key-4") == [self.ended]
        assert kept(run, store, "key-4", organisation_id="org_1") == kept(run, store, "nothing") == []

    def test_what_is_old_and_ended_is_pruned_and_nothing_else(self, run, store):
        assert run(store.prune(before=FIRST.started_at)) == 0
        assert run(store.prune(before=datetime(2100, 1, 1, tzinfo=UTC))) == 1
        assert kept(run, store, include_ended=True) == [OTHER, SECOND, self.elsewhere]
        with pytest.raises(BillingInvalidRequest, match="time zone"):
            store.prune(before=datetime(2100, 1, 1))

    @pytest.mark.parametrize("status", ["approving", "in_review", "reviewing", "voided"])
    def test_what_has_a_status_of_a_later_version_is_neither_pruned_nor_hidden(self, run, database, status):
        database.execute("UPDATE nous_purchases SET status = :status WHERE key = :key", status=status, key=OTHER.key)
        assert run(database.store.prune(before=datetime(2100, 1, 1, tzinfo=UTC))) == 1
        assert {each.status for each in kept(run, database.store)} == {status, "pending", "sending"}

    @pytest.mark.parametrize("odd", ["a\0b", "a\ud800", "ä", "k" * 1000])
    def test_a_text_that_no_database_keeps_is_looked_for_and_not_found(self, run, store, odd):
        assert kept(run, store, odd) == kept(run, store, organisation_id=odd) == []
        run(store.forget(odd))
        assert len(kept(run, store)) == 3

    def test_one_is_forgotten_open_or_not(self, run, store):
        assert run(store.forget(OTHER.key)) is None
        assert kept(run, store) == [SECOND, self.elsewhere]

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            *(("amount_usd", "five"), ("other_charge_ids", "{"), ("discrepancies", "5"), ("started_at", "yesterday")),
            *(("other_charge_ids", '{"ch_2": 1}'), ("discrepancies", "[" * 10**5), ("settled_at", "yesterday")),
            ("started_at", 5),
        ],
    )
    def test_each_broken_row_is_named_after_the_others_were_found(self, run, database, column, value):
        if value in ("yesterday", 5) and database.is_postgres:
            pytest.skip("PostgreSQL keeps nothing else in a column of moments")
        keys = {"one": OTHER.key, "other": SECOND.key}
        database.execute(
            f"UPDATE nous_purchases SET {column} = :value WHERE key IN (:one, :other)", value=value, **keys
        )
        found = iter(run(database.store.load()))
        assert next(found) == self.elsewhere
        with pytest.raises(BillingPurchaseStoreError) as caught:
            next(found)
        assert all(f"the row with the key {key} is broken (" in caught.value.message for key in keys.values())


class TestLeases:
    @pytest.fixture(autouse=True)
    def purchase(self, run, store):
        save_all(run, store, FIRST)

    def test_one_holder_has_it_until_it_lets_go(self, run, store):
        asked = [run(store.acquire_lease(FIRST.key, lease)) for lease in (MINE, THEIRS, MINE)]
        run(store.release_lease(FIRST.key, "theirs"))
        still = run(store.acquire_lease(FIRST.key, THEIRS))
        assert run(store.release_lease(FIRST.key, "mine")) is None
        assert (asked, still, run(store.acquire_lease(FIRST.key, THEIRS))) == ([True, False, True], False, True)

    def test_it_expires_by_the_clock_of_the_database(self, run, store, database):
        assert run(store.acquire_lease(FIRST.key, replace(MINE, seconds=1)))
        assert not run(store.acquire_lease(FIRST.key, THEIRS))
        now = "extract(epoch FROM now())" if database.is_postgres else "unixepoch()"
        ((left,),) = database.execute(f"SELECT lease_until - {now} FROM nous_purchases")
        assert left < 2.5
        until(lambda: run(store.acquire_lease(FIRST.key, THEIRS)))
        assert holder(database) == "theirs"

    def test_a_save_gives_it_to_whoever_saves_and_an_end_takes_it_away(self, run, store, database):
        save_all(run, store, SECOND, lease=MINE)
        assert holder(database) == "mine"
        save_all(run, store, replace(SECOND, revision=3))
        assert holder(database) == "mine"
        save_all(run, store, replace(THIRD, revision=4), lease=MINE)
        assert holder(database) is None
        assert not run(store.acquire_lease(FIRST.key, MINE))

    def test_a_first_save_takes_it_at_once(self, run, store, database):
        save_all(run, store, OTHER, lease=MINE)
        assert holder(database, OTHER.key) == "mine"

    def test_of_what_is_not_there_nobody_has_one(self, run, store):
        assert not run(store.acquire_lease("nothing", MINE))

    def test_of_many_machines_that_ask_at_once_one_gets_it(self, database):
        got = at_once(database, lambda number, store: store.acquire_lease(FIRST.key, replace(MINE, holder=str(number))))
        assert sorted(got) == [False] * (AT_ONCE - 1) + [True]
        assert holder(database) == str(got.index(True))


class TestTable:
    def test_many_machines_may_create_it_at_once(self, make_database, database):
        bare = make_database(database.driver)
        at_once(bare, lambda number, store: store.create_table())
        save_all(bare.run, bare.store, FIRST)

    def test_a_table_of_an_older_version_gets_what_it_lacks_and_keeps_its_rows(self, make_database, database):
        old = make_database(database.driver)
        lacking = ("other_charge_ids", "discrepancies", "lease_holder", "lease_until")
        old.run(old.store.create_table())
        save_all(old.run, old.store, FIRST)
        old.execute("DROP INDEX nous_purchases_by_organisation")
        for column in lacking:
            old.execute(f"ALTER TABLE nous_purchases DROP COLUMN {column}")
        old.run(old.store.create_table())
        assert kept(old.run, old.store) == [FIRST]
        assert old.run(old.store.acquire_lease(FIRST.key, MINE))
        save_all(old.run, old.store, replace(EVERYTHING, revision=2))
        indexes = "SELECT indexname FROM pg_indexes" if old.is_postgres else "SELECT name FROM sqlite_master"
        assert ("nous_purchases_by_organisation",) in [tuple(row) for row in old.execute(indexes)]

    @pytest.mark.parametrize(
        ("condition", "index"), [(OPEN, "by_status"), (PURCHASES.c.organisation_id == "org_7", "by_organisation")]
    )
    def test_an_index_finds_what_is_open_and_what_an_organisation_has(self, make_database, condition, index):
        database = make_database("pysqlite")
        database.store.create_table()
        query = select(PURCHASES).where(condition).order_by(PURCHASES.c.started_at)
        plan = f"EXPLAIN QUERY PLAN {query.compile(compile_kwargs={'literal_binds': True})}"
        found = str(database.execute(plan))
        assert f"USING INDEX nous_purchases_{index}" in found
        assert "SCAN" not in found

    def test_a_database_that_refuses_says_so(self, make_database):
        database = make_database("pysqlite")
        database.execute("CREATE VIEW nous_purchases AS SELECT 1 AS key")
        with pytest.raises(Exception, match="nous_purchases"):
            database.store.create_table()
        database.execute("DROP VIEW nous_purchases")

    def test_mysql_gets_types_that_are_exact_and_tell_keys_apart(self):
        made = str(CreateTable(PURCHASES).compile(dialect=mysql.dialect()))
        for column in (
            "`key` VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL",
            "amount_usd TEXT NOT NULL",
            "started_at DATETIME(6) NOT NULL",
            "settled_at DATETIME(6)",
            "lease_until DOUBLE",
            "CHARSET=utf8mb4",
            "ENGINE=InnoDB",
        ):
            assert column in made
        for name in ("mysql", "mariadb"):
            dialect = mysql.dialect()
            dialect.name = name
            assert str(Now().compile(dialect=dialect)) == "UNIX_TIMESTAMP(SYSDATE(6))"
            text = exact("latin1").compile(dialect=dialect)
            assert str(text) == "VARCHAR(255) CHARACTER SET latin1 COLLATE latin1_bin"
        assert str(exact("latin1").compile(dialect=sqlite.dialect())) == "VARCHAR(255)"

    @pytest.mark.parametrize(
        ("given", "read"),
        [
            (None, None),
            (MOMENT.replace(tzinfo=None), MOMENT),
            (MOMENT.astimezone(timezone(timedelta(hours=2))), MOMENT),
        ],
    )
    def test_a_moment_is_read_as_one_of_utc_whatever_zone_the_database_has(self, given, read):
        found = PURCHASES.c.started_at.type.process_result_value(given, sqlite.dialect())
        assert (found, found and found.tzinfo) == (read, read and UTC)


def test_a_type_checker_knows_which_client_takes_it() -> None:
    blocking: LeasingPurchaseStore = SqlPurchaseStore(create_engine("sqlite://"))
    awaited: AsyncLeasingPurchaseStore = SqlPurchaseStore(create_async_engine("sqlite+aiosqlite://"))
    shown = [repr(blocking), repr(awaited)]
    assert shown == ["SqlPurchaseStore('sqlite://')", "SqlPurchaseStore('sqlite+aiosqlite://')"]


@pytest.mark.parametrize(("engine", "came"), [(None, "None"), ("sqlite://", "str")])
def test_what_is_no_engine_is_refused(engine, came):
    message = rf"^engine must be an Engine or an AsyncEngine of SQLAlchemy, not {came}\.$"
    with pytest.raises(BillingInvalidRequest, match=message) as caught:
        SqlPurchaseStore(engine)
    assert caught.value.error == "invalid_store"


def test_its_repr_has_the_address_and_no_password(make_database):
    database = make_database("psycopg")
    for url in ("me:hunter2@127.0.0.1/billing", "me@127.0.0.1/billing?password=hunter2"):
        database.url = f"postgresql+psycopg://{url}"
        shown = repr(database.new_store())
        assert ("127.0.0.1/billing" in shown, "hunter2" in shown) == (True, False)
