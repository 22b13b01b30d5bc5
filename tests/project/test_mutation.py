"""Which changes of the code the mutation tests leave out."""

from pathlib import Path

import pytest
from mutmut import configuration

from scripts.mutation import find_tests, modules
from scripts.quiet_mutmut import left_out


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("return g(a, b=1)", 0),
        ("return g(a, b=None)", 0),
        ("x = 1", 0),
        ("x: bool = False", 1),
        ("x = True", 0),
        ("return g(a, b=False)", 1),
        # Either argument is None or left out, and the string is another in two ways.
        ('return cast("int", a)', 6),
        ('return g(cast("int", a))', 6),
    ],
)
def test_what_makes_no_difference_is_left_out(
    body: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.mutmut]\nsource_paths = ["."]\n')
    (tmp_path / "mutants").mkdir()
    monkeypatch.chdir(tmp_path)
    configuration.reset_config()
    assert left_out("code.py", f"def f(a):\n    {body}\n") == count
    configuration.reset_config()


@pytest.mark.parametrize("module", [*modules()])
def test_every_module_is_held_by_tests(module: str) -> None:
    assert find_tests(module)
