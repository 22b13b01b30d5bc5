"""The public surface is listed, and what changes in it is judged."""

from pathlib import Path

import pytest

import nous_billing
from scripts import exports, surface, surface_changes, versions

# What the package was, what it became, and the verdicts.
CHANGES: list[tuple[str, str, list[tuple[str, str]]]] = [
    ("a = 1\n", "a = 1\n", []),
    ("a = 1\nb = 2\n", "a = 1\n", [("major", "b: Public object was removed: b -> None")]),
    ("a = 1\n", "a = 2\n", [("major", "a: 1 -> 2")]),
    ("a: int\n", "a: int\nb: int\n", [("minor", "b: added")]),
    ("a: int\n", "a: str\n", [("major", "a: int -> str")]),
    ("a: int | None\n", "a: int\n", [("minor", "a: int | None -> int")]),
    ("a: int\n", "a: int | None\n", [("major", "a: int -> int | None")]),
    ("class A(B):\n    x: int\n", "class A(C):\n    x: int\n", [("major", "A: is no B any more")]),
    ("class A():\n    x: int\n", "class A():\n    x: int\n    y: int\n", [("minor", "A.y: added")]),
    ("def f() -> None: ...\n", "async def f() -> None: ...\n", [("major", "f: function -> async function")]),
    ("def f(a: int) -> None: ...\n", "def f(a: int | str) -> None: ...\n", [("minor", "f(a): int -> int | str")]),
    ("def f(a: int | str) -> None: ...\n", "def f(a: int) -> None: ...\n", [("major", "f(a): int | str -> int")]),
    ("def f() -> int: ...\n", "def f() -> str: ...\n", [("major", "f: int -> str")]),
    ("def f() -> int: ...\n", "def f(*, a: int = 1) -> int: ...\n", []),
    (
        "def f() -> int: ...\n",
        "def f(*, a: int) -> int: ...\n",
        [("major", "f: Parameter was added as required: None -> a")],
    ),
    (
        "def f(*, a: int = 1) -> int: ...\n",
        "def f(*, a: int = 2) -> int: ...\n",
        [("major", "f: Parameter default was changed: a=1 -> a=2")],
    ),
    ("__version__ = '1'\n", "__version__ = '2'\n", []),
]


@pytest.mark.parametrize(("before", "now", "verdicts"), CHANGES)
def test_a_change_of_the_surface_is_judged(
    before: str, now: str, verdicts: list[tuple[str, str]], tmp_path: Path
) -> None:
    modules = []
    for name, text in (("before", before), ("now", now)):
        (tmp_path / name).write_text(text)
        modules.append(surface_changes.load(tmp_path / name))
    assert list(surface_changes.changes(*modules)) == verdicts


def test_the_list_has_every_public_name_and_no_other() -> None:
    listed = surface_changes.load(surface.SURFACE)
    assert sorted(listed.members) == sorted(nous_billing.__all__)


def test_the_list_is_that_of_the_package() -> None:
    assert surface.SURFACE.read_text() == surface.surface(), "Where that is meant: make surface"


def test_the_lists_of_names_and_the_tree_of_errors_are_what_make_surface_writes() -> None:
    for path, text in exports.written(exports.ROOT).items():
        assert (exports.ROOT / path).read_text(encoding="utf-8") == text, "Run: make surface"


def test_a_new_error_is_drawn_and_listed(tmp_path: Path) -> None:
    package = tmp_path / "nous_billing"
    package.mkdir()
    (package / "models.py").write_text("class Card: ...\n")
    (package / "errors.py").write_text(
        '"""Errors.\n\n    BillingError\n    └── BillingOld    400\n\nThat is all.\n"""\n\n\n'
        "class BillingError(Exception): ...\n\n\n"
        "class BillingOld(BillingError): ...\n\n\nclass BillingNew(BillingOld): ...\n"
    )
    (package / "__init__.py").write_text('_MODULES = {\n    "errors": ("BillingError",),\n    "money": ("usd",),\n}\n')
    written = exports.written(tmp_path)
    tree = "    └── BillingOld                       400\n        └── BillingNew\n"
    assert tree in written[exports.ERRORS]
    assert eval(written[exports.PACKAGE].removeprefix("_MODULES = ")) == {
        "errors": ("BillingError", "BillingNew", "BillingOld"),
        "models": ("Card",),
        "money": ("usd",),
    }
    assert "from .errors import BillingNew as BillingNew\n" in written[exports.STUB]


@pytest.mark.parametrize(
    ("models", "modules"), [("class usd: ...\n", "models, money"), ("class A: ...\nclass A: ...\n", "models, models")]
)
def test_a_name_that_means_two_things_is_refused(models: str, modules: str, tmp_path: Path) -> None:
    package = tmp_path / "nous_billing"
    package.mkdir()
    (package / "models.py").write_text(models)
    (package / "__init__.py").write_text('_MODULES = {\n    "money": ("usd",),\n}\n')
    with pytest.raises(SystemExit, match=rf"Public more than once: \w+ \({modules}\)\."):
        exports.read_table(tmp_path)


@pytest.mark.parametrize(
    ("before", "impact", "version"),
    [
        ("1.4.2", "none", "1.4.2"),
        ("1.4.2", "patch", "1.4.3"),
        ("1.4.2", "minor", "1.5.0"),
        ("1.4.2", "major", "2.0.0"),
        ("0.4.2", "patch", "0.4.3"),
        ("0.4.2", "minor", "0.4.3"),
        ("0.4.2", "major", "0.5.0"),
    ],
)
def test_a_change_demands_a_version(before: str, impact: str, version: str) -> None:
    assert versions.demanded_version(before, impact) == version


@pytest.mark.parametrize(("version", "low"), [("1.9.0", True), ("1.10.0", False), ("1.10.1", False), ("2.0.0", False)])
def test_versions_are_compared_as_numbers(version: str, low: bool) -> None:
    assert versions.too_low(version, "1.10.0") is low
