"""Holds the properties for random examples, round after round, and says how many were tried of each.

A failure ends it: the example, and the command that tries it again.
"""

import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
ROUND_TIMEOUT = 1800


def command(seed: int, *more: str) -> list[str]:
    options = ["--hypothesis-profile=random-examples", f"--hypothesis-seed={seed}", "-p", "no:cacheprovider"]
    return [sys.executable, "-m", "pytest", "-q", *options, *more]


def play_round(seed: int, tried: Counter[str]) -> list[str]:
    """Run all properties once, count their examples, and return those that failed."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        run = subprocess.run(
            command(seed, "-n", "auto", "--dist", "loadfile", f"--junitxml={report}", "tests/properties"),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=ROUND_TIMEOUT,
            check=False,
        )
        if run.returncode:
            print(run.stdout, run.stderr, sep="\n")
        return count(report, tried) or (["tests/properties"] if run.returncode else [])


def count(report: Path, tried: Counter[str]) -> list[str]:
    """Add up the examples of a round's report, and return the tests that failed."""
    failed = []
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - written by our own pytest
        module, test = case.attrib["classname"].replace(".", "/") + ".py", case.attrib["name"]
        for entry in case.iter("property"):
            if entry.attrib["name"] == "examples":
                tried[f"{Path(module).name}::{test.partition('[')[0]}"] += int(entry.attrib["value"])
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(f"{module}::{test}")
    return failed


def main(seconds: float) -> None:
    tried: Counter[str] = Counter()
    started, rounds, longest, failed = time.monotonic(), 0, 0.0, list[str]()
    # No round is begun that would not end in time, but for the first.
    while not failed and (not rounds or time.monotonic() - started + longest <= seconds):
        seed, begun = random.randrange(2**32), time.monotonic()  # noqa: S311 - no secret
        failed = play_round(seed, tried)
        rounds, longest = rounds + 1, max(longest, time.monotonic() - begun)
        print(f"round {rounds}, seed {seed}: {tried.total():,} examples so far", flush=True)
    for name, examples in sorted(tried.items()):
        print(f"{examples:10,}  {name}")
    print(f"{tried.total():10,}  examples in {rounds} rounds and {time.monotonic() - started:.0f} s")
    for test in failed:
        print(f"FAILED. Again: {' '.join(command(seed))} '{test}'")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main(float(sys.argv[1]))
