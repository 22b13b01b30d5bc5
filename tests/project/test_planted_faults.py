"""Each planted fault still has its place in the code; whether the tests find it, `make planted-faults` says."""

from pathlib import Path

import pytest

from scripts.planted_faults import Fault, load

ROOT = Path(__file__).parents[2]
FAULTS = load()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_changes_code_that_is_there_and_names_tests_that_are_there(fault: Fault) -> None:
    assert fault.planted(ROOT) != (ROOT / fault.file).read_text(encoding="utf-8")
    compile(fault.planted(ROOT), fault.file, "exec")
    assert fault.tests
    assert all((ROOT / test).is_file() for test in fault.tests)


def test_a_fault_whose_place_is_gone_is_an_error() -> None:
    with pytest.raises(ValueError, match="stands 0 times"):
        Fault("gone", "README.md", "no such text in it", "", []).planted(ROOT)
