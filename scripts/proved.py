"""Write down the SHA-256 sums of the archives in dist/, once all proofs have passed."""

import sys
from pathlib import Path

from scripts.publish import ROOT, sha256


def main() -> None:
    sums = [f"{sha256(path.read_bytes())}  {path.name}" for path in sorted((ROOT / "dist").iterdir())]
    file = Path(sys.argv[1])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([*sums, ""]), encoding="utf-8")
    print("\n".join(sums))


if __name__ == "__main__":
    main()
