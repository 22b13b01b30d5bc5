"""A portal whose clock stands still, and a machine that has nothing but what a test puts there."""

import socket
import sys
import time

import pytest

from nous_billing.auth import oauth
from nous_billing.mock import MockClock, MockPortal
from tests.auth.support import ASKS, House

_VARIABLES = (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("HERMES_PORTAL_BASE_URL", "NOUS_PORTAL_BASE_URL", "SSL_CERT_FILE", "SSL_CERT_DIR"),
)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch, tmp_path):
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / ".config"))
    monkeypatch.setenv("HERMES_HOME", str(tmp_path / "hermes"))
    # A name that maps to None cannot be imported, whatever is installed.
    for name in ("hermes_cli", "hermes_cli.auth"):
        monkeypatch.setitem(sys.modules, name, None)
    look_up = socket.getaddrinfo

    def look_up_loopback(host, *arguments, **more):
        if host not in (None, "127.0.0.1", "localhost"):
            raise socket.gaierror(f"A test wanted to reach {host!r}.")
        return look_up(host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up_loopback)


@pytest.fixture(autouse=True)
def _one_request_a_refresh(monkeypatch):
    """What one answer does is seen without the replays, which test_replay.py is about."""
    monkeypatch.setattr(oauth, "_PAUSES_BEFORE_REPLAY", ())


class RoundClock(MockClock):
    """A clock that stands at a whole second, which an ISO date holds exactly."""

    def __init__(self):
        super().__init__(frozen=True, start=float(int(time.time())))


@pytest.fixture
def portal():
    portal = MockPortal(clock=RoundClock(), settle_after=0)
    with portal.serve():
        yield portal
    assert portal.violations == []


@pytest.fixture
def house(portal, tmp_path):
    house = House(portal, tmp_path / "config" / "login.json")
    yield house
    house.close()


@pytest.fixture(params=ASKS)
def ask(request):
    """The three ways to a token: the source itself, and both clients."""
    return ASKS[request.param]
