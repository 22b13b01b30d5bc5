"""Many calls through a proxy that breaks handshakes off, cut short at every moment; ``make storm`` makes more."""

import sys

import pytest

from tests.sockets.transport.storm import storm_in_tasks, storm_in_threads, weather

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted in /proc")


@pytest.fixture(scope="module")
def place():
    with weather() as place:
        yield place


@pytest.mark.parametrize("storm", [storm_in_threads, storm_in_tasks])
def test_nothing_is_lost_and_the_client_works_in_the_end(storm, place):
    outcome = storm(place, 400, seed=1)
    assert sum(outcome.outcomes.values()) == 400
    assert outcome.outcomes["answered"] > 100
    assert sum(count for ended, count in outcome.outcomes.items() if ended != "answered") > 40
    assert (outcome.lost, outcome.works) == ({}, True)
