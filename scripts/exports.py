"""Write the lists of public names of the package, and the tree in the docstring of the errors; --check compares them.

Every class of errors.py and every result of models.py is public, with those of their PARTS. Of the other modules the
table _MODULES of nous_billing/__init__.py says what is: a name is added there, and follows from there. The stub
__init__.pyi says the same to type checkers and editors, which do not run the code.
"""

import argparse
import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path("nous_billing/__init__.py")
STUB = Path("nous_billing/__init__.pyi")
ERRORS = Path("nous_billing/errors.py")
# The private modules that a public one takes classes from, in the order of the tree.
PARTS = {
    "errors": ("_base_error", "errors", "_purchase_errors"),
    "models": ("models", "_subscription_models"),
}
ROOT_CLASS = "BillingError"
TABLE = re.compile(r"(?<=^_MODULES = )\{.*?^\}", re.DOTALL | re.MULTILINE)
TREE = re.compile(rf"(?<=^    {ROOT_CLASS}\n).*?(?=\n\n|\n\"\"\"$)", re.DOTALL | re.MULTILINE)
COLUMN = 41
VERSION = "__version__"

Table = dict[str, list[str]]


def public_names(text: str) -> Iterator[str]:
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id


def table(package: str, all_public: dict[str, str]) -> Table:
    """The public names of each module, given the text of the package and of the modules that are wholly public."""
    (listed,) = TABLE.findall(package)
    names = {module: list(each) for module, each in ast.literal_eval(listed).items()}
    names |= {module: sorted(public_names(text)) for module, text in all_public.items()}
    return dict(sorted(names.items()))


def with_table(package: str, names: Table) -> str:
    rows = "".join(f"    {module!r}: ({', '.join(map(repr, each))},),\n" for module, each in names.items())
    return TABLE.sub(lambda _: f"{{\n{rows}}}", package)


def stub(names: Table) -> str:
    imports = "".join(
        f"from .{module} import {', '.join(f'{name} as {name}' for name in each)}\n" for module, each in names.items()
    )
    public = [VERSION, *(name for each in names.values() for name in each)]
    return (
        f'"""Written by `make surface`."""\n\nfrom ._version import {VERSION} as {VERSION}\n{imports}\n'
        f"__all__ = {public!r}\n"
    )


def drawing(text: str, classes: str) -> str:
    """The text with the tree of some classes drawn anew. What stands beside a name stays."""
    (drawn,) = TREE.findall(text)
    beside = dict(re.findall(r"^[ │├└─]*(Billing\w+) +(\S.*)$", drawn, re.MULTILINE))
    children: dict[str, list[str]] = {}
    for node in ast.parse(classes).body:
        if isinstance(node, ast.ClassDef) and isinstance(node.bases[0], ast.Name):
            children.setdefault(node.bases[0].id, []).append(node.name)

    def below(name: str, indent: str) -> Iterator[str]:
        for child in children.get(name, []):
            last = child == children[name][-1]
            line = f"{indent}{'└' if last else '├'}── {child}"
            yield f"{line:<{COLUMN}}{beside.get(child, '')}".rstrip()
            yield from below(child, f"{indent}{' ' if last else '│'}   ")

    return TREE.sub(lambda _: "\n".join(below(ROOT_CLASS, "    ")), text)


def formatted(text: str, path: Path) -> str:
    ruff = Path(sys.executable).with_name("ruff")
    for command in (["check", "--quiet", "--fix", "--select", "I,RUF022"], ["format", "--quiet"]):
        done = subprocess.run(
            [ruff, *command, "--stdin-filename", path, "-"],
            cwd=ROOT,
            input=text,
            text=True,
            check=True,
            stdout=subprocess.PIPE,
            timeout=60,
        )
        text = done.stdout
    return text


def read_table(root: Path) -> Table:
    """The public names of each module. End the program where one name means two things."""
    names = table((root / PACKAGE).read_text(encoding="utf-8"), {name: whole(root, name) for name in PARTS})
    modules: dict[str, list[str]] = {}
    for module, each in names.items():
        for name in each:
            modules.setdefault(name, []).append(module)
    if twice := [f"{name} ({', '.join(found)})" for name, found in modules.items() if len(found) > 1]:
        sys.exit(f"Public more than once: {'; '.join(twice)}. Give one of them another name.")
    return names


def whole(root: Path, module: str) -> str:
    """The text of a public module with its parts."""
    files = [root / f"nous_billing/{part}.py" for part in PARTS[module]]
    return "\n".join(file.read_text(encoding="utf-8") for file in files if file.is_file())


def written(root: Path) -> dict[Path, str]:
    """Each file that follows from the others, as it should be."""
    package, errors = ((root / path).read_text(encoding="utf-8") for path in (PACKAGE, ERRORS))
    names = read_table(root)
    texts = {PACKAGE: with_table(package, names), STUB: stub(names), ERRORS: drawing(errors, whole(root, "errors"))}
    return {path: formatted(text, path) for path, text in texts.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare and write nothing")
    check = parser.parse_args().check
    for path, text in written(ROOT).items():
        file = ROOT / path
        if file.is_file() and file.read_text(encoding="utf-8") == text:
            continue
        if check:
            sys.exit(f"{path} does not list the public names. Run: make surface")
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
