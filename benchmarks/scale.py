"""What the measurements allow at most: one process, one machine, and the portal's own limits."""

import os
from collections.abc import Mapping

from benchmarks.measure import Row
from nous_billing.transport.idle_connections import CONNECTIONS

INTERVAL = 2.0
"""Seconds between two polls of a charge, as the SDK has it."""
CHARGES_AN_HOUR = 5
"""The portal's limit for an organisation and for a token."""
TYPICAL_POLLS = 2
"""A charge settles in about 3 s: it is polled at once and after 2 s, and the third time it has settled."""


def table(rows: Mapping[str, Row]) -> list[str]:
    sdk = "this SDK"
    cpu = rows["burst"].median(sdk, "warm_cpu") / 1000
    handshake = max(rows["burst"].median(sdk, "first_cpu") - rows["burst"].median(sdk, "warm_cpu"), 0) / CONNECTIONS
    thread_cpu = rows["threads"].median(sdk, "warm_cpu") / 1000
    wall = rows["burst-far"].median(sdk, "warm") / 1000
    cores = os.cpu_count() or 1
    polls = 1 / cpu
    watched = polls * INTERVAL
    organisations = polls * 3600 / (CHARGES_AN_HOUR * (TYPICAL_POLLS + 2))
    directory, disk = "saved in a directory", "floor: one after the other, as many writes, syncs and renames"
    figures = [
        ("CPU of a poll in a task, kept alive, TLS", f"{1e6 * cpu:.0f} µs"),
        ("CPU of a poll in a thread", f"{1e6 * thread_cpu:.0f} µs"),
        (
            f"CPU of a new connection, TLS (first burst over warm round, for each of {CONNECTIONS} connections)",
            f"{1e3 * handshake:.1f} ms",
        ),
        ("polls in a second that one process can make, one core full", f"{polls:,.0f}"),
        ("polls in a second that were made at 25 ms on this machine, server beside it", f"{1 / wall:,.0f}"),
        (f"charges that one process can watch at an interval of {INTERVAL:g} s", f"{watched:,.0f}"),
        (f"the same on this machine with a process for each of its {cores} cores", f"{watched * cores:,.0f}"),
        (
            "organisations that one process can serve, each at the portal's limit of 5 charges an hour, 4 calls each",
            f"{organisations:,.0f}",
        ),
        (
            "purchases in a second that one process keeps in one directory, 1000 at once, three saves each",
            f"{1 / rows['purchases'].median(directory, 'wall'):,.0f}",
        ),
        (
            "the same where each sync of the disk waits for the one before",
            f"{1 / rows['purchases'].median(disk, 'wall'):,.0f}",
        ),
        *(
            (
                f"purchases in a second that one process makes and keeps in {database}, 5 at once",
                f"{rows['databases'].median(f'bought through clients, {database}', 'rate'):,.0f}",
            )
            for database in ("SQLite", "PostgreSQL")
        ),
        (
            "charges at once, on new connections, that are all answered within 15 s",
            f"{1000 * 15 / rows['burst'].median(sdk, 'first'):,.0f}",
        ),
        ("memory of one watched charge, beside the client", f"{rows['burst'].median(sdk, 'memory') / 1024:.0f} KiB"),
        (
            f"polls in a second at 25 ms that {CONNECTIONS} connections could carry, were CPU free",
            f"{CONNECTIONS / 0.025:,.0f}",
        ),
    ]
    return ["| | |", "|---|---:|", *(f"| {what} | {figure} |" for what, figure in figures)]
