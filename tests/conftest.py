"""Examples are the same in every run, but for long random runs; and what a run says at its end."""

import os

import pytest
from hypothesis import Phase, settings

from .properties.reached import summary

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


def pytest_terminal_summary(terminalreporter):
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, [])]
    for line in summary(reports):
        terminalreporter.write_line(line)
