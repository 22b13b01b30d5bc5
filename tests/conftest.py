"""Examples are the same in every run, but for long random runs; and what a run says at its end."""

import os
import signal
import sys
import threading

import coverage
import pytest
from hypothesis import Phase, settings

from .properties.reached import summary

# The coverage of the facade is to come from the tests of the facade. Traced, these would take twice as long.
NOT_MEASURED = {"chaos", "examples", "mock", "project", "properties", "service"}

settings.register_profile("same-examples", derandomize=True, database=None, deadline=None)
settings.register_profile("random-examples", database=None, deadline=None, max_examples=50, print_blob=True)
# Where it is enough to know that a test fails.
settings.register_profile(
    "first-failure", settings.get_profile("same-examples"), phases=[Phase.explicit, Phase.generate]
)
settings.load_profile("same-examples")


@pytest.fixture(scope="session", autouse=True)
def processes_of_tests_are_not_measured():
    """Coverage would write into their folders, which tests make read-only, and on their standard error."""
    os.environ.pop("COVERAGE_PROCESS_CONFIG", None)


@pytest.fixture(scope="session", autouse=True)
def processes_of_tests_can_be_interrupted():
    """A shell has jobs in the background ignore Ctrl-C, and so would all processes that tests start from one."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module", autouse=True)
def only_tests_of_the_facade_are_measured(request):
    if coverage.Coverage.current() is None or NOT_MEASURED.isdisjoint(request.node.nodeid.split("/")):
        yield
        return
    # Not stop() and start(): the latter would have the processes of tests measured.
    here, in_new_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    yield
    sys.settrace(here)
    threading.settrace(in_new_threads)


@pytest.fixture
def approved_at_once(monkeypatch):
    """Has a login look at once whether a person has approved it, where the test does that."""
    from nous_billing.auth import device_login
    from nous_billing.mock import devices

    monkeypatch.setattr(devices, "INTERVAL", 0.01)
    monkeypatch.setattr(device_login, "_SHORTEST_INTERVAL", 0.01)


@pytest.fixture(autouse=True)
def no_test_has_the_token_of_the_person_who_runs_it(monkeypatch):
    monkeypatch.delenv("NOUS_TOKEN", raising=False)


@pytest.fixture(autouse=True)
def no_test_knows_the_purchases_of_another(monkeypatch):
    """Without a store they are those of the process."""
    from nous_billing.purchases import memory

    monkeypatch.setattr(memory, "PROCESS_STORE", memory.MemoryStore())


def pytest_terminal_summary(terminalreporter):
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, [])]
    for line in summary(reports):
        terminalreporter.write_line(line)
