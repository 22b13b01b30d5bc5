"""Rehearse changes of the portal on copies of the project, and print a table of what the tools say.

Columns: the verdict of the tools, the versions that they demand of the contract and of the package, the places that
they name, and the lines that a person writes in the package.
"""

import argparse
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .changes import REHEARSALS
from .run import Outcome, demanded, rehearse, verdict

ROW = "{:<40} {:<8} {:<9} {:<8} {:>6} {:>6}"


def row(name: str, outcome: Outcome) -> str:
    places = sum(re.match(r"\S+:\d+: |\S+\.py: ", line) is not None for line in outcome.gaps.text.splitlines())
    changes, surface = outcome.changes.text, outcome.surface.text
    return ROW.format(name, verdict(changes), demanded(changes), demanded(surface), places, outcome.lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--verbose", action="store_true", help="print all that the tools say, too")
    verbose = parser.parse_args().verbose
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(2) as pool:
        folders = [Path(name).resolve() / str(number) for number in range(len(REHEARSALS))]
        outcomes = list(pool.map(rehearse, REHEARSALS, folders))
    print(ROW.format("change", "verdict", "contract", "package", "places", "lines"))
    for rehearsal, outcome in zip(REHEARSALS, outcomes, strict=True):
        print(row(rehearsal.name, outcome))
        if verbose:
            print(outcome.changes.text, outcome.gaps.text, outcome.surface.text, sep="\n")
    failed = [each for outcome in outcomes for each in (outcome.left, outcome.proof) if not each.content]
    if failed:
        sys.exit("\n".join(each.text for each in failed))


if __name__ == "__main__":
    main()
