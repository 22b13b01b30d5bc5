"""Write down the SHA-256 sums of the archives in dist/, once all proofs of what was built have passed."""

import sys
from pathlib import Path

from scripts.publish import ROOT, sha256

# What scripts/build_release.py noted, before the proofs.
BUILT = ROOT / "build/built.sha256"


def sums() -> str:
    """A line for each archive."""
    archives = sorted((ROOT / "dist").iterdir())
    return "".join(f"{sha256(path.read_bytes())}  {path.name}\n" for path in archives)


def main() -> None:
    found = sums()
    if found != BUILT.read_text(encoding="utf-8"):
        sys.exit("dist/ is not what was built from the tag.")
    Path(sys.argv[1]).write_text(found, encoding="utf-8")
    print(found, end="")


if __name__ == "__main__":
    main()
