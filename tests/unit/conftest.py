"""No test sees the environment or the login of the person who runs it."""

import pytest

from tests.unit.drive import FakeClock
from tests.unit.shop import Shop


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch, tmp_path_factory):
    for name in ("HERMES_PORTAL_BASE_URL", "NOUS_PORTAL_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HERMES_HOME", str(tmp_path_factory.getbasetemp() / "nobody-is-logged-in"))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def shop(clock) -> Shop:
    return Shop(clock)
