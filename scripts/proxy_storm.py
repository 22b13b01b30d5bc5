"""Make calls by the thousand through a proxy that breaks one handshake in three; fail where anything is lost.

A part of them has a deadline that passes somewhere on the way, and a part of the tasks is cancelled.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

# Started as a file, its own folder is where modules are looked for.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.sockets.transport.storm import storm_in_tasks, storm_in_threads, weather


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000, help="with each client (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    is_lost = False
    with weather() as place:
        for client, storm in (("BillingClient", storm_in_threads), ("AsyncBillingClient", storm_in_tasks)):
            outcome = storm(place, arguments.calls, arguments.seed)
            print(f"{client}: {arguments.calls} calls in {outcome.seconds:.0f} s")
            for ended, count in outcome.outcomes.most_common():
                print(f"  {count:6} {ended}")
            print(f"  lost: {outcome.lost or 'nothing'}; afterwards the client {'works' if outcome.works else 'fails'}")
            is_lost = is_lost or bool(outcome.lost) or not outcome.works
    return int(is_lost)


if __name__ == "__main__":
    sys.exit(main())
