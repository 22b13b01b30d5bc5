"""One table for one run or more."""

from collections import Counter
from collections.abc import Sequence

from tests.chaos.audit import FAULTS_OF_OURS
from tests.chaos.driver import Run
from tests.chaos.faults import DELAY, KINDS
from tests.chaos.words import COLUMNS, FAULTS

_ROWS = (
    "purchases",
    "purchases pressed twice at once",
    "purchases that were killed",
    "purchases that were killed more than once",
    "sync processes",
    "async processes",
    "kills",
    *(
        f"killed while {state}"
        for state in ("not saved", "sending", "pending", "not_made", "settled", "failed", "open", "ended")
    ),
    *(f"fault: {kind}" for kind in (*KINDS, DELAY)),
    "requests",
    "limiter refusals",
    "refreshes",
    "logins lost",
    *(f"told {what}" for what in ("settled", "failed", "refused", "uncertain")),
    "charges in the ledger",
    "settled charges",
    "dollars charged too much",
    "charged twice, pressed once",
)


def table(runs: Sequence[Run]) -> str:
    """What happened, and below a line what must be 0 for the same key; a kill counts for each open purchase."""
    for run in runs:
        run.counts.update({f"fault: {kind}": shown for kind, shown in run.portal.random_faults.shown.items()})
    names = ["fresh keys" if run.fresh_keys else "same key" for run in runs]
    lines = [_line("", names)]
    lines += [_line(row, [str(run.counts[row]) for run in runs]) for row in _ROWS]
    lines += [_line("seconds", [f"{run.seconds:.0f}" for run in runs]), "-" * len(lines[0])]
    lines += [_line(row, [str(run.counts[row]) for run in runs]) for row in FAULTS_OF_OURS]
    return "\n".join(lines)


def _line(row: str, cells: Sequence[str]) -> str:
    return f"{row:58}" + "".join(f"{cell:>12}" for cell in cells)


def ways_table(counts: Counter[tuple[str, str]]) -> str:
    """What happened to the purchases of each way of pressing, and, right of a line, what must be 0."""
    happened = [column for column in COLUMNS if column not in FAULTS]
    ways = [way for way in dict.fromkeys(way for way, _ in counts) if way != "portal"]
    rows = {way: {column: counts[way, column] for column in COLUMNS} for way in ways}
    rows["all"] = {column: sum(row[column] for row in rows.values()) for column in COLUMNS}

    def line(name: str, cells: dict[str, object]) -> str:
        parts = ["".join(f"{cells[column]!s:>14}" for column in part) for part in (happened, FAULTS)]
        return f"{name:18}{parts[0]} |{parts[1]}"

    header = line("", {column: column for column in COLUMNS})
    portal = ", ".join(f"{counts['portal', what]} {what}" for what in ("requests", "limiter refusals", "seconds"))
    return "\n".join(
        [
            header,
            "-" * len(header),
            *(line(way, dict(cells)) for way, cells in rows.items()),
            "",
            f"In threads: {portal}.",
        ]
    )
