"""Two web processes of the service on one PostgreSQL database, and a mock portal; workers where a test wants them."""

from contextlib import closing
from itertools import count

import httpx
import pytest
from sqlalchemy import create_engine, insert, text

from examples.service.people import PEOPLE, Person
from examples.service.web import purchase_key
from tests.service.processes import Mock, Process, Web, kill_server, until
from tests.sql.database import postgres

HOUR = 3601
_numbers = count(1)


class Customer:
    """A person of an organisation of their own, and their requests to either web process."""

    def __init__(self, service, *, role="OWNER", **organisation) -> None:
        number = next(_numbers)
        self.name = f"person-{number}"
        self.organisation_id = f"org-{number}"
        mock = self._mock = service.mock
        mock.control(
            "/organisations", id=self.organisation_id, name="Acme", **{"card": {"last4": "4242"}, **organisation}
        )
        mock.control("/people", id=self.name, name="Ada", organisation=self.organisation_id, role=role)
        self.token = mock.control("/tokens", person=self.name, lifetime=10 * HOUR)["accessToken"]
        service.log_in(self)
        self.webs = [
            httpx.Client(base_url=web.url, headers={"Authorization": f"Bearer {self.name}"}, timeout=30)
            for web in service.webs
        ]

    def sends(self, action="top-up"):
        """Requests for charges that came to the portal."""
        requests = self._mock.control("/requests", "GET")
        return [each for each in requests if each["headers"].get("idempotency-key") == self.key(action)]

    def key(self, action="top-up"):
        return purchase_key(Person(self.name, self.organisation_id), action)

    @property
    def charges(self):
        return [(charge["status"], charge["amountUsd"]) for charge in self._mock.charges(self.organisation_id)]

    def buy(self, action="top-up", amount_usd="50", *, web=0):
        return self.webs[web].post("/purchases", json={"action": action, "amount_usd": amount_usd})

    def look(self, key, *, web=0):
        return self.webs[web].get(f"/purchases/{key}")

    def ends(self, key):
        """Look until the purchase has ended."""
        return until(lambda: (reply := self.look(key)).status_code in (200, 402) and reply)


class Service:
    """All that tests start."""

    def __init__(self, folder, server) -> None:
        self.server = server
        self.folder = folder
        url = f"postgresql+psycopg://postgres@/postgres?host={server.get_postmaster_info().socket_dir}"
        self.database = create_engine(url, isolation_level="AUTOCOMMIT", pool_pre_ping=True)
        self.mock = Mock(folder / "mock.log")
        self.environment = {"DATABASE_URL": url, "NOUS_PORTAL_BASE_URL": self.mock.url, "PORTAL_TIMEOUT": "10"}
        self.environment["SCHEDULE"] = "* * * * * *"
        self.webs = [Web(folder / f"web-{number}.log", self.environment) for number in range(2)]
        self.customers: list[Customer] = []
        for web in self.webs:
            web.wait()

    def customer(self, **options):
        self.customers.append(Customer(self, **options))
        return self.customers[-1]

    def log_in(self, customer) -> None:
        row = {"session": customer.name, "person": customer.name, "organisation_id": customer.organisation_id}
        with self.database.connect() as connection:
            connection.execute(insert(PEOPLE).values({**row, "access_token": customer.token}))

    def run(self, program, *arguments, **environment):
        log = self.folder / f"{program}-{next(_numbers)}.log"
        return Process(log, {**self.environment, **environment}, f"examples.service.{program}", *arguments)

    def execute(self, statement):
        with self.database.connect() as connection:
            result = connection.execute(text(statement))
            return result.all() if result.returns_rows else None

    def time_passes(self, seconds=HOUR):
        self.mock.control("/clock", advance=seconds)

    def loses_the_reply(self):
        """Of the next charge, and refuses to be asked again for now."""
        self.mock.control("/faults", kind="reply", status=504, operation="post_charge", acts=True)
        self.mock.control("/faults", kind="unavailable", operation="post_charge")

    def leases_expire(self):
        """As if their minute were over."""
        self.execute("UPDATE nous_purchases SET lease_until = lease_until - 120")

    def kill_database(self):
        """As a crash does."""
        kill_server(self.server)

    def start_database(self):
        self.server.ensure_postgres_running()

    def close(self):
        for customer in self.customers:
            for web in customer.webs:
                web.close()
        for web in self.webs:
            web.stop()
        self.database.dispose()
        self.mock.close()


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    with postgres() as server, closing(Service(tmp_path_factory.mktemp("service"), server)) as service:
        yield service
        assert service.mock.control("/state", "GET")["violations"] == []


@pytest.fixture
def worker(service):
    """Start a worker, which ends with the test."""
    started = []

    def start(program, name="one"):
        started.append(service.run(program, WORKER_NAME=name))
        return started[-1]

    yield start
    for process in started:
        process.stop()


@pytest.fixture
def quiet(service):
    """No fault is left of another test, and no purchase."""
    yield
    service.mock.control("/faults", "DELETE")
    service.execute("DELETE FROM nous_purchases")
