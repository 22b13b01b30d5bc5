"""The version stands in one place, and a release is prepared before it is published."""

import re
from importlib.metadata import metadata
from pathlib import Path

import pytest
from packaging.version import Version

from scripts import changelog, release
from scripts.rehearsals.run import Copy

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
    assert next(iter(sections)) == changelog.UNRELEASED
    released = [Version(name) for name in sections if name != changelog.UNRELEASED]
    assert released == sorted(released, reverse=True)
    # A version that no section has yet is one that is being written.
    assert Version(release.version()) in released or sections[changelog.UNRELEASED]
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


def test_a_release_is_refused_while_its_version_is_too_low_and_then_kept(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    text = (copy.folder / "CHANGELOG.md").read_text()
    (copy.folder / "CHANGELOG.md").write_text(text.replace("## [Unreleased]", "## [0.1.0] - 2026-01-31"))
    assert copy.make("check-release").content
    surface = copy.folder / "tests/project/surface.txt"
    listed = surface.read_text()
    surface.write_text(listed.replace("DEFAULT_TIMEOUT = 15.0", "DEFAULT_TIMEOUT = 16.0"))

    unprepared = copy.make("check-release")
    assert not unprepared.content
    assert "Prepare the release: make release" in unprepared.text
    low = copy.make("release")
    assert not low.content
    assert "The version in nous_billing/_version.py is 0.1.0. Set it to 0.2.0." in low.text
    assert (copy.folder / "released/surface.txt").read_text() == listed

    for path, old, new in (
        (copy.folder / "CHANGELOG.md", "## [0.1.0] - 2026-01-31", "## [0.2.0] - 2026-02-28"),
        (copy.folder / "nous_billing/_version.py", "0.1.0", "0.2.0"),
        (surface, "__version__ = '0.1.0'", "__version__ = '0.2.0'"),
    ):
        path.write_text(path.read_text().replace(old, new))
    assert copy.make("release").content
    assert (copy.folder / "released/surface.txt").read_text() == surface.read_text()
    assert copy.make("check-release").content
