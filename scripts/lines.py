"""Count the lines that a change took, by git and by part: `python -m scripts.lines OLD [NEW] [--each 5]`.

Files that a tool writes are a part of their own. `--each` divides, for a change of so many endpoints.
"""

import argparse
import re
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The first pattern that a path begins with decides.
PARTS = {
    r"generated/|released/|nous_billing/mock/contract\.json|.*\.pyi|tests/project/surface\.txt": "written by tools",
    r"openapi/": "contract",
    r"nous_billing/mock/": "mock",
    r"nous_billing/": "facade",
    r"tests/": "tests",
    r"docs/|examples/|.*\.md|zensical\.toml": "documentation",
    r"": "tools",
}
ROW = "{:<18} {:>7} {:>9} {:>9}"


def part(path: str) -> str:
    """The part of the project that a file belongs to."""
    return next(name for pattern, name in PARTS.items() if re.match(pattern, path))


def counted(numstat: Iterable[str]) -> dict[str, tuple[int, int]]:
    """The lines added and removed in each part, from what `git diff --numstat` prints."""
    added, removed = Counter[str](), Counter[str]()
    for line in numstat:
        plus, minus, path = line.split("\t")
        # Git counts no lines of a file that is not text.
        added[part(path)] += 0 if plus == "-" else int(plus)
        removed[part(path)] += 0 if minus == "-" else int(minus)
    return {name: (added[name], removed[name]) for name in PARTS.values() if added[name] or removed[name]}


def numstat(root: Path, *commits: str) -> list[str]:
    """What `git diff --numstat` prints: for each file the lines added and removed, and its path."""
    command = ["git", "diff", "--numstat", "--no-renames", *commits]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.splitlines()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commits", nargs="+", metavar="COMMIT", help="from where, and to where (else: as it is now)")
    parser.add_argument("--each", type=int, default=1, help="how many endpoints the change has")
    arguments = parser.parse_args()
    print(ROW.format("part", "added", "removed", "for each"))
    for name, (added, removed) in counted(numstat(ROOT, *arguments.commits)).items():
        print(ROW.format(name, added, removed, round(added / arguments.each)))


if __name__ == "__main__":
    main()
