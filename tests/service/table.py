"""One table for one run or more."""

from collections import Counter
from collections.abc import Mapping

from tests.service.judging import FAULTS, NOT_KNOWN

_ROWS = (
    "purchases",
    "kills",
    "database kills",
    "faults",
    "requests to the portal",
    "requests that charge",
    "answers",
    "charges in the ledger",
    "paid",
    "declined",
    "refused",
    "never in the store",
    NOT_KNOWN,
    "seconds",
)
_MUST_BE_0 = (*FAULTS, "breaches of the contract")


def table(runs: Mapping[str, Counter[str]]) -> str:
    """What happened, and below a line what must be 0."""
    lines = [_line("", list(runs))]
    lines += [_line(row, [str(counts[row]) for counts in runs.values()]) for row in _ROWS]
    lines.append("-" * len(lines[0]))
    lines += [_line(row, [str(counts[row]) for counts in runs.values()]) for row in _MUST_BE_0]
    return "\n".join(lines)


def is_bad(counts: Counter[str]) -> bool:
    return any(counts[row] for row in _MUST_BE_0)


def _line(row: str, cells: list[str]) -> str:
    return f"{row:28}" + "".join(f"{cell:>16}" for cell in cells)
