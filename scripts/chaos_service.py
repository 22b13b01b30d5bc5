"""Kill the processes of the example of a service, and its database, while impatient people buy, and count.

Each answer over HTTP is held against the ledger of the mock portal when it comes.

Half of the purchases with `examples/service/worker.py`, half with `durable_worker.py`.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.service.chaos import ServiceChaos
from tests.service.table import is_bad, table
from tests.sql.database import postgres

WORKERS = ("worker", "durable_worker")
_MOST_PRINTED = 10


def _run(worker: str, purchases: int, seed: int, logs: Path | None) -> Counter[str]:
    told = time.monotonic()

    def progress(line: str) -> None:
        nonlocal told
        if time.monotonic() - told > 10:
            told = time.monotonic()
            print(f"{worker}: {line}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory() as name, postgres() as server:
        folder = (logs or Path(name)) / worker
        folder.mkdir(parents=True)
        chaos = ServiceChaos(folder, server, worker=worker, purchases=purchases, seed=seed, progress=progress)
        counts = chaos.run()
    complaints = [complaint for intent in chaos.intents for complaint in intent.complaints]
    print(*complaints[:_MOST_PRINTED], sep="\n", flush=True)
    return counts


def main() -> int:
    """Print the table; fail where anybody was charged twice or told what is not so, or anything was lost."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--purchases", type=int, default=200, metavar="N", help="default: 200")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of all that is random; default: 1")
    parser.add_argument("--worker", choices=WORKERS, help="only with this one")
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep what the processes print")
    arguments = parser.parse_args()
    # Leave no process behind.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    workers = [arguments.worker] if arguments.worker else WORKERS
    share = max(arguments.purchases // len(workers), 1)
    runs = {worker: _run(worker, share, arguments.seed, arguments.logs) for worker in workers}
    print(f"seed {arguments.seed}\n")
    print(table(runs))
    return 1 if any(map(is_bad, runs.values())) else 0


if __name__ == "__main__":
    sys.exit(main())
