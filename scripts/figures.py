"""Copy the tables of benchmarks/RESULTS.md that a page of the docs shows. `make bench` does so in the end.

A page names a table by its heading there, between two comments: ``<!-- figures: Scale -->`` and ``<!-- end -->``.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks/RESULTS.md"
PAGE = ROOT / "docs/scale.md"
PLACE = re.compile(r"(<!-- figures: ([^>]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str, results: str) -> str:
    """Return a page with the tables of the results in their places."""
    return PLACE.sub(lambda place: f"{place[1]}\n{_section(results, place[2])}\n\n{place[3]}", page)


def _section(results: str, heading: str) -> str:
    if heading == "Machine":
        # Between the first paragraph and the first section.
        return results.partition("\n## ")[0].partition("\n\n")[2].partition("\n\n")[2].partition("\n\n")[0].strip()
    _, found, after = results.partition(f"\n## {heading}\n")
    if not found:
        raise ValueError(f"{RESULTS.name} has no section {heading}.")
    return after.partition("\n## ")[0].strip()


def main() -> None:
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(filled(page, RESULTS.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
