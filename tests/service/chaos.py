"""Two web processes and two workers on one database: all of them are killed at random, and the database is, too."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Connection, create_engine, insert, text, update
from sqlalchemy.exc import SQLAlchemyError

from examples.service.people import PEOPLE
from examples.service.people import Person as ServicePerson
from examples.service.web import purchase_key
from nous_billing.mock import Card
from nous_billing.mock import Person as PortalPerson
from nous_billing.sql import SqlPurchaseStore
from tests.chaos.people import CARDS, OPENING
from tests.chaos.portal import ChaosPortal
from tests.service.impatience import Person
from tests.service.judging import NOT_KNOWN, Intent
from tests.service.processes import Process, Web, kill_server, until

AT_ONCE = 16
PURCHASES_OF_ONE = 5
WALKS_AWAY = 0.25
# Seconds; a login is renewed in good time, unless the database is down.
TOKEN_LIFETIME, RENEWED_AFTER = 20.0, 5.0


Wait = Callable[[float], Awaitable[bool]]
"""Waits so many seconds, and returns whether it is to go on."""


@dataclass
class Bad:
    """How bad the day is: seconds between two kills of a process, and of the database."""

    kills: tuple[float, float] = (0.5, 2.5)
    database: tuple[float, float] = (4.0, 9.0)


class ServiceChaos:
    """One run with workers of one kind. `progress` is told a line now and then."""

    def __init__(
        self, folder: Path, server: Any, *, worker: str, purchases: int, seed: int, progress: Callable[[str], None]
    ) -> None:
        self._chance = random.Random(seed)
        self._server = server
        self._worker = worker
        self._progress = progress
        self._portal = ChaosPortal(seed)
        url = f"postgresql+psycopg://postgres@/postgres?host={server.get_postmaster_info().socket_dir}"
        self._engine = create_engine(url, pool_pre_ping=True, isolation_level="AUTOCOMMIT")
        self._environment = {"DATABASE_URL": url, "PORTAL_TIMEOUT": "1", "SCHEDULE": "*/2 * * * * *"}
        self._folder = folder
        self._purchases = purchases
        self._bad = Bad()
        self._webs: list[Web] = []
        self._workers: list[Process] = []
        self.intents: list[Intent] = []
        self.counts: Counter[str] = Counter()

    def run(self) -> Counter[str]:
        """Let everything happen, and count."""
        begun = time.monotonic()
        self._portal.start()
        try:
            self._open()
            asyncio.run(self._happen())
            self._judge()
        finally:
            for process in (*self._webs, *self._workers):
                process.kill()
            self._portal.stop()
            self._engine.dispose()
        self.counts["seconds"] = round(time.monotonic() - begun)
        return self.counts

    def _open(self) -> None:
        self._environment["NOUS_PORTAL_BASE_URL"] = self._portal.url
        for number in range(2):
            self._webs.append(Web(self._folder / f"web-{number}.log", self._environment))
        for web in self._webs:
            web.wait()
        for number in range(2):
            name = f"worker-{number}"
            environment = {**self._environment, "WORKER_NAME": name}
            program = f"examples.service.{self._worker}"
            self._workers.append(Process(self._folder / f"{name}.log", environment, program))
        self._people = [self._customer(number) for number in range(max(self._purchases // PURCHASES_OF_ONE, 6))]
        for number in range(self._purchases):
            person = self._people[number % len(self._people)]
            session, action = f"{self._worker}-{person.id}", f"top-up {number}"
            key = purchase_key(ServicePerson(session, person.organisation.id), action)
            walks_away = self._chance.random() < WALKS_AWAY
            # No other purchase has this amount.
            self.intents.append(Intent(person.organisation, session, action, f"{50 + number}.5", key, walks_away))

    def _customer(self, number: int) -> PortalPerson:
        card = Card("visa", CARDS[number % len(CARDS)])
        organisation = self._portal.add_organisation(f"Org {number}", balance=OPENING, card=card, monthly_cap="1000000")
        organisation.id = f"{self._worker}-{organisation.id}"
        person = self._portal.add_person(f"Person {number}", organisation)
        session = f"{self._worker}-{person.id}"
        row = {"session": session, "person": session, "organisation_id": organisation.id, "access_token": "none"}
        with self._engine.connect() as connection:
            connection.execute(insert(PEOPLE).values(row))
            self._renew_login(connection, person)
        return person

    def _renew_login(self, connection: Connection, person: PortalPerson) -> None:
        token = self._portal.issue_token(person, lifetime=TOKEN_LIFETIME)
        row = PEOPLE.c.session == f"{self._worker}-{person.id}"
        connection.execute(update(PEOPLE).where(row).values(access_token=token))

    async def _happen(self) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        async with httpx.AsyncClient(limits=limits, trust_env=False) as client:
            urls = [web.url for web in self._webs]
            people = [Person(intent, urls, random.Random(self._chance.random()), client) for intent in self.intents]
            self._portal.random_faults.is_on = True
            async with self._until_over(self._keep_logins):
                async with self._until_over(self._kill_processes, self._kill_database):
                    await self._all(Person.insist, people)
                self._portal.random_faults.is_on = False
                await self._recover()
                await self._all(Person.finish, people)

    async def _all(self, ask: Callable[[Person], Any], people: list[Person]) -> list[Any]:
        at_once, done = asyncio.Semaphore(AT_ONCE), Counter[str]()

        async def one(person: Person) -> Any:
            async with at_once:
                result = await ask(person)
            done["done"] += 1
            wrong = sum(sum(each.wrong.values()) for each in self.intents)
            self._progress(
                f"{ask.__name__}: {done['done']} of {len(people)}, {self.counts['kills']} kills, {wrong} wrong"
            )
            return result

        return await asyncio.gather(*map(one, people))

    @asynccontextmanager
    async def _until_over(self, *kinds: Callable[[Wait], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
        """Let it go on until the block ends."""
        over = asyncio.Event()

        async def goes_on_for(seconds: float) -> bool:
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), seconds)
            return not over.is_set()

        async with asyncio.TaskGroup() as group:
            for kind in kinds:
                group.create_task(kind(goes_on_for))
            yield
            over.set()

    async def _kill_processes(self, goes_on_for: Wait) -> None:
        while await goes_on_for(self._chance.uniform(*self._bad.kills)):
            process = self._chance.choice([*self._webs, *self._workers])
            self.counts["kills"] += process.is_running
            process.kill()
            await goes_on_for(self._chance.uniform(0, 0.5))
            self._revive()

    async def _kill_database(self, goes_on_for: Wait) -> None:
        while await goes_on_for(self._chance.uniform(*self._bad.database)):
            await asyncio.to_thread(self._restart_database)

    def _restart_database(self) -> None:
        kill_server(self._server)
        self.counts["database kills"] += 1
        time.sleep(self._chance.uniform(0, 1.5))
        self._server.ensure_postgres_running()

    async def _keep_logins(self, goes_on_for: Wait) -> None:
        while await goes_on_for(RENEWED_AFTER):
            with suppress(SQLAlchemyError):  # The database is down; the logins expire meanwhile.
                await asyncio.to_thread(self._renew_logins)

    def _renew_logins(self) -> None:
        with self._engine.connect() as connection:
            for person in self._people:
                self._renew_login(connection, person)

    def _revive(self) -> None:
        for process in (*self._webs, *self._workers):
            if not process.is_running:
                process.start()

    async def _recover(self) -> None:
        """The day is over: all is up again, and leases of the dead have expired."""
        await asyncio.to_thread(until, lambda: all(map(self._answers, self._webs)))
        self._revive()
        await asyncio.to_thread(self._renew_logins)
        with self._engine.connect() as connection:
            connection.execute(text("UPDATE nous_purchases SET lease_until = lease_until - 120"))

    def _answers(self, web: Web) -> bool:
        if not web.is_running:
            web.start()  # It had been started while the database was down.
        return web.answers()

    def _judge(self) -> None:
        store = SqlPurchaseStore(self._engine)
        for intent in self.intents:
            kept = [*store.load(intent.key)]
            self.counts.update(intent.judge_end(kept[0] if kept else None))
            self.counts["purchases"] += 1
            self.counts["requests that charge"] += len(intent.posts)
            self.counts["answers"] += len(intent.answers)
            self.counts["charges in the ledger"] += len(intent.charges)
            self.counts["paid"] += bool(kept) and kept[0].status == "settled"
            self.counts["declined"] += bool(kept) and kept[0].status == "failed"
            self.counts["refused"] += bool(kept) and kept[0].status == "not_made"
            self.counts["never in the store"] += not kept
        self.counts.update({f"fault: {kind}": shown for kind, shown in self._portal.random_faults.shown.items()})
        self.counts["faults"] = sum(self._portal.random_faults.shown.values())
        self.counts["requests to the portal"] = len(self._portal.requests)
        self.counts["breaches of the contract"] = len(self._portal.violations)
        self.counts[NOT_KNOWN] += 0
