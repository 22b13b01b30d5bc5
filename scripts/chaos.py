"""Buy in processes that are killed at random moments, against a mock portal on a bad day, and count the charges.

Once as the SDK does it, with one key for each purchase and a store, and once as earlier clients did it, with a fresh
key after each error and each restart.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.chaos.audit import FAULTS_OF_OURS, audit
from tests.chaos.driver import Driver, Run
from tests.chaos.table import table


class _Progress:
    """One line on a terminal, rewritten; nothing elsewhere."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._told = 0.0

    def __call__(self, line: str) -> None:
        if sys.stderr.isatty() and time.monotonic() - self._told > 0.2:
            self._told = time.monotonic()
            print(f"\r\033[K{self._name}: {line}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._told:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _run(arguments: argparse.Namespace, fresh_keys: bool) -> Run:
    progress = _Progress("fresh keys" if fresh_keys else "same key")
    with tempfile.TemporaryDirectory() as folder:
        run = Driver(
            Path(folder),
            purchases=arguments.purchases,
            seed=arguments.seed,
            fresh_keys=fresh_keys,
            seconds=arguments.seconds,
            progress=progress,
        ).run()
        progress.end()
        audit(run)
    return run


def main() -> int:
    """Print a table; fail where anybody was charged twice, or anything was lost, with the same key."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--purchases", type=int, default=1000, metavar="N", help="default: 1000")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of all that is random; default: 1")
    parser.add_argument("--seconds", type=float, default=150.0, metavar="N", help="to kill in, a run; default: 150")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--fresh-keys", action="store_true", help="the earlier clients' way only")
    way.add_argument("--both", action="store_true", help="the SDK's way, then the earlier clients'")
    arguments = parser.parse_args()
    ways = (False, True) if arguments.both else (arguments.fresh_keys,)
    runs = [_run(arguments, fresh_keys) for fresh_keys in ways]
    print(f"seed {arguments.seed}")
    print(table(runs))
    bad = any(run.counts[row] for run in runs for row in FAULTS_OF_OURS if not run.fresh_keys)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
