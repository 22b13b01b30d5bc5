"""What the tests of a stored login share: a portal, its clock, a login file, and ways to ask."""

import asyncio
import http.client
import json
import os
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from nous_billing import AsyncBillingClient, BillingClient, SecretBytes, StoredLogin
from nous_billing.mock import MockPortal

FULL = "inference:invoke billing:manage"
WORKER = Path(__file__).with_name("worker.py")


def iso(seconds):
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def from_iso(text):
    return datetime.fromisoformat(text).timestamp()


def jwt(**claims):
    return f"e30.{urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.signature"


class PortalClock:
    """The portal's clock as the login's: sleeping moves it. `offset` is how wrong this machine's date is."""

    def __init__(self, portal):
        self._clock = portal.clock
        self.offset = 0.0
        self.naps = []

    def monotonic(self):
        return self._clock.now()

    def time(self):
        return self._clock.now() + self.offset

    def sleep(self, seconds):
        self.naps.append(seconds)
        self._clock.advance(seconds)


class House:
    """One machine with a login file, and the portal that it logs in to."""

    def __init__(self, portal: MockPortal, path: Path):
        self.portal = portal
        self.path = self.place = path
        self.clock = PortalClock(portal)
        self._made: list[StoredLogin] = []

    @property
    def url(self):
        return self.portal.url

    def source(self, path=None, **arguments) -> StoredLogin:
        made = StoredLogin(path or self.path, clock=arguments.pop("clock", self.clock), **arguments)
        self._made.append(made)
        return made

    def close(self):
        for made in self._made:
            made.close()

    def entry_for(self, login, **more):
        now = self.portal.clock.now()
        return {
            "access_token": login.access_token,
            "refresh_token": login.refresh_token,
            "token_type": "Bearer",
            "scope": login.scope,
            "obtained_at": iso(now),
            "expires_in": login.expires_in,
            "expires_at": iso(now + login.expires_in),
            **more,
        }

    def write(self, entries, **top):
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = {"version": 1, "active_portal": self.url, **top, "portals": entries}
        new = self.path.with_name("written-by-a-test")
        new.write_text(json.dumps(content))
        new.chmod(0o600)
        new.replace(self.path)

    def put(self, *, left=900.0, scope=FULL, lifetime=900.0, **more):
        """Log in; the file's token has so many seconds left."""
        login = self.portal.log_in(scope=scope, lifetime=lifetime)
        self.write({self.url: self.entry_for(login, **more)})
        if left < lifetime:
            self.portal.clock.advance(lifetime - left)
        return login

    def put_expired(self):
        """Log in; the token has run out by every clock, and the portal's need not be moved for it."""
        login = self.portal.log_in()
        self.portal.expire(login.access_token)
        past = self.portal.clock.now() - 1000
        self.write({self.url: self.entry_for(login, obtained_at=iso(past), expires_at=iso(past + 900))})
        return login

    def document(self):
        return json.loads(self.path.read_bytes())

    def without_failures(self):
        """The document, but for what it remembers of failed renewals."""
        document = self.document()
        for entry in document["portals"].values():
            entry.pop("failed_renewal", None)
        return document

    def entry(self):
        return self.document()["portals"][self.url]

    def refreshes(self):
        return refreshes(self.portal)

    def files(self):
        return sorted(entry.name for entry in self.path.parent.iterdir())


class SqlHouse(House):
    """Machines that share a table with the login of one person, and the portal."""

    def __init__(self, portal, url):
        from sqlalchemy import create_engine

        super().__init__(portal, None)
        self.engine = create_engine(url)
        # As workers have it.
        self.place = self.database = url
        self.storage().create_table(self.engine)

    @property
    def now(self):
        """The time in SQL."""
        from nous_billing.purchases.sql_table import Now

        return str(Now().compile(dialect=self.engine.dialect))

    def storage(self, person="ada", *, engine=None, **functions):
        from nous_billing.sql import SqlLoginStorage

        return SqlLoginStorage(engine or self.engine, person, **functions)

    def source(self, path="ada", *, skew=0.0, engine=None, encrypt=None, decrypt=None, **arguments) -> StoredLogin:
        clock = PortalClock(self.portal)
        clock.offset = skew
        storage = self.storage(path, engine=engine, encrypt=encrypt, decrypt=decrypt)
        made = StoredLogin(storage=storage, clock=arguments.pop("clock", clock), **arguments)
        self._made.append(made)
        return made

    def save(self, content):
        storage = self.storage()
        with storage.hold(1):
            storage.save(SecretBytes(content))

    def write(self, entries, **top):
        self.save(json.dumps({"version": 1, "active_portal": self.url, **top, "portals": entries}).encode())

    def document(self):
        return json.loads(self.storage().load().reveal())

    def execute(self, statement):
        from sqlalchemy import text

        with self.engine.begin() as connection:
            result = connection.execute(text(statement))
            return result.all() if result.returns_rows else None

    def close(self):
        super().close()
        self.engine.dispose()


def login_at(place) -> StoredLogin:
    """The login in a file, in the database of a URL, or in the keyring of a test's folder."""
    if str(place).startswith("keyring:"):
        from tests.auth.test_keyring import login_in

        return login_in(Path(place.removeprefix("keyring:")))
    if "://" not in str(place):
        return StoredLogin(place)
    from sqlalchemy import create_engine

    from nous_billing.sql import SqlLoginStorage

    return StoredLogin(storage=SqlLoginStorage(create_engine(place), "ada"))


def refreshes(portal):
    """The refresh tokens that were sent, in order."""
    return [
        request.headers.get("x-nous-refresh-token")
        for request in list(portal.requests)
        if request.operation == "oauth_token" and parse_qs(request.body.decode())["grant_type"] == ["refresh_token"]
    ]


def asked(portal, operation):
    return [request for request in list(portal.requests) if request.operation == operation]


def state_status(portal, token):
    """How the portal answers a plain call with this token, outside of what is tested."""
    address = urlsplit(portal.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=5)
    try:
        connection.request("GET", "/api/billing/state", headers={"Authorization": f"Bearer {token}"})
        return connection.getresponse().status
    finally:
        connection.close()


def ask_by_resolving(source):
    return source.resolve().access_token


def ask_by_client(source):
    with BillingClient(source) as client:
        return client.get_billing_state()


def ask_by_async_client(source):
    async def ask():
        async with AsyncBillingClient(source) as client:
            return await client.get_billing_state()

    return asyncio.run(ask())


ASKS = {"resolve": ask_by_resolving, "client": ask_by_client, "async client": ask_by_async_client}


def until(condition, seconds=10.0):
    """Wait for what another thread or process does."""
    end = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < end, "It did not happen in time."
        time.sleep(0.005)
    return result


def child_environment(**more):
    """The environment of a child process: this tree first, and none of the machine's own logins."""
    root = Path(__file__).parents[2]
    paths = [str(root), str(root / "generated"), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)), **more}


def start_worker(*arguments, **more):
    return subprocess.Popen(
        [sys.executable, str(WORKER), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=child_environment(**more),
    )


def end_worker(worker):
    """Make sure that a worker is gone, whatever the test found."""
    with suppress(OSError):
        worker.kill()
    worker.communicate()


class Nursery:
    """A process that has imported everything, and forks a worker for each thing to do: to fork is fast."""

    def __init__(self):
        self._process = start_worker("nursery")

    def fork(self, *arguments) -> int:
        self._process.stdin.write(json.dumps([str(argument) for argument in arguments]) + "\n")
        self._process.stdin.flush()
        return int(self._line())

    def ended(self):
        """Wait for one worker; how it ended, as `os.waitstatus_to_exitcode` says it."""
        self._process.stdin.write("wait\n")
        self._process.stdin.flush()
        return int(self._line())

    def _line(self):
        line = self._process.stdout.readline()
        assert line, self._process.stderr.read()
        return line

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end_worker(self._process)
