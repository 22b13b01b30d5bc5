"""The project's own files: what they must name, and what they must not."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

import nous_billing._version

ROOT = Path(__file__).parents[2]
PACKAGE_INDEX = re.compile(r"(pypi|pythonhosted|registry\.npmjs|registry\.yarnpkg)\.(org|com)")
IGNORED = [".git", *(line.rstrip("/") for line in (ROOT / ".gitignore").read_text().split())]


def project_files(folder: Path = ROOT) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if any(fnmatch(path.name, pattern) for pattern in IGNORED):
            continue
        if path.is_dir():
            yield from project_files(path)
        else:
            yield path


LOCKS = ("requirements-dev.txt", "requirements-indexes.txt", "requirements-mitmproxy.txt", "requirements-uv.txt")


def requirements(lock: str = "requirements-dev.txt") -> list[str]:
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-zA-Z0-9][\w-]*):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_the_installed_metadata_has_the_version_of_the_source() -> None:
    assert version("nous-billing") == nous_billing._version.__version__


def test_no_file_names_a_package_index() -> None:
    files = list(project_files())
    assert ROOT / "requirements-dev.txt" in files
    assert ROOT / "package-lock.json" in files
    text = {path: path.read_text(encoding="utf-8", errors="replace") for path in files}
    assert [path.name for path in files if PACKAGE_INDEX.search(text[path])] == []
    for lock in (*LOCKS, "package-lock.json"):
        # Where to thank the author of a package is no index.
        assert "://" not in re.sub(r'"url": "https://[^"]*"', "", text[ROOT / lock])


@pytest.mark.parametrize("folder", ["", "readers"])
def test_the_lock_of_the_node_tools_has_hashes_and_no_addresses(folder: str) -> None:
    packages = json.loads((ROOT / folder / "package-lock.json").read_text())["packages"]
    del packages[""]
    assert packages
    for package in packages.values():
        assert package["integrity"].startswith("sha512-")
        assert "resolved" not in package


@pytest.mark.parametrize("lock", LOCKS)
def test_every_development_tool_is_pinned_with_hashes(lock: str) -> None:
    assert sorted(path.name for path in ROOT.glob("requirements-*.txt")) == sorted(LOCKS)
    assert len(requirements(lock)) > (0 if lock == "requirements-uv.txt" else 20)
    for line in requirements(lock):
        assert re.match(r"[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line), line[:80]


@pytest.mark.parametrize("tool", ["openapi-python-client", "ruff"])
def test_what_decides_the_bytes_of_generated_code_is_pinned_exactly(tool: str) -> None:
    (pin,) = re.findall(rf'"{tool}==([\d.]+)"', (ROOT / "pyproject.toml").read_text())
    assert any(line.startswith(f"{tool}=={pin} ") for line in requirements())


def test_make_help_lists_every_target() -> None:
    shown = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert set(re.findall(r"^  make (\S+) +\S", shown, re.MULTILINE)) == make_targets()


def test_make_targets_are_found() -> None:
    assert {"build", "check", "demo", "generate", "help", "test"} <= make_targets()


def test_the_ci_runs_the_checks_and_the_test_command_of_the_readme() -> None:
    (run,) = re.findall(r"^for target in (.*); do$", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert run.split() == ["setup", "check", "test", "test-others"]
    assert "\nmake test " in (ROOT / "README.md").read_text()


@pytest.mark.parametrize(("arguments", "judged"), [([], True), (["ARGS=-k money"], False), (["ARGS= "], True)])
def test_only_all_tests_together_are_judged_by_their_coverage(arguments: list[str], judged: bool) -> None:
    command = ["make", "--dry-run", "-o", "node_modules/.stamp", "test", *arguments]
    # As outside of a make with ARGS of its own.
    environment = {name: value for name, value in os.environ.items() if name not in ("ARGS", "MAKEFLAGS")}
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=environment).stdout
    assert ("BRANCH_COVERAGE=100" in said) is judged
    assert ("-k money" in said) is not judged


@pytest.mark.skipif(find_spec("slipcover") is None, reason="There is no SlipCover for this machine.")
def test_a_run_that_reaches_too_little_of_the_facade_or_loses_counts_fails(tmp_path: Path) -> None:
    (tmp_path / "ends_badly.py").write_text(
        "import os\ndef pytest_sessionfinish(session):\n"
        "    if os.environ.get('PYTEST_XDIST_WORKER') == 'gw0':\n        os._exit(1)\n"
    )

    def run(least: str, *more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", "-n2", *more, "tests/unit/test_money.py"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
        environment |= {"BRANCH_COVERAGE": least, "PYTHONPATH": str(tmp_path)}
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)

    passed, failed = run("1"), run("100")
    assert (passed.returncode, failed.returncode) == (0, 1), passed.stdout + failed.stdout
    assert "nous_billing/client.py" in failed.stdout
    lost = run("1", "-p", "ends_badly")
    assert (lost.returncode, "The counts of a worker are missing." in lost.stdout) == (1, True), lost.stdout
