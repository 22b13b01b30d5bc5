"""Fail where pyproject.toml allows, or requirements-dev.txt locks, a version with a published fault."""

import itertools
import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

from scripts import release
from scripts.sbom import bill_of_materials
from scripts.surface import ROOT

DATA = Path(__file__).with_suffix(".toml")


def lowest_allowed(project: Mapping[str, object]) -> Iterator[tuple[str, Version]]:
    """Each direct dependency of the package, its extras included, and the lowest version that it may have."""
    described = project["project"]
    assert isinstance(described, dict)
    extras: list[list[str]] = list(described["optional-dependencies"].values())
    for text in itertools.chain(described["dependencies"], *extras):
        needed = Requirement(text)
        for each in needed.specifier:
            if each.operator in {">=", "==", "~="}:
                yield needed.name, Version(each.version)


def locked(text: str) -> Iterator[tuple[str, Version]]:
    """Each locked version of a requirements file."""
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE):
        yield name, Version(version)


def faults(versions: Mapping[str, Version], data: Mapping[str, object]) -> Iterator[str]:
    """A sentence for each version that an advisory names."""
    advisories = data["advisories"]
    assert isinstance(advisories, dict)
    for name, advisory in advisories.items():
        version = versions.get(advisory["package"])
        if version is not None and version < Version(advisory["fixed"]):
            yield f"{advisory['package']} {version}: {advisory['what']} ({name}). Take {advisory['fixed']} or higher."


def unknown(data: Mapping[str, object]) -> Iterator[str]:
    """A sentence for each package, direct or not, whose advisories nobody looked up."""
    looked_up = data["looked_up"]
    assert isinstance(looked_up, list)
    for part in json.loads(bill_of_materials(release.version()))["components"]:
        if part["name"] not in looked_up:
            yield f"Look up the advisories of {part['name']}, and add it to looked_up in {DATA.name}."


def main() -> None:
    data = tomllib.loads(DATA.read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lock = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    found = [*faults(dict(lowest_allowed(project)), data), *faults(dict(locked(lock)), data), *unknown(data)]
    if found:
        sys.exit("\n".join(found))
    known = f"the {len(data['advisories'])} advisories known on {data['checked']}"
    print(f"No allowed version of a dependency is affected by {known}.")


if __name__ == "__main__":
    main()
