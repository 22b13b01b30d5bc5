"""A service on several machines that share a database: each purchase is charged, polled and handed back once."""

import asyncio
import importlib
import json
import subprocess
import sys
import threading
from contextlib import aclosing
from pathlib import Path

import pytest

import nous_billing as nb
from nous_billing.mock import Fault, MockPortal
from tests.registry import KEY

PURCHASES = 24
WORKER = Path(__file__).with_name("worker.py")


@pytest.fixture
def portal():
    """A portal where a charge settles when its clock says so."""
    portal = MockPortal(settle_after=3)
    portal.organisation.monthly_cap = 10**9
    with portal.serve():
        yield portal
    assert portal.violations == []


@pytest.fixture
def shared(make_database):
    """A PostgreSQL database with an empty table."""
    database = make_database("psycopg")
    database.store.create_table()
    return database


class Machine:
    """A process of its own, killed at the end of a test."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, WORKER, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def hear(self, line):
        for heard in self.process.stdout:
            if heard.strip() == line:
                return
        raise AssertionError(f"it ended without saying {line}")

    def go(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def answer(self):
        said, _ = self.process.communicate(timeout=60)
        return json.loads(said)


def polls(portal):
    return [request.path for request in portal.requests if request.operation == "get_charge_status"]


def client(portal, kind=nb.BillingClient):
    return kind(nb.StaticToken(portal.issue_token()), base_url=portal.url)


def test_what_a_living_machine_waits_for_is_left_to_it_and_a_dead_one_lets_go(portal, shared):
    with Machine("buy", portal.url, portal.issue_token(), shared.url, KEY) as machine, client(portal) as here:
        machine.hear("pending")
        assert here.resume_purchases(shared.store) == []
        assert here.check_purchase(KEY, store=shared.store).status == "pending"
        machine.process.kill()
        machine.process.wait()
        portal.clock.advance(5)
        polled = len(polls(portal))
        assert here.resume_purchases(shared.store) == []
        assert len(polls(portal)) == polled
        # As if its minute were over.
        shared.execute("UPDATE nous_purchases SET lease_until = lease_until - 120")
        (outcome,) = here.resume_purchases(shared.store)
    assert outcome.status == "settled"
    assert [charge.key for charge in portal.organisation.charges] == [KEY]


def test_machines_that_resume_at_once_hand_back_each_purchase_once_and_poll_it_once(portal, shared):
    keys = [f"key-{number}" for number in range(PURCHASES)]
    with client(portal) as here:
        for key in keys:
            portal._limiter.__init__(portal.clock)
            assert here.begin_purchase(50, idempotency_key=key, store=shared.store).status == "pending"
    portal.clock.advance(5)
    urls = [shared.url, shared.url.replace("+psycopg", "+asyncpg"), shared.url]
    machines = [Machine("resume", portal.url, portal.issue_token(), url) for url in urls]
    try:
        for machine in machines:
            machine.hear("ready")
        for machine in machines:
            machine.go()
        outcomes = [outcome for machine in machines for outcome in machine.answer()]
    finally:
        for machine in machines:
            machine.__exit__()
    assert sorted(outcomes) == sorted([key, "settled"] for key in keys)
    assert len(polls(portal)) == len(set(polls(portal))) == PURCHASES
    assert list(shared.store.load()) == []


@pytest.mark.parametrize("driver", ["pysqlite", "psycopg"])
def test_a_purchase_is_begun_followed_and_kept(driver, portal, make_database):
    database = make_database(driver)
    database.store.create_table()
    portal.inject(Fault.drop(acts=True), "post_charge")
    told = []
    with client(portal) as here:
        begun = here.begin_purchase("50.25", idempotency_key=KEY, store=database.store)
        for purchase in here.follow_purchase(KEY, store=database.store, interval=0.05):
            told.append(purchase.status)
            portal.clock.advance(5)
        bought = here.buy_credits("50.25", idempotency_key=KEY, store=database.store)
    assert (begun.status, told, bought.status) == ("pending", ["pending", "settled"], "settled")
    assert [bought] == list(database.store.load(KEY))
    assert [charge.key for charge in portal.organisation.charges] == [KEY]


@pytest.mark.parametrize("driver", ["aiosqlite", "asyncpg", "psycopg_async", "psycopg"])
def test_the_same_awaited_with_many_at_once_and_a_page_that_is_closed_early(driver, portal, make_database):
    database = make_database(driver)
    database.run(database.store.create_table())
    portal.inject(Fault.reply(500), "get_charge_status")

    async def page(here, store):
        async with aclosing(here.follow_purchase(KEY, store=store, interval=0.05)) as purchases:
            return (await anext(purchases)).status

    async def serve():
        store = database.new_store()
        async with client(portal, nb.AsyncBillingClient) as here:
            begun = await asyncio.gather(*(here.begin_purchase(50, idempotency_key=KEY, store=store) for _ in range(5)))
            seen = await page(here, store)
            waiting = asyncio.create_task(anext(here.follow_purchase(KEY, store=store, interval=60)))
            assert (await waiting).status == "pending"
            stuck = asyncio.create_task(last(here.follow_purchase(KEY, store=store, interval=60)))
            await asyncio.sleep(0.5)
            stuck.cancel()
            await asyncio.wait([stuck])
            running = asyncio.all_tasks() - {asyncio.current_task()}
            portal.clock.advance(5)
            ended = [purchase.status async for purchase in here.follow_purchase(KEY, store=store, interval=0.05)]
            resumed = await here.resume_purchases(store)
            assert (await here.check_purchase(KEY, store=store)).status == "settled"
        if database.is_async:
            await store._engine.dispose()
        return {purchase.status for purchase in begun}, seen, running, ended, resumed

    async def last(purchases):
        return [purchase async for purchase in purchases]

    assert database._runner.run(serve()) == ({"pending"}, "pending", set(), ["settled"], [])
    assert [charge.key for charge in portal.organisation.charges] == [KEY]
    for thread in threading.enumerate():
        if thread.name == "nous-billing-work":
            thread.join(5)
            assert not thread.is_alive()


def test_a_client_without_asyncio_refuses_a_store_that_is_awaited_before_anything_is_sent(portal, make_database):
    database = make_database("aiosqlite")
    database.run(database.store.create_table())
    with client(portal) as here:
        for call in (here.check_purchase, lambda key, store: here.begin_purchase(50, idempotency_key=key, store=store)):
            with pytest.raises(nb.BillingInvalidRequest, match="store returned an awaitable") as caught:
                call(KEY, store=database.store)
            assert caught.value.error == "invalid_store"
    assert portal.requests == []


def test_a_database_that_is_down_before_a_purchase_lets_nothing_be_sent(portal, make_database):
    database = make_database("pysqlite")  # Without the table.
    with client(portal) as here:
        with pytest.raises(nb.BillingPurchaseUncertain, match="OperationalError"):
            here.buy_credits(50, idempotency_key=KEY, store=database.store)
        with pytest.raises(nb.BillingPurchaseStoreError, match="OperationalError"):
            here.check_purchase(KEY, store=database.store)
    assert [request.operation for request in portal.requests if request.operation != "get_billing_state"] == []


def test_without_sqlalchemy_the_extra_is_named(monkeypatch):
    monkeypatch.delitem(sys.modules, "nous_billing.sql")
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(ModuleNotFoundError, match=r"nous_billing.sql needs sqlalchemy: install nous-billing\[sql\]"):
        importlib.import_module("nous_billing.sql")


def test_nothing_of_sqlalchemy_is_loaded_where_it_is_not_used():
    code = (
        "import sys, nous_billing; nous_billing.BillingClient(); print([m for m in sys.modules if 'sqlalchemy' in m])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"
