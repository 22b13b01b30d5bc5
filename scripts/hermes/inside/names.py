"""Lists the names that the code of a released Hermes takes from its billing module: ``names.py FILE``."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

MODULE = "hermes_cli.nous_billing"


def names_in(tree: ast.AST) -> Iterator[str]:
    """Yield the names that a module imports from the billing module, and the attributes that it reads from it."""
    aliases = {"nous_billing"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == MODULE:
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "hermes_cli":
            aliases.update(alias.asname for alias in node.names if alias.name == "nous_billing" and alias.asname)
        elif isinstance(node, ast.Import):
            aliases.update(alias.asname for alias in node.names if alias.name == MODULE and alias.asname)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
            yield node.attr


def main() -> None:
    found: dict[str, set[str]] = {}
    for file in distribution("hermes-agent").files or ():
        path = Path(str(file.locate()))
        if file.suffix != ".py" or file.stem.startswith("test_") or path.name == "nous_billing.py":
            continue
        source = path.read_text(errors="replace")
        if "nous_billing" in source:
            for name in names_in(ast.parse(source)):
                found.setdefault(name, set()).add(str(file))
    Path(sys.argv[1]).write_text(json.dumps({name: sorted(files) for name, files in sorted(found.items())}))


if __name__ == "__main__":
    main()
