"""Writes the tables."""

import os
import platform
import ssl
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

from benchmarks import goals, scale
from benchmarks.measure import Row

LIBRARIES = [
    "nous-billing",
    "httpx",
    "httpcore",
    "h11",
    "anyio",
    "aiohttp",
    "attrs",
    "click",
    "rich",
    "sqlalchemy",
    "psycopg",
]
# Each figure: its heading, its unit, how many of the unit one of it is.
FIGURES = {
    "wall": "wall",
    "cpu": "CPU",
    "memory": "peak memory",
    "first": "first",
    "first_cpu": "first, CPU",
    "warm": "warm",
    "warm_cpu": "warm, CPU",
    "rate": "a second",
}


def shown(value: float, figure: str) -> str:
    """Write seconds or bytes with a unit that leaves three digits."""
    if figure == "rate":
        return f"{value:,.0f}"
    if figure == "memory":
        return f"{value / 1024:.0f} KiB" if value < 2**20 else f"{value / 2**20:.1f} MiB"
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if value * factor >= 0.9995:  # What three digits would round up to 1.
            return f"{value * factor:.3g} {unit}"
    return f"{value * 1e6:.3g} µs"


def row_lines(row: Row) -> Iterable[str]:
    taken = next(iter(row.taken.values()))
    figures = [figure for figure in FIGURES if figure in taken[0]]
    yield from (f"## {row.title}", "", f"{row.note} {len(taken)} round{'s' if len(taken) > 1 else ''}.".strip(), "")
    headings = [*(FIGURES[figure] for figure in figures), *(["wall, over"] if row.rivals else [])]
    yield f"| | {' | '.join(headings)} |"
    yield f"|---|{'---:|' * len(headings)}"
    for name in row.taken:
        cells = [
            f"{shown(row.median(name, figure), figure)} "
            f"({shown(min(row.values(name, figure)), figure)} to {shown(max(row.values(name, figure)), figure)})"
            for figure in figures
        ]
        if row.rivals:
            other = row.rivals.get(name)
            cells.append(f"{row.ratio(name, other, 'wall'):.3g} {goals.TIMES} {other}" if other else "")
        yield f"| {name} | {' | '.join(cells)} |"
    yield ""


def results(rows: Mapping[str, Row], seconds: float, profile: list[str]) -> str:
    lines = [
        "# Results",
        "",
        "Written by `make bench`; not edited. Each cell: the median of the rounds (the least to the greatest). The",
        "rivals take turns in each round; a ratio is the median of the ratios of the rounds.",
        "",
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, {ssl.OPENSSL_VERSION}.",
        "",
        ", ".join(f"{name} {version(name)}" for name in LIBRARIES) + ".",
        "",
        f"The run took {seconds:.0f} s. The load of the machine when it ended was {os.getloadavg()[1]:.1f}.",
        "",
        "## Goals",
        "",
        *goals.table(rows),
        "",
        *(line for row in rows.values() for line in row_lines(row)),
        "## Scale",
        "",
        *scale.table(rows),
        "",
        *profile,
    ]
    return "\n".join(lines)


def _processor() -> str:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    return names[0] if names else platform.machine()
