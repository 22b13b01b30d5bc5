"""Publish to every kind of index and write the table of results into docs/releasing.md.

Without the environment of devpi-server (`make indexes` makes it) its row stays as it is.
"""

import re
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from . import Index
from .archives import ARCHIVES
from .cases import CASES, ROOT, Shop
from .devpi import devpi
from .pypiserver import OPEN, READING, UPLOAD, pypiserver
from .stubs import ARTIFACTORY, GITLAB, NEXUS, stub

PAGE = ROOT / "docs/releasing.md"
_TABLE = re.compile(r"(?<=<!-- indexes -->\n\n).*?(?=\n\n<!-- /indexes -->)", re.DOTALL)
# Those that start at once; devpi-server takes its time.
QUICK: dict[str, Callable[[Path], AbstractContextManager[Index]]] = {
    "pypiserver, open": lambda folder: pypiserver(folder, OPEN),
    "pypiserver": lambda folder: pypiserver(folder, UPLOAD),
    "pypiserver, reading needs a login": lambda folder: pypiserver(folder, READING),
    "pypiserver, overwriting allowed": lambda folder: pypiserver(folder, READING, overwrite=True),
    "Nexus (stub)": lambda folder: stub(NEXUS),
    "GitLab (stub)": lambda folder: stub(GITLAB),
    "Artifactory (stub), overwriting allowed": lambda folder: stub(ARTIFACTORY),
}
DEVPI = "devpi-server, as it is by default"


def row(name: str, serve: Callable[[Path], AbstractContextManager[Index]]) -> str:
    """A row of the table: every case on one index."""
    with tempfile.TemporaryDirectory() as folder:
        index_folder, shop_folder = Path(folder) / "index", Path(folder) / "shop"
        index_folder.mkdir()
        shop_folder.mkdir()
        with serve(index_folder) as index:
            shop = Shop(shop_folder, ARCHIVES)
            outcomes = [case.outcome(index, shop) for case in CASES]
    return f"| {name} | {' | '.join(outcome or 'takes any login' for outcome in outcomes)} |"


def read_table() -> list[str]:
    found = _TABLE.search(PAGE.read_text(encoding="utf-8"))
    assert found is not None
    return found[0].splitlines()


def main() -> None:
    rows = [row(name, serve) for name, serve in QUICK.items()]
    if len(sys.argv) > 1:
        bin_folder = Path(sys.argv[1]).resolve()
        rows.append(row(DEVPI, lambda folder: devpi(folder, bin_folder)))
    else:
        rows += [line for line in read_table() if DEVPI in line]
    head = ["index", *(case.name for case in CASES)]
    table = [f"| {' | '.join(head)} |", "|---" * len(head) + "|", *rows]
    PAGE.write_text(_TABLE.sub(lambda _: "\n".join(table), PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print("\n".join(table))


if __name__ == "__main__":
    main()
