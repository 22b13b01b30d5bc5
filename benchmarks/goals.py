"""What is to be reached, as ratios of one run, and what was."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.measure import Row

STATIC, STORED, HERMES = (
    "memo over a static token",
    "memo over the SDK's stored login",
    "memo over Hermes's login",
)
GIVEN = "this SDK, given httpx over aiohttp"
STATEMENTS = "floor: the same statements, no SDK"
TIMES = "\N{MULTIPLICATION SIGN}"
SDK, OLD, HTTPX, FLOOR, AIOHTTP = "this SDK", "old way", "httpx with care", "floor: http.client", "aiohttp"


@dataclass(frozen=True)
class Goal:
    what: str
    most: float
    unit: str
    measured: Callable[[Mapping[str, Row]], float]
    limit: str = ""
    """What bounds it, for a goal that is not met."""


def _over(row: str, other: str, figure: str, name: str = SDK) -> Callable[[Mapping[str, Row]], float]:
    return lambda rows: rows[row].ratio(name, other, figure)


def _import(row: str, name: str = SDK) -> Callable[[Mapping[str, Row]], float]:
    """CPU of an import beyond a process that imports nothing; the medians, for a difference of two is small."""

    def measured(rows: Mapping[str, Row]) -> float:
        nothing = rows[row].median("nothing", "cpu")
        return (rows[row].median(name, "cpu") - nothing) / (rows[row].median(OLD, "cpu") - nothing)

    return measured


def _best_httpx(row: str) -> Callable[[Mapping[str, Row]], float]:
    def measured(rows: Mapping[str, Row]) -> float:
        httpx = [name for name in rows[row].subjects if name.startswith("httpx")]
        best = min(httpx, key=lambda name: rows[row].median(name, "first"))
        return rows[row].ratio(SDK, best, "first")

    return measured


def _beside_the_memo(name: str) -> Callable[[Mapping[str, Row]], float]:
    """Microseconds that the check of a source adds to the memo of a source that needs none."""
    return lambda rows: 1e6 * (rows["credentials"].median(name, "cpu") - rows["credentials"].median(STATIC, "cpu"))


def _handshakes(rows: Mapping[str, Row]) -> float:
    """CPU of a charge beyond that of a poll on a kept connection, in handshakes of the floor."""
    row = rows["charge"]
    beyond = row.median(SDK, "cpu") - row.median(f"{SDK}, a poll", "cpu")
    return beyond / (row.median(f"{FLOOR}, a connection each", "cpu") - row.median(f"{FLOOR}, one connection", "cpu"))


LOADING = "the modules and certificates to load: see *Import*, *the least that a typed client needs*, and *Profile*"
TRIPS = "the round trips, which the floor pays too, and what loads before the first: see *A purchase*, *Import*"
MADE = "a thread that looks up the host, and the race of its addresses: see *One charge*"
BURST = "connections made and driven in Python: see *Profile*"
LAYERS = "httpx's own layers, which every request through a given client passes"
LOOK = (
    "one look at the file's date and the environment, at each call, in a thread of its own: a network drive that is "
    "gone would hold the caller. See *Credentials*"
)

GOALS = [
    Goal("`import nous_billing`, over the old module's import (CPU)", 0.5, TIMES, _import("import")),
    Goal("the import of its client, over the same", 1.8, TIMES, _import("import", f"{SDK}, its client"), LOADING),
    Goal("process start to first balance, TLS, over the old way", 1.15, TIMES, _over("cold", OLD, "wall"), LOADING),
    Goal("the same without click and rich", 1.15, TIMES, _over("cold-lean", OLD, "wall"), LOADING),
    Goal("a purchase of 150 polls, TLS, 25 ms, over the old way", 0.25, TIMES, _over("purchase", OLD, "wall"), TRIPS),
    Goal("the same, over the floor", 1.04, TIMES, _over("purchase", FLOOR, "wall"), TRIPS),
    Goal("CPU of a poll, TLS, over the old way", 0.05, TIMES, _over("poll-tls", OLD, "cpu")),
    Goal("CPU of a poll, TLS, over httpx used directly with care", 0.7, TIMES, _over("poll-tls", HTTPX, "cpu")),
    Goal("CPU of a charge on its own connection, beyond a poll on a kept one", 1.25, "handshakes", _handshakes, MADE),
    Goal("1000 at once, first burst, over the best of httpx with a bounded pool", 1.1, TIMES, _best_httpx("burst")),
    Goal("the same with 25 ms", 1.1, TIMES, _best_httpx("burst-far")),
    Goal("CPU of 1000 at once, first burst, over aiohttp", 2, TIMES, _over("burst", AIOHTTP, "first_cpu"), BURST),
    Goal(
        "the same with a given client of httpx over aiohttp",
        1.5,
        TIMES,
        _over("burst", AIOHTTP, "first_cpu", GIVEN),
        LAYERS,
    ),
    *(
        Goal(
            f"CPU of a purchase kept in {database}, over the same statements without the SDK",
            1.3,
            TIMES,
            _over("databases", f"{STATEMENTS}, {database}", "cpu", f"kept in the store, {database}"),
        )
        for database in ("SQLite", "PostgreSQL")
    ),
    Goal(
        "credentials: a static token, memo and all",
        1,
        "µs",
        lambda rows: 1e6 * rows["credentials"].median(STATIC, "cpu"),
    ),
    Goal("credentials: the stored login, beside the memo", 1, "µs", _beside_the_memo(STORED), LOOK),
    Goal("credentials: Hermes's login, beside the memo", 1, "µs", _beside_the_memo(HERMES), LOOK),
]


def table(rows: Mapping[str, Row]) -> list[str]:
    lines = ["| goal | at most | measured | |", "|---|---:|---:|---|"]
    for goal in GOALS:
        measured = goal.measured(rows)
        verdict = "met" if measured <= goal.most else f"**not met**{f': {goal.limit}' if goal.limit else ''}"
        lines.append(f"| {goal.what} | {goal.most:g} {goal.unit} | {measured:.3g} {goal.unit} | {verdict} |")
    return lines
