"""Examples are the same in every run, but for long random runs; and what a run says at its end."""

import gc
import os
import re
import signal
import sys
import threading
from contextlib import contextmanager
from itertools import count

import coverage
import pytest
from hypothesis import Phase, settings

from .properties.reached import summary

# The coverage of the facade is to come from the tests of the facade. Traced, these would take twice as long.
NOT_MEASURED = ["chaos/", "examples/", "mock/", "project/", "properties/", "service/"]
# So would these, which reach nothing that others do not, as the marker not_measured says of others.
NOT_MEASURED += ["sockets/purchases/", "test_parity.py"]
NOT_MEASURED += [
    f"sockets/test_{name}.py"
    for name in ("error_rows", "exchange", "secrets", "subscriptions", "users_matrix", "what_went_wrong")
]
NOT_MEASURED += [f"unit/purchases/test_{name}.py" for name in ("buying_together", "words_told")]
NOT_MEASURED += ["unit/protocol/test_replies.py"]
NOT_MEASURED += [
    f"auth/test_{name}.py"
    for name in ("failed_renewals", "many_processes", "matrix", "secrets_of_a_login", "uninterrupted")
]
NOT_MEASURED = [f"tests/{place}" for place in NOT_MEASURED]
# By default a collection of garbage comes with every 700 new objects, and takes longer than most tests.
gc.set_threshold(20_000)
DIRECTORIES = count()
# The names of their threads.
SERVERS = {"mock-portal", "raw-server"}
# What coverage has set to trace this thread and new ones.
TRACERS = pytest.StashKey[tuple]()

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


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node():
    """Where the workers are led from, nothing is tested."""
    if coverage.Coverage.current():
        trace(None, None)


def pytest_collection_finish(session):
    # The tests themselves, thousands, are not to be looked through with each collection of garbage.
    gc.collect()
    gc.freeze()
    # Not those of a debugger.
    if coverage.Coverage.current():
        session.stash[TRACERS] = sys.gettrace(), but_of_servers(threading.gettrace())
        trace(None, None)


def pytest_sessionfinish(session):
    if TRACERS in session.stash:
        trace(*session.stash[TRACERS])


def but_of_servers(trace_thread):
    """Trace threads, but not those in which only servers of the tests run."""

    def trace(frame, event, argument):
        if threading.current_thread().name in SERVERS:
            sys.settrace(None)
            return None
        return trace_thread(frame, event, argument)

    return trace


def trace(here, in_new_threads):
    # Not coverage's stop() and start(): the latter would have the processes of tests measured.
    sys.settrace(here)
    threading.settrace(in_new_threads)


@contextmanager
def measured(node):
    """Coverage counts within; elsewhere, as in pytest, it would only take time."""
    is_left_out = node.nodeid.startswith(tuple(NOT_MEASURED)) or node.get_closest_marker("not_measured")
    if TRACERS not in node.session.stash or is_left_out:
        yield
        return
    before = sys.gettrace(), threading.gettrace()
    trace(*node.session.stash[TRACERS])
    try:
        yield
    finally:
        trace(*before)


# Next to what they call, inside what other plugins do.
@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item):
    with measured(item):
        return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_teardown(item):
    with measured(item):
        return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_fixture_setup(request):
    with measured(request.node):
        return (yield)


@pytest.fixture(scope="session", autouse=True)
def processes_of_tests_are_not_measured():
    """Coverage would write into their folders, which tests make read-only, and on their standard error."""
    os.environ.pop("COVERAGE_PROCESS_CONFIG", None)


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
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, [])]
    for line in summary(reports):
        terminalreporter.write_line(line)
