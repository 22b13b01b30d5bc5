"""Plays a change through on a copy of the project."""

import difflib
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .changes import CONTRACT, Edit, Rehearsal
from .edits import Change, Misfit

ROOT = Path(__file__).resolve().parents[2]
PORTAL_PAGE = "docs/portal-changed.md"
# The environments of the project, which its copies share.
_SHARED = ["node_modules", ".tools", ".venv"]
_OF_MAKE = {"MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "INDEX_URL", "CHECK_URL"}
_RELEASED_CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n## [{}] - 2026-01-31\n\n### Added\n\n- All of it.\n"
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


class Copy:
    """A copy of the project that counts as a release: what it says now is what the last release said."""

    def __init__(self, folder: Path, source: Path = ROOT, *, released: bool = True) -> None:
        self.folder = folder
        ignored = [line.rstrip("/") for line in (source / ".gitignore").read_text(encoding="utf-8").split()]
        unwanted = shutil.ignore_patterns(".git", *ignored)
        shutil.copytree(source, folder, ignore=unwanted, symlinks=True, dirs_exist_ok=True)
        for name in _SHARED:
            (folder / name).symlink_to(source / name)
        if released:
            self.release()

    @property
    def version(self) -> str:
        (found,) = re.findall(r'"(.+)"', (self.folder / "nous_billing/_version.py").read_text(encoding="utf-8"))
        return str(found)

    def release(self) -> None:
        """Count what is here now as the last release."""
        shutil.copy2(self.folder / "tests/project/surface.txt", self.folder / "released/surface.txt")
        shutil.copy2(self.folder / CONTRACT, self.folder / "released/nous-portal-billing.yaml")
        self.python("-c", "from scripts import release, sbom; sbom.write(release.version())")
        text = _RELEASED_CHANGELOG.format(self.version)
        (self.folder / "CHANGELOG.md").write_text(text, encoding="utf-8")

    def apply(self, edits: Iterable[Change]) -> None:
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
        path = os.pathsep.join(str(self.folder / name) for name in (".installed", ".", "generated"))
        # What was said to a make outside is not said to one in the copy: an address to publish to, above all.
        kept = {name: value for name, value in os.environ.items() if name not in _OF_MAKE}
        environment = {**kept, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", **more}
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            text=True,
            # A guard against hanging: on a busy machine the tests of the tooling alone take a quarter of an hour.
            timeout=1800,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return Said(done.returncode == 0, done.stdout)

    def write(self, edits: Iterable[Change]) -> int:
        """Apply what a person writes, and format it. Returns how many lines that takes in the package."""
        # What was not formatted before is not counted.
        self.make("format")
        before = self._sources()
        self.apply(edits)
        self.make("format")
        now = self._sources()
        return sum(written(before.get(path, []), now.get(path, [])) for path in before.keys() | now.keys())

    def follow(self) -> None:
        """What `make generate surface` does."""
        for step in (["-m", "scripts.generate"], ["-m", "scripts.exports"], ["-m", "scripts.surface"]):
            done = self.python(*step)
            if not done.content:
                raise RuntimeError(done.text)

    def proves(self, rehearsal: Rehearsal) -> Said:
        return self.python("-c", _SMOKE + textwrap.indent(rehearsal.proof, "    "))

    def _sources(self) -> dict[Path, list[str]]:
        paths = (self.folder / "nous_billing").rglob("*.py")
        return {path: path.read_text(encoding="utf-8").splitlines() for path in paths}


@dataclass(frozen=True)
class Outcome:
    """What came of a rehearsal.

    Attributes:
        asks: What the tools said of the changed contract: the verdict, and what is left to write.
        lines: How many lines were written by hand in the package.
        surface: What changed in the public surface.
        complaints: What is not as it should be.
    """

    rehearsal: Rehearsal
    asks: str
    lines: int
    surface: str
    complaints: list[str]


def lint_gate(copy: Copy) -> list[list[str]]:
    """Return the gate of the linter, where the project passes it by itself: else `make lint` says what is wrong."""
    return [["lint"]] if copy.make("lint").content else []


def rehearse(rehearsal: Rehearsal, copy: Copy) -> Outcome:
    """Follow a change of the contract as docs/portal-changed.md says."""
    lint = lint_gate(copy)
    ask, *follow, test, check = commands(copy, PORTAL_PAGE)
    if (test, check) != ("make test", "make check"):
        raise Misfit(f"{PORTAL_PAGE} does not end with make test and make check.")
    try:
        copy.apply(rehearsal.contract)
        asks = copy.make(*ask.split()[1:]).text
        if version := demanded(asks):
            copy.apply([Edit(CONTRACT, "\ninfo:", f"\n  version: {contract_version(copy)}", f"\n  version: {version}")])
        lines = copy.write(rehearsal.by_hand)
    except Misfit as error:
        raise Misfit(f"The rehearsal of {rehearsal.name} does not fit the project any more. {error}") from None
    # The rest of `make check` is run on the project itself.
    steps = [step.split()[1:] for step in follow] + [["check-generated"], ["check-surface"], *lint]
    done = [copy.make(*step) for step in steps]
    done.append(copy.python("-m", "mypy", "nous_billing"))
    done.append(copy.proves(rehearsal))
    found = [*_complaints(rehearsal, asks, lines), *(each.text for each in done if not each.content)]
    surface = copy.python("-m", "scripts.surface_changes").text
    return Outcome(rehearsal, asks, lines, surface, [f"{rehearsal.name}: {complaint}" for complaint in found])


def _complaints(rehearsal: Rehearsal, asks: str, lines: int) -> Iterator[str]:
    if verdict(asks) != rehearsal.impact:
        yield f"`make contract` calls it {verdict(asks)}, not {rehearsal.impact}."
    for text in rehearsal.asked:
        if text not in asks:
            yield f"`make contract` does not ask for it: {text}"
    if lines > rehearsal.lines:
        yield f"It takes {lines} lines by hand, more than {rehearsal.lines}."


def commands(copy: Copy, page: str) -> list[str]:
    """The commands of a page, one after the other."""
    blocks = re.findall(
        r"^ *```sh\n(.*?)^ *```", (copy.folder / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    return [line.strip() for block in blocks for line in block.strip().splitlines()]


def contract_version(copy: Copy) -> str:
    (found,) = re.findall(r"^  version: (.+)$", (copy.folder / CONTRACT).read_text(encoding="utf-8"), re.MULTILINE)
    return str(found)


def written(before: list[str], now: list[str]) -> int:
    """How many lines a person wrote, changed or took out; empty ones do not count."""
    marked = [line[0] for line in difflib.ndiff(before, now) if line[2:].strip()]
    return max(marked.count("+"), marked.count("-"))


def verdict(said: str) -> str:
    """The impact that the tools name last, such as ``minor``."""
    found: list[str] = re.findall(r"demand an? (\w+) version", said)
    return found[0] if found else "none"


def demanded(said: str) -> str:
    """The version that the tools demand; empty where none is."""
    found: list[str] = re.findall(r"version:? ([\d.]+) or higher", said)
    return found[0] if found else ""
