"""Runs the tests of each mutant in a fork of one process that has already collected them.

mutmut collects the tests again for each mutant, which takes longer than to run them. A mutant in code that runs while
tests are collected would not be seen, so the tests of a survivor are run once more in a new process.
"""

import subprocess
import sys
from collections.abc import Iterable
from contextlib import chdir

import pytest
from _pytest.config import _prepareconfig
from mutmut.runners.harness import PytestRunner
from mutmut.workers import isolation


class WarmRunner(PytestRunner):
    """A ``PytestRunner`` for mutmut's fork server."""

    session: pytest.Session

    def warm_up(self) -> None:
        """Collect the tests, and keep them."""
        with chdir("mutants"):
            selection = self._pytest_add_cli_args_test_selection
            config = _prepareconfig(["--rootdir=.", "-x", "-qq", "-s", *selection, *self._pytest_add_cli_args])
            config._do_configure()
            self.session = pytest.Session.from_config(config)
            config.hook.pytest_sessionstart(session=self.session)
            items = self.session.perform_collect()
            # Else every mutant would seem to be killed.
            if isolation.run_in_fork(self._run, items) != 0:
                raise RuntimeError("The collected tests fail in a fork without a change.")

    def run_tests(self, *, mutant_name: str | None, tests: Iterable[str]) -> int:
        """Run some of the collected tests in this fork; return 0 if all of them pass."""
        if mutant_name is None:  # The tests without a change, which come before there is a server.
            return super().run_tests(mutant_name=None, tests=tests)
        chosen = set(tests)
        items = [item for item in self.session.items if item.nodeid.removeprefix("mutants/") in chosen]
        with chdir("mutants"):
            return self._run(items) or self._run_anew(sorted({item.nodeid.partition("::")[0] for item in items}))

    def _run(self, items: list[pytest.Item]) -> int:
        self.session.items = items
        try:
            self.session.config.hook.pytest_runtestloop(session=self.session)
        except (self.session.Failed, self.session.Interrupted):
            return 1
        return int(self.session.testsfailed > 0)

    def _run_anew(self, files: list[str]) -> int:
        command = [sys.executable, "-m", "pytest", "--rootdir=.", "-x", "-qq", *files, *self._pytest_add_cli_args]
        return subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode


def use() -> None:
    """Let mutmut's fork server use this runner."""
    vars(isolation)["PytestRunner"] = WarmRunner
