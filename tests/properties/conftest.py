"""How a rule is held, for examples whose number the profile of hypothesis says, counted; and the two ends."""

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from nous_billing.mock import MockPortal
from tests.registry import Rig
from tests.sockets.harness import Kind

from .pressing import Scene, seen
from .sending import Facade


@pytest.fixture
def for_all(record_property):
    """Hold a rule for everything that is drawn from the strategies; ``share`` of the profile's number of examples."""

    def hold(rule, *strategies, share=1.0):
        tried = 0

        @settings(max_examples=max(1, round(settings().max_examples * share)), suppress_health_check=list(HealthCheck))
        @given(st.tuples(*strategies))
        def example(drawn):
            nonlocal tried
            tried += 1
            # With the plugin of schemathesis the arguments of a failing example are not printed.
            note(f"for {drawn!r}")
            rule(*drawn)

        try:
            example()
        finally:
            record_property("examples", tried)

    return hold


@pytest.fixture
def both_kinds():
    """The synchronous and the asynchronous client."""
    kinds = Kind("sync"), Kind("async")
    yield kinds
    for kind in kinds:
        kind.close()


@pytest.fixture
def rig():
    portal = MockPortal()
    with portal.serve():
        yield Rig(portal)
    assert portal.violations == []


@pytest.fixture
def facade(rig):
    facade = Facade(rig)
    yield facade
    facade.close()


@pytest.fixture
def begin(rig, both_kinds, tmp_path_factory):
    """Have the same happen to both clients; what came of it must be the same."""

    def play(story, *arguments, last4="4242"):
        told = []
        for kind in both_kinds:
            scene = Scene(rig, kind, tmp_path_factory.mktemp("purchases"), last4)
            told.append([seen(outcome) for outcome in story(scene, *arguments)])
        assert told[0] == told[1]

    return play
