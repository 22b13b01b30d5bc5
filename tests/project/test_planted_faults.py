"""Each planted fault still has its place in the code; whether the tests find it, `make planted-faults` says."""

from pathlib import Path

import pytest

from scripts.planted_faults import Fault, load

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("fault", load(), ids=lambda fault: fault.name)
def test_a_planted_fault_changes_code_that_is_there_and_names_tests_that_are_there(fault: Fault) -> None:
    compile(fault.planted(ROOT), fault.file, "exec")
    assert fault.tests
    assert all((ROOT / test).is_file() for test in fault.tests)


@pytest.mark.parametrize(
    ("old", "new", "planted"),
    [
        ("a+b", "a-b", "x = a - b\nif x:\n    y = f'{x}'"),
        ("x = (a\n+ b)", "x = 1; z = 2", "x = 1\nz = 2\nif x:\n    y = f'{x}'"),
        ("y = f'{x}'", "pass", "x = a + b\nif x:\n    pass"),
    ],
)
def test_a_fault_is_planted_whatever_the_format_of_the_code(old: str, new: str, planted: str, tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text('x = (a  # the first\n     + b)\nif x: y = f"{x}"\n')
    assert Fault("a fault", "code.py", old, new, []).planted(tmp_path) == planted


@pytest.mark.parametrize(("old", "found"), [("nothing", 0), ("a", 2)])
def test_a_fault_that_has_not_one_place_says_which_and_where(old: str, found: int, tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("x = a\ny = a\n")
    with pytest.raises(ValueError, match=f"'a fault' has no place: code.py has {found} times, not once: {old}\n"):
        Fault("a fault", "code.py", old, "1", []).planted(tmp_path)
