"""Break the token endpoint in each way, and count requests and lost logins, with 1 and with 20 processes
and each storage."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

# Started as a file, its own folder is where modules are looked for.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.auth.matrix import STORAGES, Matrix, cells


def main() -> int:
    """Print a line for each cell; fail where a login was lost, or the portal was asked too often."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 20], metavar="N", help="default: 1 20")
    parser.add_argument("--storages", nargs="+", choices=STORAGES, default=STORAGES, help="default: all")
    arguments = parser.parse_args()
    bad = lost = 0
    print(f"{'token endpoint':28} {'token':15} {'storage':10} {'processes':>9} {'requests':>8} {'allowed':>7}  calls")
    with Matrix() as matrix:
        for fault, token, processes, storage in cells(tuple(arguments.storages), tuple(arguments.processes)):
            cell = matrix.run(fault, token, processes, storage)
            ended = ", ".join(f"{count} {outcome}" for outcome, count in cell.outcomes.most_common())
            words = f"{'LOST ' if cell.is_lost else ''}{'' if cell.is_good else 'WRONG '}"
            numbers = f"{processes:9} {cell.requests:8} {cell.allowed:7}"
            print(f"{fault:28} {token:15} {storage:10} {numbers}  {words}{ended}", flush=True)
            bad += not cell.is_good
            lost += cell.is_lost
    print(f"logins lost: {lost}; cells that are wrong: {bad}")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
