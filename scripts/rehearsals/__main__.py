"""Rehearse changes of the portal and releases on copies of the project, as the pages say, and print what each takes.

Columns: the verdict of the tools, the versions that they demand of the contract and of the package, and the lines that
a person writes in the package, with how many there may be.
"""

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import releases
from .changes import ENDPOINT, FOLLOWING
from .edits import Misfit
from .run import Copy, Outcome, demanded, rehearse, verdict

ROW = "{:<32} {:<8} {:<9} {:<8} {:>6} {:>8}"


def row(outcome: Outcome) -> str:
    asks, surface = outcome.asks, outcome.surface
    versions = (demanded(said) or "-" for said in (asks, surface))
    return ROW.format(outcome.rehearsal.name, verdict(asks), *versions, outcome.lines, outcome.rehearsal.lines)


def play(folder: Path) -> tuple[list[Outcome], list[str]]:
    """Rehearse all. Returns what came of each change, and what is not as it should be."""
    with ThreadPoolExecutor(2) as pool:
        released = pool.submit(lambda: list(releases.play(folder / "releases")))
        base = Copy(folder / "endpoint")
        outcomes = [rehearse(ENDPOINT, base)]
        copies = [Copy(folder / str(number), base.folder) for number in range(len(FOLLOWING))]
        outcomes += pool.map(rehearse, FOLLOWING, copies)
        return outcomes, [*(each for outcome in outcomes for each in outcome.complaints), *released.result()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--verbose", action="store_true", help="print all that the tools say, too")
    verbose = parser.parse_args().verbose
    with tempfile.TemporaryDirectory() as name:
        try:
            outcomes, complaints = play(Path(name).resolve())
        except Misfit as error:
            sys.exit(str(error))
    print(ROW.format("change", "verdict", "contract", "package", "lines", "at most"))
    for outcome in outcomes:
        print(row(outcome))
        if verbose:
            print(outcome.asks, outcome.surface, sep="\n")
    if complaints:
        sys.exit("\n".join(complaints))
    print("This release and the next were prepared as docs/releasing.md says; the tests of the project hold in both.")


if __name__ == "__main__":
    main()
