"""Make nous_portal_wire of the generated client: the parts that the facade uses, which load neither httpx nor attrs.

To load the whole client takes longer than a first answer over the network. What is taken is taken word for word: the
function ``_get_kwargs`` of each endpoint, and the models of requests and successes.
"""

import ast
import re
import shutil
import subprocess
from pathlib import Path

TYPES = Path(__file__).resolve().parent / "wire/types.py"
_ATTRS = re.compile(r"^from attrs import (define|field) as", re.MULTILINE)
_MODEL = re.compile(r"from \.\.models\.(\w+) import")
_INIT = '"""{}"""\n'


def make_wire_package(client: Path, target: Path, ruff: Path) -> None:
    """Write the package; ``client`` is the generated one."""
    _write_endpoints(client / "api/billing", target / "api/billing")
    _write_models(client / "models", target / "models", _used_models(client / "api/billing"))
    shutil.copy(TYPES, target / "types.py")
    (target / "__init__.py").write_text(_INIT.format("The light parts of nous_portal_api"))
    for folder in ("api", "api/billing"):
        (target / folder / "__init__.py").write_text("")
    (target / "py.typed").touch()
    # It also tells the files from those that they are made of: a wheel is to have none twice.
    for path in target.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        path.write_text(f"# {path.relative_to(target.parent)}: made by scripts/generate.py\n{text}", encoding="utf-8")
    isolated = ["--isolated", "--no-cache", "--target-version", "py311"]
    # What nothing uses any more is no longer imported.
    for command in (["check", "--fix-only", "--quiet", "--select=F401,I"], ["format", "--quiet"]):
        subprocess.run([ruff, *command, *isolated, target], check=True)


def _write_endpoints(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for path in sorted(source.glob("[a-z]*.py")):
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines(keepends=True)
        kept = [
            "".join(lines[node.lineno - 1 : node.end_lineno])
            for node in ast.parse(text).body
            if isinstance(node, ast.Import | ast.ImportFrom)
            or (isinstance(node, ast.FunctionDef) and node.name == "_get_kwargs")
        ]
        (target / path.name).write_text("".join(kept), encoding="utf-8")


def _used_models(endpoints: Path) -> list[str]:
    """Return the modules of the models that a request sends or a success brings."""
    used: set[str] = set()
    for path in sorted(endpoints.glob("[a-z]*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        module_of = {
            alias.name: (node.module or "").removeprefix("models.")
            for node in tree.body
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("models.")
            for alias in node.names
        }
        parts = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "_get_kwargs"]
        successes = [node for node in ast.walk(tree) if isinstance(node, ast.If) and _is_success(node.test)]
        for part in [*parts, *successes]:
            names = {node.id for node in ast.walk(part) if isinstance(node, ast.Name)}
            used.update(module for name, module in module_of.items() if name in names)
    return sorted(used)


def _is_success(test: ast.expr) -> bool:
    return re.fullmatch(r"response\.status_code == 2\d\d", ast.unparse(test)) is not None


def _write_models(source: Path, target: Path, used: list[str]) -> None:
    target.mkdir()
    names = list(used)
    for name in names:
        text = (source / f"{name}.py").read_text(encoding="utf-8")
        (target / f"{name}.py").write_text(_ATTRS.sub(r"from ..types import \1 as", text), encoding="utf-8")
        names += [each for each in _MODEL.findall(text) if each not in names]
    lines = [line for line in (source / "__init__.py").read_text(encoding="utf-8").splitlines() if _of(line) in names]
    exported = [f'"{line.rpartition(" ")[2]}"' for line in lines]
    text = "\n".join([*lines, f"__all__ = ({', '.join(exported)},)"])
    (target / "__init__.py").write_text(f"{text}\n", encoding="utf-8")


def _of(line: str) -> str:
    return line.removeprefix("from .").partition(" ")[0]
