"""Start what is measured, round by round, the rivals taking turns, and keep every figure."""

import json
import os
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FEWEST_ROUNDS = 2
LATE = 180.0
"""Seconds after which one round has to do, so that a run on a busy machine ends too."""

Figures = Mapping[str, float]


@dataclass
class Row:
    """One table: its subjects by name, each a function that measures once."""

    title: str
    note: str
    subjects: Mapping[str, Callable[[], Figures]]
    rounds: int
    seconds: float
    """After this time no further round is begun, but for the fewest."""
    rivals: Mapping[str, str] = field(default_factory=dict[str, str])
    """By name of a subject, the one that its wall time is compared with."""
    taken: dict[str, list[Figures]] = field(default_factory=dict[str, list[Figures]])

    def run(self, show: Callable[[str], None], all_begun: float) -> None:
        begun = time.monotonic()
        for number in range(self.rounds):
            now = time.monotonic()
            if number >= (1 if now - all_begun > LATE else FEWEST_ROUNDS) and now - begun > self.seconds:
                break
            show(f"{self.title}: round {number + 1} of {self.rounds}")
            for name, measure in self.subjects.items():
                self.taken.setdefault(name, []).append(measure())

    def values(self, name: str, figure: str) -> list[float]:
        return [figures[figure] for figures in self.taken[name]]

    def median(self, name: str, figure: str) -> float:
        return statistics.median(self.values(name, figure))

    def ratio(self, name: str, other: str, figure: str) -> float:
        """The median of the ratios of each round: what slows the machine down for a while slows both."""
        pairs = zip(self.values(name, figure), self.values(other, figure), strict=True)
        return statistics.median(one / two for one, two in pairs)


def process(command: Sequence[str | Path], environment: Mapping[str, str]) -> Figures:
    """Run a process to its end, which is to print its peak memory: that, wall time and CPU time of all of it."""
    begun = time.perf_counter()
    with subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        output = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed")
    (peak,) = re.findall(r"^VmHWM:\s+(\d+) kB$", output, re.MULTILINE)
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "memory": int(peak) * 1024}


def worker(python: Path, environment: Mapping[str, str], *arguments: object) -> Figures:
    """Run a task of ``worker.py`` in a process of its own."""
    return _figures(_start(python, environment, *arguments))


def workers(count: int, python: Path, environment: Mapping[str, str], *arguments: object) -> Figures:
    """The same in so many processes at once; the median of each figure."""
    together = [_start(python, environment, *arguments) for _ in range(count)]
    done = [_figures(each) for each in together]
    return {key: statistics.median(figures[key] for figures in done) for key in done[0]}


def _start(python: Path, environment: Mapping[str, str], *arguments: object) -> "subprocess.Popen[str]":
    command: list[str | Path] = [python, "-m", "benchmarks.worker", *map(str, arguments)]
    return subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def _figures(started: "subprocess.Popen[str]") -> Figures:
    output, _ = started.communicate()
    if started.returncode:
        raise SystemExit(f"{started.args!r} failed")
    figures: Figures = json.loads(output)
    return figures
