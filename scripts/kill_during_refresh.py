"""Kill processes while they refresh a login, and measure the one window that no client can close.

The portal has rotated the refresh token, and the new pair is not in the file yet: a process that dies then leaves a
refresh token that was spent. Within the portal's grace of 60 s the next process is given the same pair.
"""

import argparse
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.auth.killing import Killing, in_milliseconds


def main() -> int:
    """Print a table; fail where a file was broken or a login lost."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--times", type=int, default=100, metavar="N", help="how many processes to kill; default: 100")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the random moments; default: 1")
    arguments = parser.parse_args()
    moments = random.Random(arguments.seed)  # noqa: S311 - moments, not secrets
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        killing = Killing(Path(folder))
        try:
            for _ in range(arguments.times):
                killed = killing.kill(moments.uniform(0, 0.03))
                counts["whole"] += killed.whole
                counts["owner-only"] += killed.mode == 0o600
                counts["half"] += "login.json.new" in killed.files
                counts["window"] += killed.in_window
                counts["alive"] += killed.alive
                known = {"login.json", "login.json.lock", "login.json.new"}
                counts["foreign"] += not set(killed.files) <= known
            windows = killing.windows(200)
        finally:
            killing.close()
    least, middle, most, greatest = in_milliseconds(windows)
    print(f"""\
kills during a refresh                       {arguments.times:6}
file whole                                   {counts["whole"]:6}
file mode 0600                               {counts["owner-only"]:6}
a half-written file left beside it           {counts["half"]:6}
any other file left                          {counts["foreign"]:6}
killed in the window (spent, not yet saved)  {counts["window"]:6}
login alive afterwards                       {counts["alive"]:6}
window in ms, {len(windows)} refreshes: least {least}, median {middle}, 99 % {most}, greatest {greatest}""")
    good = counts["whole"] == counts["owner-only"] == counts["alive"] == arguments.times
    return 0 if good and not counts["foreign"] else 1


if __name__ == "__main__":
    sys.exit(main())
