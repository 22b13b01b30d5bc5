"""Record a purchase in a real terminal, from the mock portal, as a picture for the documentation."""

import io
import os
import re
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from nous_billing.mock import MockPortal
from tests.cli.terminal import Terminal

PICTURE = Path(__file__).parents[1] / "docs/pictures/purchase.svg"
KEY = "7f2c1b9e-3d54-4c8a-9a51-0f6f1f2f7a10"


def record() -> str:
    """Return the screen of a purchase as SVG, with what is different each time made the same."""
    with tempfile.TemporaryDirectory() as folder:
        portal = MockPortal(settle_after=1)
        with portal.serve() as url:
            env = {**os.environ, "NOUS_PORTAL_BASE_URL": url, "NOUS_TOKEN": portal.issue_token()}
            env |= {f"XDG_{name}_HOME": folder for name in ("CONFIG", "DATA")}
            terminal = Terminal("buy", "50", "--key", KEY, env=env, columns=80, lines=12)
            terminal.wait_for("now? [y/N]")
            terminal.type("y\n")
            assert terminal.end() == 0
    console = Console(record=True, file=io.StringIO(), width=80)
    console.print(Text(f"$ nous-billing buy 50 --key {KEY}"))
    for line in terminal.styled():
        console.print(_made_the_same(line))
    return console.export_svg(title="nous-billing", unique_id="purchase")


def _made_the_same(line: Text) -> Text:
    for pattern, text in ((r"ch_\S+", "ch_3PqXyZ"), (r"\d{4}-\d\d-\d\d \d\d:\d\d \w+", "2026-06-13 10:00 UTC")):
        for found in reversed(list(re.finditer(pattern, line.plain))):
            line = Text.assemble(line[: found.start()], text, line[found.end() :])
    return line


def main() -> None:
    PICTURE.write_text(record(), encoding="utf-8")
    print(f"Wrote {PICTURE.name}.")


if __name__ == "__main__":
    main()
