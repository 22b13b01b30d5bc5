"""Faults of the token endpoint, by the storage, how long the token at hand lives, and how many processes share it."""

import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from email.utils import formatdate
from itertools import product
from pathlib import Path

from nous_billing import BillingAuthError
from nous_billing.clock import SystemClock
from nous_billing.mock import Fault, MockPortal
from tests.auth.support import House, Nursery, SqlHouse, iso
from tests.sql.database import database_url, postgres_server

CALLS = 3
# When nothing that was remembered counts any more, and the token at hand has expired.
_MUCH_LATER = 4000.0


@dataclass(frozen=True)
class Row:
    """A fault, and what follows from it.

    Attributes:
        requests: How many there may be, of all processes together, until the pause is over.
        renews: Whether the login is renewed all the same.
        ends: Whether the portal ends the login by it.
        patience: Seconds that a request waits for its reply.
        pause: Seconds until the portal may be asked again.
    """

    fault: Callable[[MockPortal], Fault]
    requests: int = 1
    renews: bool = False
    ends: bool = False
    patience: float = 10.0
    pause: float = 5.0


def _without_refresh_token(portal: MockPortal) -> Fault:
    return Fault.reply(200, {"access_token": portal.issue_token(), "expires_in": 900})


# A token that may have been spent is sent three times: the portal answers a replay with the same pair.
ROWS = {
    "503": Row(lambda _: Fault.reply(503, {})),
    "503, Retry-After: 3600": Row(lambda _: Fault.unavailable(retry_after=3600), pause=3600),
    "503, Retry-After: a date": Row(
        lambda p: Fault.unavailable(retry_after=formatdate(p.clock.now() + 60, usegmt=True)), pause=50
    ),
    "429": Row(lambda _: Fault.reply(429, {"error": "rate_limited"})),
    "429, Retry-After: 60": Row(lambda _: Fault.reply(429, {"error": "rate_limited"}, {"retry-after": "60"}), pause=60),
    "500 {}": Row(lambda _: Fault.reply(500, {}), requests=3),
    "500, after it renewed": Row(lambda _: Fault.reply(500, {}, acts=True), requests=3),
    "HTML 200": Row(lambda _: Fault.html(200), requests=3),
    "HTML 502, after it renewed": Row(lambda _: Fault.html(502, acts=True), requests=3),
    "dropped": Row(lambda _: Fault.drop(), requests=3),
    "dropped, after it renewed": Row(lambda _: Fault.drop(acts=True), requests=3),
    "no answer, after it renewed": Row(lambda _: Fault.stall(acts=True), requests=3, patience=1.0),
    "slow": Row(lambda _: Fault.late(0.2), renews=True),
    "a passing refusal in a 200": Row(lambda _: Fault.reply(200, {"error": "temporarily_unavailable"})),
    "no refresh_token": Row(_without_refresh_token, renews=True, ends=True),
    "invalid_grant": Row(lambda _: Fault.reply(400, {"error": "invalid_grant"}), ends=True),
    "invalid_grant in a 200": Row(lambda _: Fault.reply(200, {"error": "invalid_grant"}), ends=True),
}
STORAGES = ("file", "SQLite", "PostgreSQL")
TOKENS = {"good": 900.0, "nearly expired": 60.0, "expired": -5.0}


@dataclass(frozen=True)
class Cell:
    """What came of one fault.

    Attributes:
        outcomes: How the calls of the processes ended, by the class of the error.
        requests: How often the refresh token was sent.
        allowed: How often it may be.
        is_lost: Whether the login is gone although the portal did not end it.
        is_right: Whether the calls ended as they should.
    """

    outcomes: Counter[str]
    requests: int
    allowed: int
    is_lost: bool
    is_right: bool

    @property
    def is_good(self) -> bool:
        return self.is_right and not self.is_lost and self.requests <= self.allowed


class Matrix:
    """Runs the cells, with processes that are forked."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._nursery = self._stack.enter_context(Nursery())
        self._postgres: str | None = None

    def __enter__(self) -> "Matrix":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _house(self, storage: str, portal: MockPortal, folder: Path) -> House:
        if storage == "file":
            return House(portal, folder / "login.json")
        if storage == "PostgreSQL" and self._postgres is None:
            self._postgres = self._stack.enter_context(postgres_server())
        socket = self._postgres if storage == "PostgreSQL" else None
        return SqlHouse(portal, database_url("psycopg" if socket else "pysqlite", folder, socket))

    def run(self, fault: str, token: str, processes: int, storage: str = "file") -> Cell:
        """Let so many processes call the portal at once while the token endpoint has a fault."""
        row, portal = ROWS[fault], MockPortal(settle_after=0)
        with tempfile.TemporaryDirectory() as folder, portal.serve():
            house = self._house(storage, portal, Path(folder))
            _put(house, TOKENS[token])
            portal.inject(row.fault(portal), "oauth_token", times=1000)
            begun = time.monotonic()
            outcomes = self._call(house.place, Path(folder), processes, row.patience)
            attempts = 1 + (time.monotonic() - begun > row.pause)
            requests = len(house.refreshes())
            while portal.faults.take("oauth_token"):
                pass
            is_due = token != "good"
            is_alive = _is_alive(house)
            house.close()
            return Cell(
                outcomes,
                requests,
                allowed=row.requests * attempts if is_due else 0,
                is_lost=not is_alive and not (row.ends and is_due),
                is_right=set(outcomes) <= _expected(row, token) and sum(outcomes.values()) == processes * CALLS,
            )

    def _call(self, place: object, folder: Path, processes: int, patience: float) -> Counter[str]:
        results = [folder / f"result-{number}" for number in range(processes)]
        go = folder / "go"
        for result in results:
            self._nursery.fork("hurried-calls", patience, place, CALLS, 0.02, go, result)
        go.touch()
        codes = [self._nursery.ended() for _ in results]
        # A code other than 0 is an error that is not the SDK's.
        counts = (Counter[str](json.loads(result.read_text())) for result in results if result.exists())
        return sum(counts, Counter({"untyped": sum(map(bool, codes))}) + Counter())


def _put(house: House, left: float) -> None:
    login, now = house.portal.log_in(), house.portal.clock.now()
    if left <= 0:
        house.portal.expire(login.access_token)
    house.write({house.url: house.entry_for(login, obtained_at=iso(now + left - 900), expires_at=iso(now + left))})


def _expected(row: Row, token: str) -> set[str]:
    if token == "good" or row.renews:
        return {"ok"}
    failed = {"BillingAuthError"} if row.ends else {"BillingNetworkError", "BillingTimeout"}
    if token == "expired":
        return failed
    # A call does not wait for long for a renewal while its token is valid.
    return {"ok", "BillingAuthError"} if row.ends else {"ok"}


class _LaterClock(SystemClock):
    def time(self) -> float:
        return super().time() + _MUCH_LATER


def _is_alive(house: House) -> bool:
    """Whether the login can be renewed, once the fault is gone."""
    login = house.source(clock=_LaterClock())
    try:
        return bool(login.resolve().access_token)
    except BillingAuthError:
        return False


def cells(storages: tuple[str, ...], processes: tuple[int, ...]) -> Iterator[tuple[str, str, int, str]]:
    """Return all cells: fault, token, number of processes, storage."""
    return product(ROWS, TOKENS, processes, storages)
