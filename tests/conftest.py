"""Examples are the same in every run, but for long random runs; and what a run says at its end."""

import gc
import os
import re
import signal
from itertools import count

import pytest
from hypothesis import Phase, settings

# The first before the package is imported; of the second, pyproject.toml keeps pytest from importing it by itself.
pytest_plugins = ["tests.measuring", "nous_billing.mock.pytest_plugin"]
# By default a collection of garbage comes with every 700 new objects, and takes longer than most tests.
gc.set_threshold(20_000)
DIRECTORIES = count()
# `make properties` tries more of them, `make soak` others, for as long as it is told.
settings.register_profile("same-examples", derandomize=True, database=None, deadline=None, max_examples=10)
settings.register_profile("more-examples", settings.get_profile("same-examples"), max_examples=100)
settings.register_profile("random-examples", database=None, deadline=None, max_examples=50, print_blob=True)
# Where it is enough to know that a test fails.
settings.register_profile(
    "first-failure", settings.get_profile("same-examples"), phases=[Phase.explicit, Phase.generate]
)
settings.load_profile("same-examples")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """Half of the time tests wait for processes, deadlines and sockets. Each worker takes seconds to begin."""
    return min(2 * (os.cpu_count() or 1), 16)


def pytest_collection_finish():
    # The tests themselves, thousands, are not to be looked through with each collection of garbage.
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def processes_of_tests_can_be_interrupted():
    """A shell has jobs in the background ignore Ctrl-C, and so would all processes that tests start from one."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def tmp_path(request, tmp_path_factory):
    """As pytest's own, which looks through all that there are for the number of a new one."""
    name = re.sub(r"\W", "_", request.node.name)[:30]
    path = tmp_path_factory.getbasetemp() / f"{name}-{next(DIRECTORIES)}"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def approved_at_once(monkeypatch):
    """Has a login look at once whether a person has approved it, where the test does that."""
    from nous_billing.auth import device_login
    from nous_billing.mock import devices

    monkeypatch.setattr(devices, "INTERVAL", 0.01)
    monkeypatch.setattr(device_login, "_SHORTEST_INTERVAL", 0.01)


@pytest.fixture
def looks_again_at_once(monkeypatch):
    """Has a broken file looked at again as often as ever, but without pauses in which nobody mends it."""
    from nous_billing._files import reading

    monkeypatch.setattr(reading, "_PAUSE", 0)


@pytest.fixture(autouse=True)
def no_test_has_the_token_of_the_person_who_runs_it(monkeypatch):
    monkeypatch.delenv("NOUS_TOKEN", raising=False)


@pytest.fixture(autouse=True)
def no_test_knows_the_purchases_of_another(monkeypatch):
    """Without a store they are those of the process."""
    from nous_billing.purchases import memory

    monkeypatch.setattr(memory, "PROCESS_STORE", memory.MemoryStore())


def pytest_terminal_summary(terminalreporter):
    from .properties.reached import summary

    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, [])]
    for line in summary(reports):
        terminalreporter.write_line(line)
