"""Prove the archives in dist/: what is in them, what they say of themselves, and that they come out the same again."""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

from packaging.metadata import Metadata

from scripts.sbom import SBOM

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
SOURCES = ["CHANGELOG.md", "LICENSE", "README.md", "generated", "nous_billing", "openapi", "pyproject.toml"]
SOURCES += ["SECURITY.md", "released"]
IN_SDIST = {*SOURCES, "PKG-INFO", ".gitignore"}
IN_WHEEL = {
    "nous_billing/py.typed",
    "nous_billing/__init__.pyi",
    "nous_billing/mock/contract.json",
    "nous_billing/mock/control.json",
}
IN_WHEEL |= {"nous_portal_api/py.typed"}
CLASSIFIERS = {"Private :: Do Not Upload", "Typing :: Typed", "Programming Language :: Python :: 3.11"}


def check_sdist(sdist: Path) -> Metadata:
    with tarfile.open(sdist) as archive:
        names = {Path(name).parts[1] for name in archive.getnames()}
        said = archive.extractfile(f"{sdist.name.removesuffix('.tar.gz')}/PKG-INFO")
        assert said is not None
        metadata = Metadata.from_email(said.read())
    if names != IN_SDIST:
        sys.exit(f"{sdist.name} has too much or too little: {sorted(names ^ IN_SDIST)}")
    return metadata


def check_wheel(wheel: Path) -> Metadata:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (info,) = {name.partition("/")[0] for name in names if name.endswith(".dist-info/METADATA")}
        metadata = Metadata.from_email(archive.read(f"{info}/METADATA"))
        if archive.read(f"{info}/sboms/{SBOM.name}") != SBOM.read_bytes():
            sys.exit(f"{wheel.name} has another bill of materials than {SBOM.name}.")
    if missing := IN_WHEEL - set(names):
        sys.exit(f"{wheel.name} lacks {sorted(missing)}")
    ours = (name for name in names if not name.startswith(info))
    if odd := [name for name in ours if not name.endswith((".py", ".pyi", ".typed", ".json"))]:
        sys.exit(f"{wheel.name} has what does not belong in it: {odd}")
    return metadata


def check_metadata(metadata: Metadata) -> None:
    said = {
        "description": metadata.description and metadata.description_content_type == "text/markdown",
        "summary": metadata.summary,
        "licence": metadata.license_expression == "MIT" and metadata.license_files == ["LICENSE"],
        "authors": metadata.author or metadata.author_email,
        "Python": metadata.requires_python and "3.11" in metadata.requires_python,
        "classifiers": set(metadata.classifiers or []) >= CLASSIFIERS,
        "extras": set(metadata.provides_extra or []) >= {"mock"},
        "links": set(metadata.project_urls or {}) >= {"Changelog", "Documentation", "Source"},
        "version 2.4 of metadata": metadata.metadata_version == "2.4",
    }
    if missing := [name for name, value in said.items() if not value]:
        sys.exit(f"The metadata does not say all of: {', '.join(missing)}")
    hosts = {name: urlsplit(link).hostname or "" for name, link in (metadata.project_urls or {}).items()}
    if nowhere := sorted(name for name, host in hosts.items() if host.endswith(".example")):
        print(f"These links of the metadata lead nowhere yet: {', '.join(nowhere)}. Set them in pyproject.toml.")


def build_elsewhere(folder: Path) -> dict[str, bytes]:
    """The archives, built from a copy with other modes and other times, as another person."""
    copy = folder / "elsewhere"
    copy.mkdir()
    for name in [*SOURCES, ".gitignore"]:
        source = ROOT / name
        if source.is_dir():
            # Without the times and the modes of the files.
            unwanted = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, copy / name, copy_function=shutil.copyfile, ignore=unwanted)
        else:
            shutil.copyfile(source, copy / name)
    for path in copy.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    environment = {**os.environ, "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist", copy],
        check=True,
        capture_output=True,
        env=environment,
        timeout=120,
    )
    return {path.name: path.read_bytes() for path in (folder / "dist").iterdir()}


def main() -> None:
    (sdist,), (wheel,) = DIST.glob("*.tar.gz"), DIST.glob("*.whl")
    metadata = check_wheel(wheel)
    if check_sdist(sdist).as_rfc822().as_bytes() != metadata.as_rfc822().as_bytes():
        sys.exit("The sdist and the wheel do not say the same of themselves.")
    check_metadata(metadata)
    with tempfile.TemporaryDirectory() as name:
        again = build_elsewhere(Path(name))
    if again != {path.name: path.read_bytes() for path in (sdist, wheel)}:
        sys.exit("The archives differ when they are built again elsewhere.")
    print(f"{sdist.name} and {wheel.name} are whole, and come out the same byte for byte elsewhere.")


if __name__ == "__main__":
    main()
