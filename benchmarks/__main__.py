"""Measure everything and write ``RESULTS.md``, on Linux.

Arguments: a Python without click and rich, and the names of some rows, whose tables are then only printed.
"""

import sys
import tempfile
import time
from pathlib import Path

from benchmarks import goals, hotspots, report
from benchmarks.inside import write_logins
from benchmarks.measure import process
from benchmarks.portal import portal
from benchmarks.rows import IMPORTS, PEAK, SYNC, rows

RESULTS = Path(__file__).parent / "RESULTS.md"


def main(lean: Path, only: list[str]) -> None:
    begun = time.monotonic()
    full = Path(sys.executable)

    def show(what: str) -> None:
        print(f"{time.monotonic() - begun:4.0f} s  {what}", flush=True)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_logins(folder)
        with portal(folder) as addresses:
            show("Compiling what is imported")
            for python in (full, lean):
                for module in [*IMPORTS.values(), *(f"import {rival}" for rival in SYNC.values())]:
                    path = {**addresses.environment, "PYTHONPATH": str(Path(__file__).parent / "rivals")}
                    process([python, "-c", f"{module}\n{PEAK}"], path)
            measured = rows(addresses, full, lean)
            if only:
                measured = {key: row for key, row in measured.items() if key in only}
            for row in measured.values():
                row.run(show, begun)
                if only:
                    print("\n".join(report.row_lines(row)), flush=True)
            if only:
                return
            show("Profiling")
            profile = list(hotspots.lines(addresses, full))
    RESULTS.write_text(report.results(measured, time.monotonic() - begun, profile), encoding="utf-8")
    print("\n".join(goals.table(measured)))
    show(f"Wrote {RESULTS.relative_to(Path.cwd())}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), sys.argv[2:])
