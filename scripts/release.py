"""Prepare a release: check the version against the changelog and the changes, and keep in released/ what is released.

The first release has none to be compared with. With --check nothing is written, and it fails where a release was not
prepared.
"""

import argparse
import re
import shutil
import subprocess
import sys

from scripts import changelog, changes, sbom, surface, surface_changes

VERSION_FILE = surface.ROOT / "nous_billing/_version.py"
KEPT = {changes.CONTRACT: changes.RELEASED, surface.SURFACE: surface_changes.RELEASED}


def version() -> str:
    (found,) = re.findall(r'^__version__ = "(.+)"$', VERSION_FILE.read_text(encoding="utf-8"), re.MULTILINE)
    return str(found)


def tagged_commit() -> str:
    """The commit that has the tag of this version. Ends the program where the working tree is anything but that."""
    tag = f"v{version()}"
    # Whatever the settings of a person say: nothing is hidden by an exclude file of theirs, or by a mark in the index.
    changed = _said("git", "diff", "HEAD", "--name-only", "--ignore-submodules=none", "--no-ext-diff")
    untracked = _said("git", "ls-files", "--others", "--exclude-per-directory=.gitignore")
    marked = [line[2:] for line in _said("git", "ls-files", "-v").splitlines() if line[0].islower() or line[0] == "S"]
    if left := "\n".join(filter(None, [changed, untracked, *marked])):
        sys.exit(f"Commit this, or remove it, before you publish:\n{left}")
    commit = _said("git", "rev-parse", "HEAD")
    if commit != _said("git", "rev-parse", "--verify", f"refs/tags/{tag}^{{commit}}"):
        sys.exit(f"The tag {tag} is not this commit. To release this commit: git tag {tag}")
    return commit


def _said(*command: str) -> str:
    done = subprocess.run(command, cwd=surface.ROOT, text=True, capture_output=True)
    return done.stdout.strip() if done.returncode == 0 else done.stderr.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--tagged", action="store_true", help="only say whether this is the tagged commit")
    arguments = parser.parse_args()
    check = arguments.check
    if arguments.tagged:
        print(f"This is v{version()}, {tagged_commit()}.")
        return
    text = changelog.CHANGELOG.read_text(encoding="utf-8")
    if complaints := changelog.complaints(text, version()):
        sys.exit("\n".join(complaints))
    if check:
        same = all(now.read_bytes() == kept.read_bytes() for now, kept in KEPT.items())
        if not same or sbom.SBOM.read_text(encoding="utf-8") != sbom.bill_of_materials(version()):
            sys.exit("released/ is not what would be released. Prepare the release: make release")
        print(f"Version {version()} is ready.")
        return
    if not changelog.is_first(text, version()):
        changes.main()
        surface_changes.main()
    for now, kept in KEPT.items():
        shutil.copyfile(now, kept)
    sbom.write(version())
    print(f"Version {version()} is ready. Commit it and tag it v{version()}, then: make publish INDEX_URL=...")


if __name__ == "__main__":
    main()
