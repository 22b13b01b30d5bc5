"""Write the public surface of the package to a file, or with --check compare it with what is there."""

import argparse
import builtins
import difflib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe

ROOT = Path(__file__).resolve().parent.parent
SURFACE = ROOT / "tests/project/surface.txt"
# Methods without a name of their own that a caller uses all the same.
SPOKEN = {"__init__", "__enter__", "__exit__", "__aenter__", "__aexit__"}


def surface() -> str:
    """Each public name with its signatures, in Python's own words."""
    package = griffe.load("nous_billing", search_paths=[ROOT], try_relative_path=False)
    names = sorted(str(name) for name in package.exports or [])
    bases = {*names, *dir(builtins), "Protocol"}
    return "\n".join(line for name in names for line in declaration(package[name], name, bases)) + "\n"


def declaration(item: Any, name: str, public: set[str]) -> Iterator[str]:
    item = item.final_target if item.is_alias else item
    if item.is_function:
        yield from (f"@{label}" for label in ("classmethod", "staticmethod") if label in item.labels)
        yield f"{'async ' if 'async' in item.labels else ''}def {item.signature()}: ..."
    elif item.is_class:
        bases = [str(base) for base in item.bases if str(base).partition("[")[0] in public]
        yield f"class {name}({', '.join(bases)}):"
        # What another base gives is the class's own to a caller.
        members = item.members if len(bases) == len(item.bases) else item.all_members
        lines = [
            f"    {line}"
            for key, member in sorted(members.items())
            if key in SPOKEN or not key.startswith("_")
            for line in declaration(member, key, public)
        ]
        yield from lines or ["    ..."]
    else:
        annotation = item.annotation or given(item)
        yield f"{name}: {annotation}" if annotation else f"{name} = {item.value}"


def given(attribute: Any) -> Any:
    """The annotation of the argument that an attribute is set to."""
    maker = attribute.parent.members.get("__init__") if attribute.parent.is_class else None
    arguments = {parameter.name: parameter for parameter in maker.parameters} if maker else {}
    return arguments[str(attribute.value)].annotation if str(attribute.value) in arguments else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare and write nothing")
    now = surface()
    if not parser.parse_args().check:
        SURFACE.write_text(now, encoding="utf-8")
        return
    there = SURFACE.read_text(encoding="utf-8")
    if there != now:
        print(
            "\n".join(
                difflib.unified_diff(there.splitlines(), now.splitlines(), "as listed", "as it is", "", "", 0, "")
            )
        )
        sys.exit(f"The public surface is not what {SURFACE.relative_to(ROOT)} lists. Where that is meant: make surface")
    print("The public surface is what is listed.")


if __name__ == "__main__":
    main()
