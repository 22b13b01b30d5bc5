"""The login of Hermes: a stand-in for `hermes_cli.auth` with exactly its two functions, and its file without it."""

import asyncio
import importlib
import json
import sys
import textwrap
import time

import pytest

from nous_billing import (
    AsyncBillingClient,
    BillingAuthError,
    BillingClient,
    BillingError,
    BillingInvalidRequest,
    BillingNetworkError,
    DefaultLogin,
    HermesLogin,
)
from tests.auth.support import FULL, asked, child_environment, iso

# A package on sys.path, as Hermes is. It reads its own auth.json each time, and does what the file says.
STAND_IN = """
import json
import os
from pathlib import Path


class AuthError(RuntimeError):
    pass


def _state():
    path = Path(os.environ["HERMES_HOME"]) / "auth.json"
    return json.loads(path.read_text())["providers"].get("nous") if path.exists() else None


def get_provider_auth_state(provider):
    assert provider == "nous"
    return _state()


def resolve_nous_access_token():
    state = _state()
    with open(Path(os.environ["HERMES_HOME"]) / "asked", "a") as log:
        log.write("x")
    if not state or not state.get("access_token"):
        raise AuthError("Not logged in")
    return state["access_token"]
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Put the stand-in where `hermes_cli.auth` is imported from."""

    def install(source=STAND_IN):
        package = tmp_path / "site" / "hermes_cli"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "auth.py").write_text(textwrap.dedent(source))
        for name in ("hermes_cli", "hermes_cli.auth"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.syspath_prepend(str(package.parent))
        importlib.invalidate_caches()
        return package

    yield install
    for name in ("hermes_cli", "hermes_cli.auth"):
        sys.modules.pop(name, None)


class Home:
    """A Hermes home and the login in it."""

    def __init__(self, house, folder):
        self.house = house
        self.folder = folder
        self.path = folder / "auth.json"
        folder.mkdir(exist_ok=True)

    def put(self, *, lifetime=900.0, **more):
        login = self.house.portal.log_in(scope=FULL)
        state = {
            **self.house.entry_for(login),
            "portal_base_url": self.house.url,
            "expires_at": iso(time.time() + lifetime),
            **more,
        }
        self.write(state)
        return login

    def write(self, state):
        new = self.folder / "new"
        new.write_text(json.dumps({"version": 1, "active_provider": "nous", "providers": {"nous": state}}))
        new.replace(self.path)

    def times_asked(self):
        log = self.folder / "asked"
        return len(log.read_text()) if log.exists() else 0


@pytest.fixture
def home(house, tmp_path):
    return Home(house, tmp_path / "hermes")


@pytest.fixture
def other_home(house, tmp_path):
    return Home(house, tmp_path / "other-hermes")


class Calls:
    """Calls of one client of either kind, and the bearer token that each was made with."""

    def __init__(self, kind, house, source):
        self.house = house
        self.kind = kind
        if kind == "sync":
            self._client = BillingClient(source)
        else:
            self._runner = asyncio.Runner()
            self._client = AsyncBillingClient(source)

    def __call__(self):
        if self.kind == "sync":
            self._client.get_billing_state()
        else:
            self._runner.run(self._client.get_billing_state())
        return self.house.portal.requests[-1].headers["authorization"].removeprefix("Bearer ")

    def close(self):
        if self.kind == "sync":
            self._client.close()
        else:
            self._runner.run(self._client.aclose())
            self._runner.close()


@pytest.fixture(params=["sync", "async"])
def calls(request, house):
    made = []

    def make(source=None):
        made.append(Calls(request.param, house, source))
        return made[-1]

    yield make
    for call in made:
        call.close()


# With Hermes's module


def test_the_token_of_hermess_module_is_used_and_kept_for_a_while(home, calls, stand_in):
    stand_in()
    login = home.put()
    call = calls()
    assert [call() for _ in range(5)] == [login.access_token] * 5
    assert home.times_asked() == 1
    assert home.house.refreshes() == []


def test_hermess_file_is_never_written_nor_locked_beside_its_module(home, calls, stand_in):
    stand_in()
    home.put()
    before = home.path.read_bytes(), home.path.stat().st_mtime_ns
    calls()()
    assert (home.path.read_bytes(), home.path.stat().st_mtime_ns) == before
    assert sorted(path.name for path in home.folder.iterdir()) == ["asked", "auth.json"]


def test_another_profile_is_noticed_at_once(home, other_home, calls, stand_in, monkeypatch):
    stand_in()
    first, second = home.put(), other_home.put()
    call = calls()
    assert call() == first.access_token
    monkeypatch.setenv("HERMES_HOME", str(other_home.folder))
    assert call() == second.access_token
    monkeypatch.setenv("HERMES_HOME", str(home.folder))
    assert call() == first.access_token


def test_a_logout_is_noticed_at_once(home, calls, stand_in):
    stand_in()
    home.put()
    call = calls()
    call()
    home.path.unlink()
    with pytest.raises(BillingAuthError, match="Not logged in"):
        call()
    assert len(asked(home.house.portal, "get_billing_state")) == 1


def test_a_logout_that_leaves_the_file_is_noticed_at_once(home, calls, stand_in):
    stand_in()
    home.put()
    call = calls()
    call()
    home.write({})
    with pytest.raises(BillingAuthError, match="Not logged in"):
        call()


def test_a_new_login_is_noticed_at_once(home, calls, stand_in):
    stand_in()
    home.put()
    call = calls()
    call()
    newer = home.put()
    assert call() == newer.access_token


def test_an_environment_that_is_changed_and_set_back_is_noticed_both_times(home, calls, stand_in, monkeypatch):
    stand_in()
    login = home.put()
    call = calls()
    call()
    monkeypatch.setenv("NOUS_PORTAL_BASE_URL", "http://portal.example")
    with pytest.raises(BillingInvalidRequest):
        call()
    monkeypatch.delenv("NOUS_PORTAL_BASE_URL")
    assert call() == login.access_token
    assert home.times_asked() >= 2


def test_a_token_of_hermes_is_kept_for_30_seconds_at_most(home, stand_in):
    stand_in()
    home.put()
    with BillingClient(HermesLogin(), clock=home.house.clock) as client:
        client.get_billing_state()
        home.house.portal.clock.advance(29)
        client.get_billing_state()
        assert home.times_asked() == 1
        home.house.portal.clock.advance(1)
        client.get_billing_state()
        assert home.times_asked() == 2


RAISES = {
    "its own AuthError": ("raise AuthError('no')", BillingAuthError),
    "RuntimeError": ("raise RuntimeError('down')", BillingNetworkError),
    "OSError": ("raise OSError('disk')", BillingNetworkError),
    "TimeoutError": ("raise TimeoutError()", BillingNetworkError),
    "KeyError": ("raise KeyError('x')", BillingNetworkError),
    "ImportError": ("import no_such_module", BillingNetworkError),
    "None": ("return None", BillingError),
    "a number": ("return 5", BillingError),
    "a blank": ("return ' '", BillingError),
    "a line break": ("return 'a\\nb'", BillingError),
}


@pytest.mark.parametrize("row", RAISES)
@pytest.mark.parametrize("where", ["get_provider_auth_state", "resolve_nous_access_token"])
def test_whatever_hermess_module_does_the_error_is_typed(home, calls, stand_in, row, where):
    body, error_class = RAISES[row]
    if where == "get_provider_auth_state" and body.startswith("return"):
        body, error_class = body.replace("'a\\nb'", "['x']"), BillingError
    stand_in(f"""
        class AuthError(RuntimeError):
            pass
        def get_provider_auth_state(provider):
            {body if where == "get_provider_auth_state" else "return {}"}
        def resolve_nous_access_token():
            {body if where == "resolve_nous_access_token" else "raise AuthError()"}
    """)
    with pytest.raises(BillingError) as caught:
        HermesLogin().resolve()
    if body.startswith("raise"):
        assert isinstance(caught.value, error_class)
    with pytest.raises(BillingError):
        calls()()
    assert home.house.portal.requests == []


def test_a_token_that_is_still_good_outlives_a_hermes_that_cannot_renew_it(home, calls, stand_in):
    stand_in(STAND_IN + "\n\ndef resolve_nous_access_token():\n    raise RuntimeError('down')\n")
    login = home.put()
    assert calls()() == login.access_token


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"providers": []}', b"\xff", b"[" * 200_000])
def test_a_file_of_hermes_that_cannot_be_read_is_a_typed_error_and_stays(home, calls, content):
    home.path.write_bytes(content)
    with pytest.raises(BillingAuthError, match="cannot be read") as caught:
        calls()()
    assert str(home.path) in str(caught.value)
    assert home.path.read_bytes() == content


@pytest.mark.parametrize("source", ["raise RuntimeError('broken')", "x ="])
def test_a_hermes_that_breaks_when_it_is_imported_is_a_typed_error(calls, stand_in, source):
    stand_in(source)
    for resolve in (HermesLogin().resolve, DefaultLogin().resolve, calls()):
        with pytest.raises(BillingError):
            resolve()


def test_a_hermes_of_another_time_without_the_functions_is_a_typed_error(calls, stand_in):
    stand_in("")
    with pytest.raises(BillingError):
        HermesLogin().resolve()
    with pytest.raises(BillingError):
        calls()()


def test_a_stored_host_that_is_not_allowed_is_refused(home, calls, stand_in):
    stand_in()
    home.put(portal_base_url="https://portal.example")
    with pytest.raises(BillingInvalidRequest):
        calls()()


def test_it_works_in_a_process_of_its_own(home, stand_in):
    import subprocess

    package = stand_in()
    login = home.put()
    program = "from nous_billing import *\nwith BillingClient() as c: print(c.get_billing_state().org.name)"
    environment = child_environment(HERMES_HOME=str(home.folder))
    environment["PYTHONPATH"] += f":{package.parent}"
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert (ended.stdout, ended.stderr) == ("Acme\n", "")
    assert home.house.portal.requests[-1].headers["authorization"] == f"Bearer {login.access_token}"
    assert home.times_asked() == 1


# Without it


def test_without_the_module_the_file_is_read_and_nothing_else(home, calls):
    login = home.put()
    before = home.path.read_bytes(), home.path.stat().st_mtime_ns, home.folder.stat().st_mtime_ns
    assert calls()() == login.access_token
    assert (home.path.read_bytes(), home.path.stat().st_mtime_ns, home.folder.stat().st_mtime_ns) == before


@pytest.mark.parametrize("lifetime", [-1, -10_000])
def test_an_expired_token_of_hermess_file_is_never_refreshed(home, calls, lifetime):
    home.put(lifetime=lifetime)
    before = home.path.read_bytes(), home.path.stat().st_mtime_ns, home.folder.stat().st_mtime_ns
    with pytest.raises(BillingAuthError, match="Not logged in"):
        calls()()
    assert home.house.portal.requests == []
    assert (home.path.read_bytes(), home.path.stat().st_mtime_ns, home.folder.stat().st_mtime_ns) == before


def test_a_rejected_token_of_hermess_file_is_never_refreshed(home, calls):
    login = home.put()
    home.house.portal.expire(login.access_token)
    with pytest.raises(BillingAuthError):
        calls()()
    assert asked(home.house.portal, "oauth_token") == []


def test_a_token_that_hermes_renewed_is_taken_for_a_rejected_one(home, calls):
    older = home.put()
    call = calls()
    call()
    home.house.portal.expire(older.access_token)
    newer = home.put()
    assert call() == newer.access_token


# Which login is the default


@pytest.fixture
def own_login(house):
    """The SDK's own login where it is by default."""
    house.path = DefaultLogin()._stored.path
    login = house.portal.log_in()
    entry = house.entry_for(login, obtained_at=iso(time.time()), expires_at=iso(time.time() + 900))
    house.write({house.url: entry})
    return login


def test_hermess_module_comes_first(home, own_login, calls, stand_in):
    stand_in()
    login = home.put()
    assert calls()() == login.access_token


def test_hermess_module_comes_first_even_where_it_is_logged_out(home, own_login, calls, stand_in):
    stand_in()
    with pytest.raises(BillingAuthError):
        calls()()


def test_the_sdks_own_login_comes_before_hermess_file(home, own_login, calls):
    home.put()
    assert calls()() == own_login.access_token


def test_hermess_file_comes_last(home, calls):
    login = home.put()
    assert calls()() == login.access_token


def test_with_no_login_at_all_the_first_call_says_so(calls):
    with pytest.raises(BillingAuthError, match="Not logged in"):
        calls()()


def test_a_login_and_a_logout_of_the_sdks_own_are_noticed_at_once(home, own_login, calls):
    login = home.put()
    call = calls()
    assert call() == own_login.access_token
    home.house.path.unlink()
    assert call() == login.access_token
    home.house.write({home.house.url: home.house.entry_for(own_login, expires_at=iso(time.time() + 900))})
    assert call() == own_login.access_token


def test_the_default_login_shows_nothing_in_its_repr(own_login):
    assert repr(DefaultLogin()) == "DefaultLogin()"
    assert repr(HermesLogin()) == "HermesLogin()"
