"""Plants one fault after the other in a copy of the tree; fails unless the tests turn red for each of them."""

import ast
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
FAULTS = ROOT / "scripts/planted_faults.toml"
TIMEOUT = 1800
NOT_COPIED = shutil.ignore_patterns(".*", "node_modules", "dist", "build", "__pycache__", "mutants")


@dataclass(frozen=True)
class Fault:
    """A change of an expression or a statement, whatever its format, and the tests that must fail for it."""

    name: str
    file: str
    old: str
    new: str
    tests: list[str]

    def planted(self, root: Path) -> str:
        """Return the text of the file with the fault in it."""
        tree = ast.parse((root / self.file).read_text(encoding="utf-8"))
        planting = _Planting(_part(self.old), ast.parse(self.new).body)
        planting.visit(tree)
        if planting.found != 1:
            raise ValueError(
                f"The planted fault {self.name!r} has no place: {self.file} has {planting.found} times, not once: "
                f"{self.old}\nChange its entry in {FAULTS.relative_to(ROOT)}."
            )
        return ast.unparse(ast.fix_missing_locations(tree))


class _Planting(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: list[ast.stmt]) -> None:
        self._old = ast.dump(old)
        self._new = new
        self.found = 0

    def visit(self, node: ast.AST) -> ast.AST | list[ast.stmt]:
        if ast.dump(node) != self._old:
            return self.generic_visit(node)
        self.found += 1
        if isinstance(node, ast.stmt):
            return self._new
        (statement,) = self._new
        assert isinstance(statement, ast.Expr)
        return statement.value


def _part(text: str) -> ast.AST:
    (statement,) = ast.parse(text).body
    return statement.value if isinstance(statement, ast.Expr) else statement


def load() -> list[Fault]:
    """Return the faults of the list."""
    return [Fault(**entry) for entry in tomllib.loads(FAULTS.read_text(encoding="utf-8"))["fault"]]


def failing(root: Path, tests: list[str]) -> bool:
    """Whether tests fail in a copy of the tree. Anything but red or green, such as a broken import, is an error."""
    options = ["-x", "-q", "-p", "no:cacheprovider", "--hypothesis-profile=first-failure"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests],
        cwd=root,
        env={**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'generated'}"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    if run.returncode not in (0, 1):
        raise RuntimeError(f"pytest ended with {run.returncode}:\n{run.stdout[-2000:]}{run.stderr[-2000:]}")
    return run.returncode == 1


def main() -> None:
    faults = load()
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "tree"
        shutil.copytree(ROOT, root, ignore=NOT_COPIED)
        if failing(root, sorted({test for fault in faults for test in fault.tests})):
            sys.exit("The tests fail without any fault: what they say of a planted one means nothing.")
        for fault in faults:
            path = root / fault.file
            sound = path.read_text(encoding="utf-8")
            path.write_text(fault.planted(root), encoding="utf-8")
            caught = failing(root, fault.tests)
            path.write_text(sound, encoding="utf-8")
            print(f"{'caught    ' if caught else 'NOT CAUGHT'}  {fault.name}", flush=True)
            survivors += [] if caught else [fault]
    print(f"{len(faults) - len(survivors)} of {len(faults)} planted faults were caught.")
    sys.exit(bool(survivors))


if __name__ == "__main__":
    main()
