"""What comes into a release from elsewhere: by its hash, without known faults, and named in it."""

import json
import re
import subprocess
import tomllib
from datetime import date
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from scripts import advisories, release, sbom
from scripts.other_pythons import MINORS

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DATA = tomllib.loads(advisories.DATA.read_text(encoding="utf-8"))
LOCKED = dict(advisories.locked((ROOT / "requirements-dev.txt").read_text(encoding="utf-8")))


def test_nothing_on_the_way_to_a_release_is_installed_without_its_hash() -> None:
    installing = [line for line in MAKEFILE.splitlines() if re.search(r"pip (install|sync)|npm (ci|install)", line)]
    on_the_way = [line for line in installing if "build/floor" not in line]
    assert len(on_the_way) > 5
    for line in on_the_way:
        # uv checks the hashes of constraints, npm ci those of the lock; the package itself is this checkout.
        assert re.search(r"--require-hashes|--constraints|npm ci|--package-lock-only|--no-deps .*-e \.", line), line


@pytest.mark.parametrize(
    ("versions", "found"),
    [
        ({"h11": "0.16.0"}, False),
        ({"h11": "0.15.9"}, True),
        ({"starlette": "1.3.1"}, False),
        ({"starlette": "1.3.0"}, True),
        ({"click": "8.3.3"}, False),
        ({"click": "8.3.2"}, True),
        ({"filelock": "4.2"}, True),
    ],
)
def test_a_version_with_a_published_fault_is_found(versions: dict[str, str], found: bool) -> None:
    said = list(advisories.faults({name: Version(version) for name, version in versions.items()}, DATA))
    assert bool(said) is found
    for name, version in versions.items():
        assert all(sentence.startswith(f"{name} {version}: ") and " or higher." in sentence for sentence in said)


def test_no_version_that_is_allowed_or_locked_has_a_published_fault() -> None:
    lowest = dict(advisories.lowest_allowed(PROJECT))
    assert isinstance(DATA["checked"], date)
    assert {"h11", "filelock", "starlette"} <= lowest.keys()
    assert list(advisories.faults(lowest, DATA)) == []
    assert list(advisories.faults(LOCKED, DATA)) == []


def test_the_advisories_of_every_package_were_looked_up() -> None:
    assert list(advisories.unknown(DATA)) == []
    (said,) = advisories.unknown({**DATA, "looked_up": [name for name in DATA["looked_up"] if name != "h11"]})
    assert said.startswith("Look up the advisories of h11,")


def test_each_dependency_has_a_lowest_version_that_is_tested() -> None:
    described = PROJECT["project"]
    texts = [
        *described["dependencies"],
        *(text for each in described["optional-dependencies"].values() for text in each),
    ]
    assert {Requirement(text).name for text in texts} == dict(advisories.lowest_allowed(PROJECT)).keys()
    assert "--resolution lowest-direct" in MAKEFILE


def test_the_bill_of_materials_names_every_dependency_in_its_locked_version() -> None:
    document = json.loads(sbom.bill_of_materials("9.9.9"))
    assert document["specVersion"] == "1.6"
    assert document["metadata"]["component"]["version"] == "9.9.9"
    parts = {part["name"]: part["version"] for part in document["components"]}
    assert parts.keys() >= dict(advisories.lowest_allowed(PROJECT)).keys()
    # Not those of the installation, which is older where only the lock has changed.
    assert {name: Version(version) for name, version in parts.items()} == {name: LOCKED[name] for name in parts}
    assert json.loads(sbom.SBOM.read_text(encoding="utf-8"))["metadata"]["component"]["version"] == release.version()


@pytest.mark.parametrize("minor", [MINORS[0], MINORS[-1]])
@pytest.mark.parametrize("platform", ["linux", "aarch64-manylinux_2_28", "macos", "windows"])
def test_every_locked_tool_can_be_had_as_a_wheel(platform: str, minor: int, tmp_path: Path) -> None:
    options = ["--quiet", "--dry-run", "--require-hashes", "--only-binary", ":all:", "--target", str(tmp_path / "none")]
    where = ["--python-platform", platform, "--python-version", f"3.{minor}"]
    command = [
        str(ROOT / ".tools/bin/uv"),
        "pip",
        "install",
        *options,
        *where,
        "-r",
        str(ROOT / "requirements-dev.txt"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_the_workflow_names_every_system_and_every_python() -> None:
    (file,) = (ROOT / ".github/workflows").iterdir()
    job = yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"]["test"]
    assert job["strategy"]["matrix"]["python"] == [f"3.{minor}" for minor in MINORS]
    assert {system.partition("-")[0] for system in job["strategy"]["matrix"]["system"]} == {
        "ubuntu",
        "macos",
        "windows",
    }
    commands = " ".join(step.get("run", "") for step in job["steps"])
    assert "test demo" in commands
    for name in ("test", "demo"):
        assert f"scripts/without_make.py {name}" in commands
