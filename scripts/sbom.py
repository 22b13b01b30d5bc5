"""The software bill of materials (CycloneDX): the package and what it depends on, in the locked versions.

`make release` writes it and the wheel carries it. The same lock gives the same bytes.
"""

from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.surface import ROOT

SBOM = ROOT / "released/sbom.cdx.json"
PACKAGE = "nous-billing"
_PYTHON = "3.11"
_SYSTEMS = ("linux", "darwin", "win32")


def bill_of_materials(version: str) -> str:
    """The document for a version of the package, as JSON."""
    extras = frozenset(distribution(PACKAGE).metadata.get_all("Provides-Extra") or [])
    found: dict[str, Component] = {}
    bom = Bom(serial_number=uuid5(NAMESPACE_URL, f"{PACKAGE} {version}"))
    bom.metadata.timestamp = None  # type: ignore[assignment]
    bom.metadata.component = _add(bom, PACKAGE, extras, found)
    bom.metadata.component.version = version
    bom.metadata.component.purl = _purl(PACKAGE, version)
    return f"{JsonV1Dot6(bom).output_as_string(indent=1)}\n"


def write(version: str) -> None:
    """Keep the document with the release."""
    SBOM.write_text(bill_of_materials(version), encoding="utf-8")


def _add(bom: Bom, name: str, extras: frozenset[str], found: dict[str, Component]) -> Component:
    if name in found:
        return found[name]
    installed = distribution(name)
    component = found[name] = _component(name, installed)
    if name != PACKAGE:
        bom.components.add(component)
    needed = {canonicalize_name(each.name): each for each in _requirements(installed, extras)}
    bom.register_dependency(
        component, [_add(bom, name, frozenset(each.extras), found) for name, each in sorted(needed.items())]
    )
    return component


def _component(name: str, installed: Distribution) -> Component:
    said = str(installed.metadata.json.get("license_expression") or "")
    return Component(
        name=name,
        version=installed.version,
        type=ComponentType.LIBRARY,
        bom_ref=name,
        purl=_purl(name, installed.version),
        licenses=[LicenseFactory().make_from_string(said)] if said else [],
    )


def _purl(name: str, version: str) -> PackageURL:
    return PackageURL("pypi", name=name, version=version)


def _requirements(installed: Distribution, extras: frozenset[str]) -> Iterator[Requirement]:
    for text in installed.requires or []:
        needed = Requirement(text)
        # What only other systems need belongs in it too, where it is locked here.
        environments = [
            {"extra": extra, "sys_platform": system, "python_version": _PYTHON, "python_full_version": f"{_PYTHON}.0"}
            for extra in ["", *extras]
            for system in _SYSTEMS
        ]
        if needed.marker is None or any(needed.marker.evaluate(each) for each in environments):
            yield needed
