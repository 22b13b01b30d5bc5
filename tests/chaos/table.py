"""One table for one run or more."""

from collections.abc import Sequence

from tests.chaos.audit import FAULTS_OF_OURS
from tests.chaos.driver import Run
from tests.chaos.faults import DELAY, KINDS

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
