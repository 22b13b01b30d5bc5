"""A griffe extension for the reference: defaults are values, types are public, and examples can be copied and run."""

from __future__ import annotations

import doctest
import importlib
import re
from collections.abc import Iterator
from typing import Any

import griffe

_SHARED = re.compile(r"^    ((?:\w+, )+\w+)(: .*(?:\n {5,}.*)*)$", re.MULTILINE)


class Readable(griffe.Extension):
    """Show what a reader needs."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        for each in _objects(pkg):
            if each.docstring:
                each.docstring.value = without_prompts(one_name_each(each.docstring.value))
            if isinstance(each, griffe.Attribute):
                each.annotation, each.value = _public(each.annotation), _public(each.value)
            for function in [each, *(each.overloads or ())] if isinstance(each, griffe.Function) else ():
                for parameter in function.parameters:
                    parameter.default = _value(parameter.default)
                    parameter.annotation = _public(parameter.annotation)


def one_name_each(text: str) -> str:
    r"""Return a docstring in which names that share a description have a line each, so that each shows its type.

    >>> print(one_name_each("Args:\n    interval, cap: Seconds,\n        as always."))
    Args:
        interval: Seconds,
            as always.
        cap: Seconds,
            as always.
    """
    return _SHARED.sub(lambda found: "\n".join(f"    {name}{found[2]}" for name in found[1].split(", ")), text)


def without_prompts(text: str) -> str:
    """Return a docstring whose examples are blocks of code, with what they print in comments.

    >>> print(without_prompts('''A sum.
    ...
    ... Examples:
    ...     >>> 1 + 1
    ...     2
    ... '''))
    A sum.
    <BLANKLINE>
    Examples:
        ```python
        1 + 1
        # 2
        ```
    """
    lines: list[str] = []
    indent: str | None = None
    for part in doctest.DocTestParser().parse(text):
        if isinstance(part, doctest.Example):
            if indent is None:
                indent = " " * part.indent
                lines.append(f"{indent}```python")
            lines += [f"{indent}{line}".rstrip() for line in part.source.splitlines()]
            lines += [f"{indent}# {line}" for line in part.want.splitlines()]
        elif part.strip():
            if indent is not None:
                lines += [f"{indent}```", ""]
            indent = None
            lines += part.rstrip(" ").removesuffix("\n").splitlines()
    return "\n".join(lines if indent is None else [*lines, f"{indent}```"])


def _objects(of: griffe.Module | griffe.Class) -> Iterator[griffe.Object]:
    yield of
    for member in of.members.values():
        if isinstance(member, (griffe.Module, griffe.Class)):
            yield from _objects(member)
        elif isinstance(member, griffe.Object):
            yield member


def _value(default: Any) -> Any:
    """Return the value of a constant that a default names, or the default."""
    module, _, name = default.canonical_path.rpartition(".") if isinstance(default, griffe.ExprName) else ("", "", "")
    if not module.startswith("nous_billing"):
        return default
    value = getattr(importlib.import_module(module), name)
    return repr(value) if isinstance(value, (bool, int, float, str)) else default


def _public(annotation: Any) -> Any:
    """Return a type without ``Secret``: a token as the SDK keeps it, which nobody else has."""
    if not isinstance(annotation, griffe.ExprBinOp) or "Secret" not in str(annotation):
        return annotation
    public = [each for each in (annotation.left, annotation.right) if str(each) != "Secret"]
    return _public(public[0]) if len(public) == 1 else griffe.ExprBinOp(_public(public[0]), "|", _public(public[1]))
