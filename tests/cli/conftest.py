"""A person at a terminal, and the mock portal that they buy from."""

import json
import os
import signal
from dataclasses import dataclass, field

import pytest
from click.testing import CliRunner, Result

from nous_billing.cli.commands import command
from nous_billing.mock import MockPortal
from nous_billing.purchases import announcing, posting
from tests.cli.terminal import Terminal


@dataclass
class Person:
    """Somebody who types commands.

    Attributes:
        portal: The portal that their environment names.
        env: Their environment: folders of their own, and no browser that opens.
    """

    portal: MockPortal
    env: dict[str, str]
    told: list[str] = field(default_factory=list)

    def run(self, *arguments: str, typed: str | None = None) -> Result:
        """Run a command in this process, over a real socket to the portal."""
        on_interrupt = signal.getsignal(signal.SIGINT)
        try:
            result = CliRunner().invoke(command, arguments, input=typed, env=self.env)
        finally:
            # A command that this test starts later inherits what is ignored.
            signal.signal(signal.SIGINT, on_interrupt)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        self.told.append(result.output)
        return result

    def answer(self, *arguments: str, ending: int = 0) -> dict:
        """Run a command with `--json`, and return its answer."""
        result = self.run(*arguments, "--json")
        assert result.exit_code == ending, result.output
        return json.loads(result.stdout)

    def terminal(self, *arguments: str, columns: int = 100) -> Terminal:
        return Terminal(*arguments, env=self.env, columns=columns)


@pytest.fixture(autouse=True)
def _ctrl_c():
    """A command decides what Ctrl-C does to its process, and is run in this one."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def portal(monkeypatch, approved_at_once):
    # Nobody waits in tests for what the portal would say now.
    monkeypatch.setattr(posting, "_PAUSES", (0.01, 0.01, 0.01))
    monkeypatch.setattr(announcing, "_QUIET_SECONDS", 0.05)
    portal = MockPortal(settle_after=0)
    with portal.serve():
        yield portal


@pytest.fixture
def stranger(portal, tmp_path):
    """Somebody who is not logged in."""
    # A terminal says itself how wide it is.
    ours = ("NOUS_", "HERMES_", "COLUMNS", "LINES")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    folders = {f"XDG_{name}_HOME": str(tmp_path / name.lower()) for name in ("CONFIG", "DATA", "STATE")}
    return Person(
        portal, {**env, **folders, "HOME": str(tmp_path), "NOUS_PORTAL_BASE_URL": portal.url, "BROWSER": "true"}
    )


@pytest.fixture
def person(stranger, portal, monkeypatch):
    """Somebody who is logged in and may buy."""
    log_in(stranger, portal, monkeypatch)
    return stranger


def log_in(person: Person, portal: MockPortal, monkeypatch: pytest.MonkeyPatch, *, allow_spending: bool = True) -> None:
    from nous_billing.cli import login

    def show_code(screen, *, opens_browser):
        return lambda code: portal.approve_device(code.user_code, allow_spending=allow_spending)

    with monkeypatch.context() as patch:
        patch.setattr(login, "show_code", show_code)
        assert person.run("login").exit_code == 0
