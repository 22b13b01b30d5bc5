"""The lines of a change are counted by part."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.lines import counted, main, numstat, part


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("generated/nous_portal_api/client.py", "written by tools"),
        ("nous_billing/mock/contract.json", "written by tools"),
        ("nous_billing/__init__.pyi", "written by tools"),
        ("tests/project/surface.txt", "written by tools"),
        ("openapi/nous-portal-billing.yaml", "contract"),
        ("nous_billing/mock/plans.py", "mock"),
        ("nous_billing/protocol/upgrade.py", "facade"),
        ("tests/mock/api.py", "tests"),
        ("docs/guide/money.md", "documentation"),
        ("CHANGELOG.md", "documentation"),
        ("examples/buy.py", "documentation"),
        ("scripts/lines.py", "tools"),
        ("Makefile", "tools"),
    ],
)
def test_each_file_belongs_to_a_part(path: str, name: str) -> None:
    assert part(path) == name


def test_lines_are_added_up_by_part_and_a_file_that_is_not_text_has_none() -> None:
    lines = ["3\t1\tnous_billing/money.py", "4\t0\tnous_billing/models.py", "0\t2\ttests/x.py", "-\t-\topenapi/x.png"]
    assert counted(lines) == {"facade": (7, 1), "tests": (0, 2)}


def test_the_lines_are_those_between_two_commits(tmp_path: Path) -> None:
    def git(*command: str) -> None:
        settings = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *settings, *command], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-b", "main")
    (tmp_path / "openapi").mkdir()
    for text in ("a\nb\n", "a\nc\nd\n", "all is new\n"):
        (tmp_path / "openapi/x.yaml").write_text(text)
        git("add", ".")
        git("commit", "-m", "x")
    assert counted(numstat(tmp_path, "HEAD~2", "HEAD~1")) == {"contract": (2, 1)}
    assert counted(numstat(tmp_path, "HEAD~1")) == {"contract": (1, 3)}


def test_the_command_prints_a_row_for_each_part_and_divides(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("scripts.lines.numstat", lambda root, *commits: [f"{len(commits)}3\t1\tMakefile"])
    monkeypatch.setattr(sys, "argv", ["lines", "a", "b", "--each", "5"])
    main()
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["part", "added", "removed", "for", "each"],
        ["tools", "23", "1", "5"],
    ]
