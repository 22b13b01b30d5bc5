"""Write the lists of public names in the package, and the tree in the docstring of the errors.

Every class of errors.py and every result of models.py is public. Of the other modules the table _MODULES of the package
says what is: a name is added there, and follows from there.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "nous_billing/__init__.py"
ERRORS = ROOT / "nous_billing/errors.py"
ALL_PUBLIC = ("errors", "models")
ROOT_CLASS = "BillingError"
TREE = re.compile(rf"(?<=^    {ROOT_CLASS}\n).*?(?=\n\n|\n\"\"\"$)", re.DOTALL | re.MULTILINE)
COLUMN = 41


def public_names(module: str) -> Iterator[str]:
    for node in ast.parse((ROOT / f"nous_billing/{module}.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id


def exports(text: str) -> str:
    (table,) = re.findall(r"^_MODULES = (\{.*?^\})", text, re.DOTALL | re.MULTILINE)
    names = {module: list(each) for module, each in ast.literal_eval(table).items()}
    names |= {module: sorted(public_names(module)) for module in ALL_PUBLIC}
    imports = "".join(f"    from .{module} import {', '.join(each)}\n" for module, each in sorted(names.items()))
    public = ["__version__", *(name for each in names.values() for name in each)]
    rows = "".join(f"    {module!r}: ({', '.join(map(repr, each))},),\n" for module, each in sorted(names.items()))
    start, end = text.index("if TYPE_CHECKING:"), text.index("_MODULE_OF = ")
    lists = f"if TYPE_CHECKING:\n{imports}\n__all__ = {public!r}\n\n_MODULES = {{\n{rows}}}\n"
    return text[:start] + lists + text[end:]


def drawing(text: str) -> str:
    """The text with the tree drawn anew. What stands beside a name stays."""
    (drawn,) = TREE.findall(text)
    beside = dict(re.findall(r"^[ │├└─]*(Billing\w+) +(\S.*)$", drawn, re.MULTILINE))
    children: dict[str, list[str]] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef) and isinstance(node.bases[0], ast.Name):
            children.setdefault(node.bases[0].id, []).append(node.name)

    def below(name: str, indent: str) -> Iterator[str]:
        for child in children.get(name, []):
            last = child == children[name][-1]
            line = f"{indent}{'└' if last else '├'}── {child}"
            yield f"{line:<{COLUMN}}{beside.get(child, '')}".rstrip()
            yield from below(child, f"{indent}{' ' if last else '│'}   ")

    return TREE.sub(lambda _: "\n".join(below(ROOT_CLASS, "    ")), text)


def main() -> None:
    PACKAGE.write_text(exports(PACKAGE.read_text(encoding="utf-8")), encoding="utf-8")
    ERRORS.write_text(drawing(ERRORS.read_text(encoding="utf-8")), encoding="utf-8")
    ruff = Path(sys.executable).with_name("ruff")
    for command in (["check", "--quiet", "--fix", "--select", "I,RUF022"], ["format", "--quiet"]):
        subprocess.run([ruff, *command, PACKAGE, ERRORS], cwd=ROOT, check=True, timeout=60)


if __name__ == "__main__":
    main()
