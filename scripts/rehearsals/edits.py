"""What a person writes, as edits of files. Most find their place by the structure of a file, not by its text."""

import ast
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

CONTRACT = "openapi/nous-portal-billing.yaml"
PACKAGE = "nous_billing"


class Misfit(Exception):
    """An edit has no place in the project. The message names the file and what is missing in it."""


@dataclass(frozen=True)
class Edit:
    """Replaces the first text ``old`` after the first text ``mark``."""

    path: str
    mark: str
    old: str
    new: str

    def apply(self, root: Path) -> None:
        text = _read(root / self.path)
        start = text.find(self.mark)
        place = text.find(self.old, start) if start >= 0 else -1
        if place < 0:
            missing = f"{self.old!r} after {self.mark!r}" if start >= 0 else repr(self.mark)
            raise Misfit(f"{self.path} has no {missing}.")
        _write(root / self.path, text[:place] + self.new + text[place + len(self.old) :])


@dataclass(frozen=True)
class Append:
    """Adds to the end of a module."""

    path: str
    text: str

    def apply(self, root: Path) -> None:
        _write(root / self.path, f"{_read(root / self.path).rstrip()}\n\n\n{self.text}")


@dataclass(frozen=True)
class Import:
    """Adds an import to a module. `make format` gives it its place among the others."""

    path: str
    line: str

    def apply(self, root: Path) -> None:
        lines = _read(root / self.path).splitlines(keepends=True)
        imports = [node for node in ast.parse("".join(lines)).body if isinstance(node, (ast.Import, ast.ImportFrom))]
        if not imports:
            raise Misfit(f"{self.path} has no import.")
        after = imports[-1].end_lineno
        _write(root / self.path, "".join([*lines[:after], f"{self.line}\n", *lines[after:]]))


@dataclass(frozen=True)
class Method:
    """Adds a method to the end of a class of the package, wherever that is."""

    cls: str
    text: str

    def apply(self, root: Path) -> None:
        _insert(root, self.cls, ast.ClassDef, _end, f"\n{_indented(self.text)}")


@dataclass(frozen=True)
class Field:
    """Adds a field to a class of the package, after the last that it has."""

    cls: str
    line: str

    def apply(self, root: Path) -> None:
        _insert(root, self.cls, ast.ClassDef, _last_field, _indented(f"{self.line}\n"))


@dataclass(frozen=True)
class Row:
    """Adds a row to a table of the package: before the bracket that closes it."""

    table: str
    line: str

    def apply(self, root: Path) -> None:
        _insert(root, self.table, ast.Dict, lambda found: _end(found) - 1, _indented(f"{self.line}\n"))


@dataclass(frozen=True)
class InContract:
    """Adds an entry to the mapping, or an item to the list, at a place of the contract, before all that is there."""

    place: tuple[str, ...]
    text: str

    def apply(self, root: Path) -> None:
        text = _read(root / CONTRACT)
        node: yaml.Node | None = yaml.compose(text, yaml.CSafeLoader)
        for key in self.place:
            node = _child(node, key)
        if not isinstance(node, yaml.CollectionNode):
            raise Misfit(f"{CONTRACT} has no mapping or list {' / '.join(self.place)}.")
        if node.flow_style:
            at = node.start_mark.index + 1
            added = f"{self.text.strip()}, "
        else:
            at = text.rindex("\n", 0, node.start_mark.index) + 1
            added = textwrap.indent(self.text.rstrip() + "\n", " " * node.start_mark.column)
        _write(root / CONTRACT, text[:at] + added + text[at:])


Definition = ast.ClassDef | ast.expr
Change = Edit | Append | Import | Method | Field | Row | InContract


def _child(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for name, value in node.value if name.value == key), None)
    if isinstance(node, yaml.SequenceNode) and int(key) < len(node.value):
        item: yaml.Node = node.value[int(key)]
        return item
    return None


def _insert(root: Path, name: str, kind: type[ast.AST], after: Callable[[Definition], int], text: str) -> None:
    """Insert lines after a line of the one definition with a name."""
    found = [(path, node) for path, node in _definitions(root, name) if isinstance(node, kind)]
    if len(found) != 1:
        where = ", ".join(path.relative_to(root).as_posix() for path, _ in found) or "no module"
        raise Misfit(f"{name} must be defined in one module of {PACKAGE}/. It is defined in {where}.")
    ((path, node),) = found
    lines = _read(path).splitlines(keepends=True)
    lines.insert(after(node), text)
    _write(path, "".join(lines))


def _definitions(root: Path, name: str) -> Iterator[tuple[Path, Definition]]:
    """Each class, and each value of a variable, with this name at the top of a module of the package."""
    for path in sorted((root / PACKAGE).rglob("*.py")):
        text = _read(path)
        for node in ast.parse(text).body if name in text else []:
            if isinstance(node, ast.ClassDef) and node.name == name:
                yield path, node
            if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                    yield path, node.value


def _end(found: Definition) -> int:
    return found.end_lineno or 0


def _last_field(found: Definition) -> int:
    """The line of the last field of a class, or of its docstring."""
    parts = found.body if isinstance(found, ast.ClassDef) else []
    return max((part.end_lineno or 0 for part in parts if isinstance(part, (ast.AnnAssign, ast.Expr))), default=0)


def _indented(text: str) -> str:
    return textwrap.indent(text, "    ")


def _read(path: Path) -> str:
    if not path.is_file():
        raise Misfit(f"There is no file {path.name}.")
    return path.read_text(encoding="utf-8")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
