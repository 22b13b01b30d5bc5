"""Say what changed in the public surface since the last release, and which version that demands."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe

from scripts.surface import ROOT, SURFACE
from scripts.versions import IMPACTS, demanded_version, too_low

RELEASED = ROOT / "released/surface.txt"
VERSION = "__version__"

Change = tuple[str, str]


def load(path: Path) -> griffe.Module:
    module = griffe.visit("nous_billing", filepath=path, code=path.read_text(encoding="utf-8"))
    griffe.ModulesCollection()[module.path] = module
    return module


def parts(holder: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each public name and each member of it, but for the version."""
    for name, member in holder.members.items():
        if name != VERSION:
            yield f"{prefix}{name}", member
            if member.is_class:
                yield from parts(member, f"{prefix}{name}.")


def changes(before: griffe.Module, now: griffe.Module) -> Iterator[Change]:
    for breakage in griffe.find_breaking_changes(before, now):
        if breakage.obj.name != VERSION:
            where = breakage.obj.path.removeprefix("nous_billing.")
            yield "major", f"{where}: {breakage.kind.value}: {said(breakage.old_value)} -> {said(breakage.new_value)}"
    there = dict(parts(before))
    for name, member in parts(now):
        if name not in there:
            # What a class is made with says a new field once more.
            if name.rpartition(".")[0] in {"", *there}:
                yield "minor", f"{name}: added"
        elif kind_of(member) != kind_of(there[name]):
            yield "major", f"{name}: {kind_of(there[name])} -> {kind_of(member)}"
        else:
            yield from retyped(name, there[name], member)


def kind_of(member: Any) -> str:
    return "async function" if "async" in member.labels else str(member.kind.value)


def retyped(name: str, before: Any, now: Any) -> Iterator[Change]:
    """Types that changed, which griffe does not judge: what is taken may widen, what is given may narrow."""
    if now.is_function:
        arguments = {parameter.name: options(parameter.annotation) for parameter in now.parameters}
        for parameter in before.parameters:
            taken = arguments.get(parameter.name)
            if taken is not None and taken != options(parameter.annotation):
                impact = "minor" if options(parameter.annotation) < taken else "major"
                yield impact, f"{name}({parameter.name}): {parameter.annotation} -> {' | '.join(sorted(taken))}"
    if now.is_class:
        for base in {str(base) for base in before.bases} - {str(base) for base in now.bases}:
            yield "major", f"{name}: is no {base} any more"
        return
    if now.is_attribute and before.value != now.value:
        yield "major", f"{name}: {before.value} -> {now.value}"
    else:
        given, gives = options(before.annotation), options(now.annotation)
        if given != gives:
            yield "minor" if gives < given else "major", f"{name}: {before.annotation} -> {now.annotation}"


def options(annotation: Any) -> set[str]:
    return set(str(annotation).split(" | "))


def said(value: Any) -> str:
    if isinstance(value, griffe.Parameter):
        return value.name if value.required else f"{value.name}={value.default}"
    return str(value.name if isinstance(value, griffe.Object) else value)


def main() -> None:
    before, now = load(RELEASED), load(SURFACE)
    found = sorted(set(changes(before, now)), key=lambda change: (-IMPACTS.index(change[0]), change[1]))
    for impact, text in found:
        print(f"{'BREAKING' if impact == 'major' else 'changed':<9} {impact:<6} {text}")
    released, version = (str(each[VERSION].value).strip("'") for each in (before, now))
    if not found:
        print(f"The public surface is that of the last release, {released}.")
        return
    impact = max((impact for impact, _ in found), key=IMPACTS.index)
    needed = demanded_version(released, impact)
    print(f"{len(found)} changes since {released}. They demand a {impact} version: {needed} or higher.")
    if too_low(version, needed):
        sys.exit(f"The version in nous_billing/_version.py is {version}. Set it to {needed}.")


if __name__ == "__main__":
    main()
