"""Purchases in processes that are killed, against a portal on a bad day: a shorter run of `make chaos`."""

import threading

import pytest

from tests.chaos.audit import FAULTS_OF_OURS, audit
from tests.chaos.crowd import run_crowd
from tests.chaos.driver import Driver
from tests.chaos.faults import DELAY, KINDS
from tests.chaos.presses import WAYS
from tests.chaos.table import table, ways_table
from tests.chaos.words import FAULTS

pytestmark = pytest.mark.usefixtures("approved_at_once")

SEED = 20240613


def run(folder, purchases, fresh_keys):
    driver = Driver(
        folder, purchases=purchases, seed=SEED, fresh_keys=fresh_keys, seconds=4, progress=lambda line: None
    )
    run = driver.run()
    counts = audit(run)
    assert {"mock-portal", "nursery-reader"}.isdisjoint(thread.name for thread in threading.enumerate())
    print(table([run]))
    return run, counts


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch, tmp_path):
    for name in ("HERMES_PORTAL_BASE_URL", "NOUS_PORTAL_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def test_nobody_is_charged_twice_and_nothing_is_lost(tmp_path):
    chaos, counts = run(tmp_path, 60, fresh_keys=False)
    assert {row: counts[row] for row in FAULTS_OF_OURS if counts[row]} == {}
    assert counts["purchases"] == 60
    assert counts["kills"] > 10
    assert counts["killed while sending"] > 0
    assert counts["limiter refusals"] > 0
    assert counts["refreshes"] > 0
    assert min(counts["sync processes"], counts["async processes"]) > 5
    assert set(chaos.portal.random_faults.shown) == {*KINDS, DELAY}


def test_nobody_is_told_what_is_not_so(tmp_path):
    counts = run_crowd(tmp_path, 6 * len(WAYS), SEED)
    print(ways_table(counts))
    assert {name: count for name, count in counts.items() if count and name[1] in (*FAULTS, "breaches")} == {}
    assert [counts[way, "purchases"] for way in WAYS] == [6] * len(WAYS)
    assert all(counts[way, "charges"] > 0 for way in WAYS)
    assert counts["portal", "limiter refusals"] > 0


def test_with_a_fresh_key_after_each_error_somebody_is_charged_twice(tmp_path):
    _, counts = run(tmp_path, 24, fresh_keys=True)
    assert counts["charged twice, pressed once"] > 0
    assert counts["settled, not known to the buyer"] > 0
