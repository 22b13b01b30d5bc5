"""The matrix of the token endpoint's faults, with a few processes; `make login-matrix` runs it with twenty."""

import pytest

from tests.auth.matrix import ROWS, TOKENS, Matrix


@pytest.fixture(scope="module")
def matrix():
    with Matrix() as made:
        yield made


@pytest.mark.parametrize("fault", ROWS)
@pytest.mark.parametrize("token", ["nearly expired", "expired"])
def test_processes_that_share_a_login_lose_nothing_by_a_fault_and_ask_as_often_as_one(matrix, fault, token):
    cell = matrix.run(fault, token, processes=4)
    assert cell.is_good
    assert cell.requests >= 1


@pytest.mark.parametrize("storage", ["SQLite", "PostgreSQL"])
@pytest.mark.parametrize("fault", ["503", "dropped, after it renewed", "slow", "invalid_grant"])
def test_the_same_in_a_table(matrix, fault, storage):
    cell = matrix.run(fault, "expired", processes=4, storage=storage)
    assert cell.is_good
    assert cell.requests >= 1


def test_a_token_that_is_good_needs_no_token_endpoint(matrix):
    assert "good" in TOKENS
    cell = matrix.run("503", "good", processes=4)
    assert (cell.outcomes, cell.requests, cell.is_lost) == ({"ok": 12}, 0, False)
