"""Plays a change through on a copy of the project."""

import difflib
import os
import re
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

from .changes import Edit, Rehearsal

ROOT = Path(__file__).resolve().parents[2]
_COPIED = [
    ".gitignore",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "generated",
    "nous_billing",
    "openapi",
    "package.json",
    "pyproject.toml",
    "redocly.yaml",
    "released",
    "scripts",
    "tests/project/surface.txt",
]
_SHARED = ["node_modules", ".tools", ".venv"]
_SMOKE = """
from nous_billing import BillingClient, StaticToken
from nous_billing.mock import Fault, MockPortal
portal = MockPortal()
with portal.serve() as url, BillingClient(StaticToken(portal.issue_token()), base_url=url) as client:
"""


@dataclass(frozen=True)
class Said:
    """What a command said, and whether it was content."""

    content: bool
    text: str


@dataclass(frozen=True)
class Outcome:
    """What came of a rehearsal.

    Attributes:
        changes: What changed, as the tools say it.
        gaps: What the tools asked a person to write, before it was written.
        left: What they still ask for afterwards.
        proof: Whether the change can be used.
        surface: What changed in the public surface.
    """

    changes: Said
    gaps: Said
    left: Said
    proof: Said
    surface: Said
    lines: int


class Copy:
    """A copy of the project that counts as a release: what it says now is what the last release said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in _COPIED:
            source, target = ROOT / name, folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, target)
        for name in _SHARED:
            (folder / name).symlink_to(ROOT / name)
        shutil.copy2(folder / "tests/project/surface.txt", folder / "released/surface.txt")
        shutil.copy2(folder / "openapi/nous-portal-billing.yaml", folder / "released/nous-portal-billing.yaml")

    def apply(self, edits: tuple[Edit, ...]) -> None:
        for edit in edits:
            edit.apply(self.folder)

    def python(self, *arguments: str, **environment: str) -> Said:
        return self.run(sys.executable, *arguments, **environment)

    def make(self, *arguments: str, **environment: str) -> Said:
        """Run make with the environments of the project as they are."""
        return self.run(
            "make", "--no-print-directory", "-o", ".venv/.stamp", "-o", "node_modules/.stamp", *arguments, **environment
        )

    def run(self, *command: str, **more: str) -> Said:
        # What is in the copy comes before what is installed.
        environment = {**os.environ, "PYTHONPATH": "generated", "PYTHONDONTWRITEBYTECODE": "1", **more}
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            text=True,
            timeout=300,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return Said(done.returncode == 0, done.stdout)

    def write(self, edits: tuple[Edit, ...]) -> int:
        """Apply what a person writes. Returns how many lines that takes in the package."""
        before = self._sources()
        self.apply(edits)
        return sum(written(before[path], now) for path, now in self._sources().items())

    def follow(self) -> None:
        """What `make generate surface` does."""
        for step in (["-m", "scripts.generate"], ["-m", "scripts.exports"], ["-m", "scripts.surface"]):
            done = self.python(*step)
            if not done.content:
                raise RuntimeError(done.text)

    def proves(self, *rehearsals: Rehearsal) -> Said:
        return self.python("-c", "".join(_SMOKE + textwrap.indent(each.proof, "    ") for each in rehearsals))

    def _sources(self) -> dict[str, list[str]]:
        paths = (self.folder / "nous_billing").rglob("*.py")
        return {str(path): path.read_text(encoding="utf-8").splitlines() for path in paths}


def rehearse(rehearsal: Rehearsal, folder: Path) -> Outcome:
    copy = Copy(folder)
    copy.apply(rehearsal.contract)
    changes = copy.python("-m", "scripts.changes")
    gaps = copy.python("-m", "scripts.gaps")
    lines = copy.write(rehearsal.by_hand)
    copy.follow()
    return Outcome(
        changes=changes,
        gaps=gaps,
        left=copy.python("-m", "scripts.gaps"),
        proof=copy.proves(rehearsal),
        surface=copy.python("-m", "scripts.surface_changes"),
        lines=lines,
    )


def written(before: list[str], now: list[str]) -> int:
    """How many lines a person wrote, changed or took out; empty ones do not count."""
    marked = [line[0] for line in difflib.ndiff(before, now) if line[2:].strip()]
    return max(marked.count("+"), marked.count("-"))


def verdict(said: str) -> str:
    """The impact that the tools name last, such as ``minor``."""
    found: list[str] = re.findall(r"demand an? (\w+) version", said)
    return found[0] if found else "none"


def demanded(said: str) -> str:
    """The version that the tools demand."""
    found: list[str] = re.findall(r"version:? ([\d.]+) or higher", said)
    return found[0] if found else "?"
