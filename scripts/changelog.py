"""What the changelog says of the versions."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHANGELOG = ROOT / "CHANGELOG.md"
UNRELEASED = "Unreleased"


def sections(text: str) -> dict[str, str]:
    """What stands below each version, the newest first; the dates are left out."""
    parts = re.split(r"^## \[([^\]]+)\](?: - \d{4}-\d{2}-\d{2})?$", text, flags=re.MULTILINE)
    return {version: body.strip() for version, body in zip(parts[1::2], parts[2::2], strict=True)}


def main() -> None:
    """Print the release notes: the section of the newest version, or of what is unreleased."""
    found = sections(CHANGELOG.read_text(encoding="utf-8"))
    print(next(body for body in found.values() if body))


def is_first(text: str, version: str) -> bool:
    """Whether no other version has a section: nothing was released before this one."""
    return set(sections(text)) <= {UNRELEASED, version}


def complaints(text: str, version: str) -> list[str]:
    """What keeps a version from being released."""
    found = sections(text)
    newest = next((name for name in found if name != UNRELEASED), None)
    dated = re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d{{2}}-\d{{2}}$", text, re.MULTILINE)
    said = []
    if newest != version or dated is None or not found[version]:
        said.append(f"The newest section of CHANGELOG.md must be ## [{version}] - YYYY-MM-DD, and say what changed.")
    if found.get(UNRELEASED):
        said.append(f"CHANGELOG.md has entries under [{UNRELEASED}]. Move them to [{version}].")
    return said


if __name__ == "__main__":
    main()
