"""The version stands in one place, and a release is prepared before it is published."""

import re
from importlib.metadata import metadata
from pathlib import Path

import pytest
from packaging.version import Version

from scripts import changelog, release
from scripts.rehearsals.run import Copy
from scripts.versions import demanded_version

ROOT = Path(__file__).parents[2]
GOOD = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-02-01\n\n- Second.\n\n## [0.1.0] - 2026-01-01\n\n- First.\n"


def test_the_version_stands_in_one_place() -> None:
    assert "version" in re.findall(r"^dynamic = \[\"(.*)\"\]$", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert metadata("nous-billing")["Version"] == release.version()
    written = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "nous_billing").rglob("*.py"))
        if f'"{release.version()}"' in path.read_text(encoding="utf-8")
    ]
    assert written == ["nous_billing/_version.py"]


def test_the_changelog_goes_down_to_the_first_version_and_has_the_next_one() -> None:
    sections = changelog.sections(changelog.CHANGELOG.read_text())
    assert changelog.UNRELEASED not in [*sections][1:]
    released = [Version(name) for name in sections if name != changelog.UNRELEASED]
    assert released == sorted(released, reverse=True)
    # A version that no section has yet is one that is being written.
    assert Version(release.version()) in released or sections.get(changelog.UNRELEASED)
    assert all(each <= Version(release.version()) for each in released)


def test_every_entry_of_the_changelog_is_of_a_known_kind() -> None:
    kinds = re.findall(r"^### (.*)$", changelog.CHANGELOG.read_text(), re.MULTILINE)
    assert set(kinds) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


@pytest.mark.parametrize(
    ("text", "version", "said"),
    [
        (GOOD, "0.2.0", []),
        (GOOD, "0.1.0", ["newest section"]),
        (GOOD, "0.3.0", ["newest section"]),
        (GOOD.replace(" - 2026-02-01", ""), "0.2.0", ["newest section"]),
        (GOOD.replace("- Second.\n", ""), "0.2.0", ["newest section"]),
        (GOOD.replace("[Unreleased]\n", "[Unreleased]\n\n- More.\n"), "0.2.0", ["Move them to [0.2.0]"]),
    ],
)
def test_what_keeps_a_version_from_release_is_said(text: str, version: str, said: list[str]) -> None:
    complaints = changelog.complaints(text, version)
    assert len(complaints) == len(said)
    for complaint, part in zip(complaints, said, strict=True):
        assert part in complaint


@pytest.fixture
def changed(tmp_path: Path) -> Copy:
    """A copy of the project that lacks a public name of its last release."""
    copy = Copy(tmp_path)
    assert copy.make("check-release").content
    kept = copy.folder / "released/surface.txt"
    kept.write_text(f"AAA = 1\n{kept.read_text()}")
    return copy


def entries(version: str) -> str:
    return f"## [{version}] - 2026-02-28\n\n- What changed.\n"


def test_a_release_is_refused_while_its_version_is_too_low_and_then_kept(changed: Copy) -> None:
    version, needed = changed.version, demanded_version(changed.version, "major")
    surface, kept = changed.folder / "tests/project/surface.txt", changed.folder / "released/surface.txt"
    before = kept.read_text()
    unprepared = changed.make("check-release")
    assert not unprepared.content
    assert "Prepare the release: make release" in unprepared.text
    # Something else was released before.
    text = f"# Changelog\n\n{entries(version)}\n## [0.0.1] - 2026-01-31\n\n- First.\n"
    (changed.folder / "CHANGELOG.md").write_text(text)
    low = changed.make("release")
    assert not low.content
    assert f"The version in nous_billing/_version.py is {version}. Set it to {needed}." in low.text
    assert kept.read_text() == before

    (changed.folder / "CHANGELOG.md").write_text(f"# Changelog\n\n{entries(needed)}\n{entries(version)}")
    (changed.folder / "nous_billing/_version.py").write_text(f'__version__ = "{needed}"\n')
    assert changed.make("surface").content
    done = changed.make("release")
    assert done.content, done.text
    assert kept.read_text() == surface.read_text()
    assert changed.make("check-release").content


def test_the_first_release_is_compared_with_nothing(changed: Copy) -> None:
    (changed.folder / "CHANGELOG.md").write_text(f"# Changelog\n\n## [Unreleased]\n\n{entries(changed.version)}")
    done = changed.make("release")
    assert done.content, done.text
    assert changed.make("check-release").content
