"""List what the contract says and the facade does not offer, each with the place to add it. Fail where there is any."""

import sys
from pathlib import Path

# Where the generated client lies. What is beside it comes before what is installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "generated"))

from . import operations, refusals, results
from .contract import live


def main() -> None:
    contract = live()
    found = sorted({*operations.gaps(contract), *results.gaps(contract), *refusals.gaps(contract)})
    for gap in found:
        print(gap)
    if found:
        sys.exit(f"Places of the facade that do not say what the contract says: {len(found)}.")
    print("The facade offers all that the contract says.")


if __name__ == "__main__":
    main()
