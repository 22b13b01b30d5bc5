"""The tables: what is measured, how often, and for how long."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.goals import STATEMENTS
from benchmarks.measure import ROOT, Figures, Row, process, worker, workers
from benchmarks.portal import Addresses

Subject = Callable[[], Figures]

COUNT = 150
TOKEN = "x" * 1000
SYNC = {
    "this SDK": "sdk",
    "old way": "old_way",
    "httpx with care": "httpx_with_care",
    "generated client": "generated",
    "floor: http.client": "floor",
}
ASYNC = {
    "this SDK": "async_sdk",
    # More connections make its pool slower, not faster.
    "httpx, 20 connections": "async_httpx",
    "aiohttp": "async_aiohttp",
    "this SDK, given httpx over aiohttp": "async_given",
}
DIRECTORY = "bought through clients, a directory"
IMPORTS = {
    "nothing": "pass",
    "this SDK": "import nous_billing",
    "this SDK, its client": "from nous_billing import BillingClient",
    "the least that a typed client needs": (
        "import ssl, typing, dataclasses, datetime, decimal, json; ssl.create_default_context()"
    ),
    "old way": "import old_way",
    "httpx": "import httpx",
}


# What the kernel says of the process itself: what it says to the parent is never less than the parent's own.
PEAK = "print(*(line for line in open('/proc/self/status') if line.startswith('VmHWM')))"


def rows(addresses: Addresses, full: Path, lean: Path) -> dict[str, Row]:
    """Return the rows by a short name; ``full`` is a Python with click and rich, ``lean`` one without."""
    environment = addresses.environment
    task = partial(worker, full, environment)

    def subjects(rivals: dict[str, str], make: Callable[[str], Callable[[], Figures]]) -> dict[str, Subject]:
        return {name: make(rival) for name, rival in rivals.items()}

    def imports(python: Path) -> dict[str, Subject]:
        path = {**environment, "PYTHONPATH": str(ROOT / "benchmarks/rivals")}
        return {name: partial(process, [python, "-c", f"{code}\n{PEAK}"], path) for name, code in IMPORTS.items()}

    def cold(python: Path, environment: dict[str, str] = environment) -> dict[str, Subject]:
        script = ROOT / "benchmarks/cold.py"
        return {
            name: partial(process, [python, script, rival, addresses.tls, TOKEN], environment)
            for name, rival in SYNC.items()
        }

    def polls(base_url: str) -> dict[str, Subject]:
        return subjects(SYNC, lambda rival: partial(task, "poll", rival, base_url, 30 if rival == "old_way" else 300))

    threads = {name: SYNC[name] for name in ("this SDK", "httpx with care")}
    purchase = {name: rival for name, rival in SYNC.items() if rival != "generated"}
    sources = {
        "memo over a static token": "static-memo",
        "one look at a file and at two variables": "look",
        "memo over the SDK's stored login": "stored-memo",
        "memo over Hermes's login": "hermes-memo",
        "stored login, no memo": "stored-resolve",
        "old way, no memo": "old-resolve",
    }
    return {
        "import": Row("Import", "A new process, click and rich installed.", imports(full), 7, 10),
        "import-lean": Row("Import, without click and rich", "The same, without them.", imports(lean), 7, 10),
        "cold": Row("Process start to the first balance, TLS", "Click and rich installed.", cold(full), 7, 12),
        "cold-lean": Row(
            "Process start to the first balance, TLS, without click and rich",
            "The same, without them.",
            cold(lean),
            7,
            12,
        ),
        "cold-bundle": Row(
            "Process start to the first balance, TLS, certificates in one file",
            "The same, without click and rich, where the system has no directory of certificates by hashed names.",
            cold(lean, addresses.bundle_only),
            7,
            12,
        ),
        "poll": Row("One poll, plain", "Kept alive, but for the old way.", polls(addresses.plain), 5, 10),
        "poll-tls": Row("One poll, TLS", "The same over TLS.", polls(addresses.tls), 7, 20),
        "charge": Row(
            "One charge, TLS",
            "Where the SDK makes a connection for each, and for its poll does not.",
            {
                "this SDK": partial(task, "charge", "sdk", addresses.tls, 100),
                "this SDK, a poll": partial(task, "poll", "sdk", addresses.tls, 100),
                "floor: http.client, one connection": partial(task, "charge", "floor", addresses.tls, 100),
                "floor: http.client, a connection each": partial(
                    task, "charge", "floor:OneConnectionEach", addresses.tls, 100
                ),
            },
            5,
            15,
        ),
        "purchase": Row(
            f"A purchase of {COUNT} polls, TLS, 25 ms",
            "With a round trip of 25 ms; what a client loads and makes for its first call included, the pauses not.",
            subjects(purchase, lambda rival: partial(task, "purchase", rival, addresses.far, COUNT)),
            3,
            45,
        ),
        "burst": Row(
            "1000 charges at once, in tasks, TLS",
            "First: with the connections to be made. Warm: a second round.",
            subjects(ASYNC, lambda rival: partial(task, "burst", rival, addresses.tls)),
            3,
            20,
        ),
        "burst-far": Row(
            "1000 charges at once, in tasks, TLS, 25 ms",
            "The same with a round trip of 25 ms.",
            subjects(ASYNC, lambda rival: partial(task, "burst", rival, addresses.far)),
            3,
            20,
        ),
        "threads": Row(
            "1000 charges at once, in threads, TLS",
            "A thousand threads that share one client.",
            subjects(threads, lambda rival: partial(task, "threads", rival, addresses.tls)),
            3,
            15,
        ),
        "purchases": Row(
            "1000 purchases at once, one directory",
            "Of 1000 organisations, for each purchase; each is saved three times. None is refused.",
            {
                "floor: one after the other, as many writes, syncs and renames": partial(task, "floor"),
                "saved in a directory": partial(task, "saved"),
                "bought through clients, kept in a directory": partial(task, "bought", addresses.plain, "directory"),
                "bought through clients, kept in memory": partial(task, "bought", addresses.plain, "memory"),
            },
            3,
            40,
        ),
        "databases": Row(
            "Purchases in a SQL database, 5 threads",
            "Each is looked for, and saved three times. SQLite is a file, PostgreSQL a server on this machine, each "
            "with its usual settings.",
            {
                DIRECTORY: partial(task, "bought_in", addresses.plain, "directory"),
                **{
                    f"{what}, {name}": partial(task, *arguments, kind)
                    for kind, name in (("sqlite", "SQLite"), ("postgresql", "PostgreSQL"))
                    for what, arguments in {
                        STATEMENTS: ["same_statements"],
                        "kept in the store": ["kept"],
                        "bought through clients": ["bought_in", addresses.plain],
                    }.items()
                },
            },
            3,
            60,
            {
                f"{what}, {name}": other
                for name in ("SQLite", "PostgreSQL")
                for what, other in {
                    "kept in the store": f"{STATEMENTS}, {name}",
                    "bought through clients": DIRECTORY,
                }.items()
            },
        ),
        "open": Row(
            "Ten open purchases among receipts",
            "To find them, as resume_purchases does first.",
            {f"{count:,} receipts": partial(task, "open_ones", count) for count in (0, 50_000)},
            3,
            20,
        ),
        "credentials": Row(
            "Credentials, one process",
            "For each call.",
            {name: partial(task, "credentials", kind, 3000) for name, kind in sources.items()},
            3,
            10,
        ),
        "contended": Row(
            "Credentials, 8 processes at once",
            "For each call, the median of the processes; the old way's fight for a lock.",
            {
                name: partial(workers, 8, full, environment, "credentials", sources[name], 300)
                for name in ("memo over the SDK's stored login", "stored login, no memo", "old way, no memo")
            },
            3,
            10,
        ),
        "parse": Row(
            "A billing state, from its bytes",
            "",
            {
                "json.loads alone": partial(task, "parse", "json", 3000),
                "generated model, unchecked": partial(task, "parse", "generated", 3000),
                "this SDK, checked": partial(task, "parse", "sdk", 3000),
            },
            3,
            8,
        ),
        "rules": Row(
            "The facade alone",
            "A poll without driver and network: the operation, the rules, the reading of the reply.",
            {"this SDK": partial(task, "rules", 3000)},
            3,
            5,
        ),
    }
