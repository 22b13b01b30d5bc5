"""Prepare a release: check the version against the changelog and the changes, and keep in released/ what is released.

The first release has none to be compared with. With --check nothing is written, and it fails where a release was not
prepared.
"""

import argparse
import re
import shutil
import sys

from scripts import changelog, changes, surface, surface_changes

VERSION_FILE = surface.ROOT / "nous_billing/_version.py"
KEPT = {changes.CONTRACT: changes.RELEASED, surface.SURFACE: surface_changes.RELEASED}


def version() -> str:
    (found,) = re.findall(r'^__version__ = "(.+)"$', VERSION_FILE.read_text(encoding="utf-8"), re.MULTILINE)
    return str(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    text = changelog.CHANGELOG.read_text(encoding="utf-8")
    if complaints := changelog.complaints(text, version()):
        sys.exit("\n".join(complaints))
    if check:
        if any(now.read_bytes() != kept.read_bytes() for now, kept in KEPT.items()):
            sys.exit("released/ is not what would be released. Prepare the release: make release")
        print(f"Version {version()} is ready.")
        return
    if not changelog.is_first(text, version()):
        changes.main()
        surface_changes.main()
    for now, kept in KEPT.items():
        shutil.copyfile(now, kept)
    print(f"Version {version()} is ready. Commit released/, then: make publish INDEX_URL=...")


if __name__ == "__main__":
    main()
