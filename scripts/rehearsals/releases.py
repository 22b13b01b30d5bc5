"""Follows docs/releasing.md on a copy, for this release and the next, and holds the project's own tests in it."""

from collections.abc import Iterator
from pathlib import Path

from scripts import changelog
from scripts.versions import demanded_version

from .changes import FIELD
from .edits import Misfit
from .run import ROOT, Copy, Said, commands, lint_gate, rehearse

PAGE = "docs/releasing.md"
HEADING = f"## [{changelog.UNRELEASED}]"
ENTRY = "### Fixed\n\n- A rehearsed fault.\n"
GATES = [["check-release"], ["check-generated"], ["gaps"], ["check-surface"]]


def play(folder: Path) -> Iterator[str]:
    """Release, follow a change of the portal, and release again. Yields what is not as it should be."""
    copy = Copy(folder, released=False)
    gates = [*GATES, *lint_gate(copy)]
    yield from _release(copy, copy.version, gates, keep_heading=False)
    outcome = rehearse(FIELD, copy)
    _write_down(copy, f"{HEADING}\n\n{ENTRY}")
    yield from outcome.complaints
    yield from _tests(copy, f"{FIELD.name} after a release")
    yield from _release(copy, demanded_version(copy.version, "major"), gates, keep_heading=True)


def _release(copy: Copy, version: str, gates: list[list[str]], *, keep_heading: bool) -> Iterator[str]:
    """Prepare a release to the letter of the page; with an empty [Unreleased] kept, or without one."""
    compare, *prepare, publish = commands(copy, PAGE)
    if not publish.startswith("make publish"):
        raise Misfit(f"{PAGE} does not end with make publish.")
    copy.make(*compare.split()[1:])
    (copy.folder / "nous_billing/_version.py").write_text(f'__version__ = "{version}"\n', encoding="utf-8")
    kept = f"{HEADING}\n\n" if keep_heading else ""
    _write_down(copy, f"{kept}## [{version}] - 2030-01-31\n\n{ENTRY}")
    for command in [*(step.split()[1:] for step in prepare), *gates]:
        done = copy.make(*command)
        if not done.content:
            yield f"Release {version}: make {' '.join(command)} fails.\n{done.text}"
    installed = _install(copy)
    if not installed.content:
        yield installed.text
    yield from _tests(copy, f"the release {version}")


def _write_down(copy: Copy, entries: str) -> None:
    """Write entries on top of the changelog, in the place of the heading of what is unreleased."""
    file = copy.folder / "CHANGELOG.md"
    text = file.read_text(encoding="utf-8")
    if HEADING not in text:
        text = text.replace("\n## [", f"\n{HEADING}\n\n## [", 1) if "\n## [" in text else f"{text}\n{HEADING}\n"
    file.write_text(text.replace(HEADING, entries, 1), encoding="utf-8")


def _install(copy: Copy) -> Said:
    """Bring the installed metadata to the version of the copy, as `make setup` does."""
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--refresh-package", "nous-billing"]
    target = ["--python", ".venv", "--target", ".installed", "--upgrade"]
    return copy.run(str(ROOT / ".tools/bin/uv"), "pip", "install", *options, *target, "-e", ".")


def _tests(copy: Copy, state: str) -> Iterator[str]:
    options = ["-q", "-n", "2", "--dist", "loadfile", "-p", "no:cacheprovider"]
    done = copy.python("-m", "pytest", *options, "tests/project", PYTHONDONTWRITEBYTECODE="")
    if not done.content:
        yield f"The tests of the project fail in the state of {state}.\n{done.text}"
