"""Buy on a bad day of the portal, and count charges and sentences against its ledger.

Most purchases are pressed in threads, in each of several ways; a tenth in processes that are killed at random moments.
Those may also be made as earlier clients did it, with a fresh key after each error and each restart.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.chaos.audit import FAULTS_OF_OURS, audit, columns
from tests.chaos.crowd import run_crowd
from tests.chaos.driver import Driver, Run
from tests.chaos.table import table, ways_table
from tests.chaos.words import FAULTS

# Purchases of one portal; it forgets nothing.
CHUNK = 200
KILLED = "killed processes"


class _Progress:
    """One line on a terminal, rewritten; elsewhere one every half a minute."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._told = time.monotonic()
        self._is_terminal = sys.stderr.isatty()

    def __call__(self, line: str) -> None:
        if time.monotonic() - self._told > (0.2 if self._is_terminal else 30):
            self._told = time.monotonic()
            start, end = ("\r\033[K", "") if self._is_terminal else ("", "\n")
            print(f"{start}{self._name}: {line}", end=end, file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._is_terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _chunk(purchases: int, seed: int) -> Counter[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        return run_crowd(Path(folder), purchases, seed)


def _run_crowd(purchases: int, seed: int) -> Counter[tuple[str, str]]:
    sizes = [min(CHUNK, purchases - begun) for begun in range(0, purchases, CHUNK)]
    progress = _Progress("in threads")
    begun = time.monotonic()
    counts: Counter[tuple[str, str]] = Counter()
    done = 0
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        chunks = {pool.submit(_chunk, size, seed + number): size for number, size in enumerate(sizes)}
        for chunk in as_completed(chunks):
            counts.update(chunk.result())
            done += chunks[chunk]
            wrong = sum(counts[name] for name in counts if name[1] in FAULTS)
            progress(f"{done} of {purchases} purchases, {wrong} wrong, {time.monotonic() - begun:.0f} s")
    progress.end()
    counts["portal", "seconds"] = round(time.monotonic() - begun)
    return counts


def _run_killed(arguments: argparse.Namespace, purchases: int, fresh_keys: bool) -> Run:
    progress = _Progress("killed, fresh keys" if fresh_keys else "killed, same key")
    with tempfile.TemporaryDirectory() as folder:
        run = Driver(
            Path(folder),
            purchases=purchases,
            seed=arguments.seed,
            fresh_keys=fresh_keys,
            seconds=arguments.seconds,
            progress=progress,
        ).run()
        progress.end()
        audit(run)
    return run


def main() -> int:
    """Print the tables; fail where anybody was charged twice or told what is not so, or anything was lost."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--purchases", type=int, default=1000, metavar="N", help="default: 1000")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of all that is random; default: 1")
    parser.add_argument("--seconds", type=float, default=150.0, metavar="N", help="to kill in, a run; default: 150")
    parser.add_argument("--both", action="store_true", help="kill processes of the earlier clients' way as well")
    arguments = parser.parse_args()
    killed = max(arguments.purchases // 10, 1)
    runs = [_run_killed(arguments, killed, fresh_keys) for fresh_keys in (False, True)[: 1 + arguments.both]]
    counts = _run_crowd(arguments.purchases - killed, arguments.seed)
    counts.update({(KILLED, column): count for column, count in columns(runs[0]).items()})
    print(f"seed {arguments.seed}\n")
    print(table(runs))
    print()
    print(ways_table(counts))
    bad = any(runs[0].counts[row] for row in FAULTS_OF_OURS) or any(
        counts[name] for name in counts if name[1] in FAULTS
    )
    return 1 if bad or counts["portal", "breaches"] else 0


if __name__ == "__main__":
    sys.exit(main())
