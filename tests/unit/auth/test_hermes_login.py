"""The login of Hermes: its own module where there is one, else its file, read only."""

import json
import os
import sys
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import ModuleType, SimpleNamespace

import pytest

from nous_billing.auth import hermes_login
from nous_billing.auth.hermes_login import HermesLogin
from nous_billing.credentials import CredentialMemo, Credentials
from nous_billing.errors import BillingAuthError, BillingInvalidRequest, BillingNetworkError, BillingSessionRevoked
from nous_billing.portal import DEFAULT_PORTAL_BASE_URL
from nous_billing.protocol import operations
from nous_billing.protocol.exchange import exchange
from tests.unit.drive import DEADLINE, NOW, short

CANARY = "canary-secret"
LOCAL = "http://localhost:3000"
NOT_LOGGED_IN = "Not logged in to the Nous Portal. Run `hermes portal` to log in, or pass credentials to the client."


def moment(seconds):
    return (datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=seconds)).isoformat()


def jwt(claims):
    if not isinstance(claims, bytes):
        claims = json.dumps(claims).encode()
    return f"e30.{urlsafe_b64encode(claims).decode().rstrip('=')}.signature"


VALID = {"portal_base_url": LOCAL, "access_token": "stored", "refresh_token": CANARY, "expires_at": moment(60)}
EXPIRED = {**VALID, "expires_at": moment(-60)}


@pytest.fixture(autouse=True)
def standing_clock(monkeypatch):
    monkeypatch.setattr(hermes_login, "time", SimpleNamespace(time=lambda: NOW))


@pytest.fixture(autouse=True)
def no_hermes(monkeypatch):
    """A name that maps to None cannot be imported, whatever is installed."""
    for name in ("hermes_cli", "hermes_cli.auth"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("HERMES_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def write(home):
    def write_file(state, whole=None):
        content = whole if whole is not None else {"version": 1, "providers": {"nous": state, "other": {}}}
        (home / "auth.json").write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())

    return write_file


class AuthError(RuntimeError):
    """Hermes's own."""


def auth_error(relogin_required):
    error = AuthError("no")
    error.relogin_required = relogin_required
    return error


@pytest.fixture
def hermes(monkeypatch):
    """Hermes's module with nothing but what the portal team says it has; a value that is an exception is raised."""

    def install(state, token, *, auth_error=AuthError):
        def give(value):
            if isinstance(value, BaseException):
                raise value
            return value

        def get_provider_auth_state(provider):
            assert provider == "nous"
            return give(state)

        module = ModuleType("hermes_cli.auth")
        module.get_provider_auth_state = get_provider_auth_state
        module.resolve_nous_access_token = lambda: give(token)
        if auth_error is not None:
            module.AuthError = auth_error
        monkeypatch.setitem(sys.modules, "hermes_cli", ModuleType("hermes_cli"))
        monkeypatch.setitem(sys.modules, "hermes_cli.auth", module)

    return install


def test_hermes_own_token_goes_to_the_portal_of_its_login(hermes):
    hermes(VALID, "renewed")
    assert HermesLogin().resolve() == Credentials("renewed", LOCAL)


def test_hermes_own_token_is_taken_over_the_file(hermes, write):
    write(VALID)
    hermes({}, " renewed\n")
    assert HermesLogin().resolve() == Credentials("renewed", DEFAULT_PORTAL_BASE_URL)


@pytest.mark.parametrize("state", [None, {}])
def test_hermes_without_a_stored_state_means_the_default_portal(hermes, state):
    hermes(state, "renewed")
    assert HermesLogin().resolve() == Credentials("renewed", DEFAULT_PORTAL_BASE_URL)


@pytest.mark.parametrize("state", [None, {}, EXPIRED, {"access_token": "  "}, {"access_token": 5}])
def test_hermes_saying_that_nobody_is_logged_in_is_a_failed_login(hermes, state):
    error = AuthError(CANARY)
    hermes(state, error)
    with pytest.raises(BillingAuthError) as caught:
        HermesLogin().resolve()
    assert str(caught.value) == NOT_LOGGED_IN
    assert (caught.value.error, caught.value.status) == ("invalid_token", 401)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    "error", [auth_error(relogin_required=False), OSError("dns"), RuntimeError("500"), ValueError("x"), KeyError()]
)
def test_a_passing_failure_to_renew_leaves_a_token_that_is_still_good(hermes, error):
    hermes(VALID, error)
    assert HermesLogin().resolve() == Credentials("stored", LOCAL)


@pytest.mark.parametrize(
    "error",
    [
        auth_error(relogin_required=False),
        OSError(CANARY),
        RuntimeError("500"),
        TimeoutError(),
        KeyError("x"),
        ImportError("y"),
    ],
)
def test_a_passing_failure_to_renew_an_expired_token_is_no_logout(hermes, error):
    hermes(EXPIRED, error)
    with pytest.raises(BillingNetworkError) as caught:
        HermesLogin().resolve()
    assert str(caught.value) == f"Hermes could not renew the login ({type(error).__name__}). Try again shortly."
    assert caught.value.error == "network_error"
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [auth_error(relogin_required=True), AuthError("of an older version")])
@pytest.mark.parametrize("rejected", [None, "stored"])
def test_a_login_that_hermes_calls_over_is_over_whatever_token_is_at_hand(hermes, error, rejected):
    hermes(VALID, error)
    with pytest.raises(BillingAuthError) as caught:
        HermesLogin().resolve(rejected=rejected)
    assert (str(caught.value), caught.value.status, caught.value.__cause__) == (NOT_LOGGED_IN, 401, error)


@pytest.mark.parametrize("error", [auth_error(relogin_required=False), OSError()])
def test_a_token_that_was_just_rejected_is_not_good_because_its_time_is_not_up(hermes, error):
    hermes(VALID, error)
    with pytest.raises(BillingNetworkError):
        HermesLogin().resolve(rejected="stored")


@pytest.fixture
def renewing(hermes):
    """Hermes's module, which renews a token that is not due only if it is told to; each skew that it was given."""
    hermes(VALID, None)
    module, skews = sys.modules["hermes_cli.auth"], []

    def resolve_nous_access_token(*, timeout_seconds=15.0, refresh_skew_seconds=120):
        skews.append(refresh_skew_seconds)
        return "stored" if refresh_skew_seconds == 120 else f"renewed-{len(skews)}"

    module.resolve_nous_access_token = resolve_nous_access_token
    return skews


def test_a_rejected_token_is_renewed_by_hermes_once(renewing):
    login = HermesLogin()
    assert login.resolve().access_token == "stored"
    assert renewing == [120]
    renewed = login.resolve(rejected="stored").access_token
    assert (renewed, renewing[1:]) == ("renewed-3", [120, 10**9])
    # It was renewed already: by another process, say.
    assert login.resolve(rejected="of-before").access_token == "stored"
    assert renewing[3:] == [120]


def test_a_portal_that_refuses_what_was_just_renewed_costs_no_renewal_at_each_call(renewing, monkeypatch):
    login = HermesLogin()
    renewed = login.resolve(rejected="stored").access_token
    renewing.clear()
    monkeypatch.setattr(sys.modules["hermes_cli.auth"], "resolve_nous_access_token", lambda **_: str(renewed))
    assert [login.resolve(rejected=renewed).access_token for _ in range(2)] == [renewed] * 2


def test_a_hermes_that_cannot_be_told_to_renew_gives_the_same_token(hermes):
    hermes(VALID, "stored")
    assert HermesLogin().resolve(rejected="stored").access_token == "stored"


def test_a_hermes_without_auth_error_is_no_crash(hermes):
    hermes(EXPIRED, RuntimeError(), auth_error=None)
    with pytest.raises(BillingNetworkError):
        HermesLogin().resolve()


def test_a_store_that_hermes_cannot_read_is_no_logout(hermes):
    hermes(OSError("disk"), "renewed")
    with pytest.raises(BillingNetworkError, match="OSError"):
        HermesLogin().resolve()


@pytest.mark.parametrize("token", [None, "", "  ", 5, "to\nken"])
def test_what_hermes_gives_as_a_token_is_checked(hermes, token):
    hermes(VALID, token)
    with pytest.raises(BillingAuthError):
        HermesLogin().resolve()


def test_hermes_stored_portal_must_be_one_of_the_allowed_hosts(hermes):
    hermes({**VALID, "portal_base_url": "https://evil.example"}, "renewed")
    with pytest.raises(BillingInvalidRequest, match="stored login") as caught:
        HermesLogin().resolve()
    assert caught.value.error == "invalid_base_url"


def test_an_interrupt_in_hermes_is_not_swallowed(hermes):
    hermes(VALID, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        HermesLogin().resolve()


@pytest.mark.parametrize(
    "state",
    [
        VALID,
        {**VALID, "access_token": " stored\n"},
        {**VALID, "expires_at": moment(0.5)},
        {**VALID, "expires_at": "2999-01-01T00:00:00Z"},
        # No expiry is known: the portal is the judge.
        {**VALID, "expires_at": None},
        {**VALID, "expires_at": 5},
        {**VALID, "expires_at": "soon"},
        {**VALID, "expires_at": "1999-01-01T00:00:00"},
    ],
)
def test_the_stored_token_is_used_while_it_is_valid(write, state):
    write(state)
    assert HermesLogin().resolve() == Credentials("stored", LOCAL)


@pytest.mark.parametrize(
    ("claims", "valid"),
    [
        ({"exp": NOW + 60}, True),
        ({"exp": int(NOW) + 1}, True),
        ({"exp": NOW}, False),
        ({"exp": NOW - 60}, False),
        ({"exp": 0}, False),
        ({}, True),
        ({"exp": None}, True),
        ({"exp": "soon"}, True),
        ({"exp": [1]}, True),
        ([], True),
        (b"no json", True),
        (b"\xff", True),
        (b"[" * 100_000, True),
        (b'{"exp": ' + b"9" * 400 + b"}", True),
        (b'{"exp": ' + b"9" * 5000 + b"}", True),
    ],
    ids=short,
)
def test_without_expires_at_the_jwts_own_expiry_counts(write, claims, valid):
    write({"access_token": jwt(claims)})
    if valid:
        assert HermesLogin().resolve().access_token == jwt(claims)
    else:
        with pytest.raises(BillingAuthError, match="Not logged in"):
            HermesLogin().resolve()


@pytest.mark.parametrize("token", ["opaque", "a.b", "a.%%%.c", "..", "a.A.c"])
def test_a_token_that_is_no_jwt_has_no_expiry_of_its_own(write, token):
    write({"access_token": token})
    assert HermesLogin().resolve().access_token == token


@pytest.mark.parametrize(
    "state",
    [
        EXPIRED,
        {**VALID, "expires_at": moment(0)},
        {**VALID, "expires_at": "1999-01-01T00:00:00+02:00"},
        {**VALID, "access_token": jwt({"exp": NOW + 60}), "expires_at": moment(-1)},
        {"access_token": jwt({"exp": NOW - 1})},
        {},
        {**VALID, "access_token": None},
        {**VALID, "access_token": ""},
        {**VALID, "access_token": 5},
        None,
        [],
        "stored",
        5,
    ],
    ids=short,
)
def test_a_file_without_a_valid_token_is_no_login(write, state):
    write(state)
    with pytest.raises(BillingAuthError) as caught:
        HermesLogin().resolve()
    for way in ("`nous-billing login`", "`hermes portal`", "NOUS_TOKEN", "pass credentials"):
        assert way in str(caught.value)
    assert (caught.value.error, caught.value.status) == ("invalid_token", 401)


def test_a_rejected_token_of_the_file_is_not_given_again(write):
    write(VALID)
    with pytest.raises(BillingAuthError, match="Not logged in"):
        HermesLogin().resolve(rejected="stored")
    write({**VALID, "access_token": "of-a-new-login"})
    assert HermesLogin().resolve(rejected="stored").access_token == "of-a-new-login"


def test_a_missing_file_is_no_login(home):
    with pytest.raises(BillingAuthError, match="Not logged in"):
        HermesLogin().resolve()
    (home / "auth.json").write_text("{}")
    with pytest.raises(BillingAuthError, match="Not logged in"):
        HermesLogin().resolve()


@pytest.mark.parametrize("whole", [{"providers": {}}, {"version": 1}, {"providers": {"other": VALID}}])
def test_a_file_without_a_login_at_the_portal_is_no_login(write, whole):
    write(None, whole)
    with pytest.raises(BillingAuthError, match="Not logged in"):
        HermesLogin().resolve()


@pytest.mark.parametrize(
    "whole",
    [
        b"",
        b"{",
        b"<html>",
        b"\xff\xfe\xff",
        b"null",
        b"[]",
        b"5",
        b'"x"',
        b'{"providers":null}',
        b'{"providers":[]}',
        b"[" * 100_000,
        b'{"providers":' + CANARY.encode(),
    ],
    ids=short,
)
def test_a_corrupt_file_is_said_to_be_one(write, home, whole):
    write(None, whole)
    with pytest.raises(
        BillingAuthError, match=r"cannot be read \((JSONDecodeError|Unicode|TypeError|Recursion)"
    ) as caught:
        HermesLogin().resolve()
    assert caught.value.error == "invalid_token"
    assert str(caught.value).startswith(f"Hermes's login {home / 'auth.json'} cannot be read (")
    assert str(caught.value).endswith("). Run `hermes portal` to log in again.")
    assert CANARY not in str(caught.value)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_an_unreadable_file_is_said_to_be_one(home):
    # A directory in its place: permissions do not stop root.
    (home / "auth.json").mkdir()
    with pytest.raises(BillingAuthError, match="cannot be read"):
        HermesLogin().resolve()


def test_a_file_that_hermes_is_just_writing_in_place_is_looked_at_again(write, home, monkeypatch):
    write(VALID)
    whole = (home / "auth.json").read_bytes()
    write(None, b"")
    monkeypatch.setattr(hermes_login, "_read_state", torn_twice(hermes_login._read_state, home / "auth.json", whole))
    assert HermesLogin().resolve().access_token == VALID["access_token"]


def torn_twice(read, path, whole):
    looks = []

    def look(name):
        looks.append(read(name))
        if len(looks) == 2:
            path.write_bytes(whole)
        return looks[-1]

    return look


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_never_ends_is_not_read(home, kind):
    if kind == "pipe":
        os.mkfifo(home / "auth.json")
    else:
        (home / "auth.json").symlink_to("/dev/zero")
    with pytest.raises(BillingAuthError, match="is not a regular file"):
        HermesLogin().resolve()


def test_a_link_to_hermess_file_is_followed(write, home):
    write(VALID)
    (home / "auth.json").rename(home / "elsewhere.json")
    (home / "auth.json").symlink_to("elsewhere.json")
    assert HermesLogin().resolve().access_token == VALID["access_token"]


def test_a_stored_portal_that_is_not_allowed_gets_no_token(write):
    write({**VALID, "portal_base_url": "https://evil.example"})
    with pytest.raises(BillingInvalidRequest, match="stored login"):
        HermesLogin().resolve()


@pytest.mark.parametrize("name", ["HERMES_PORTAL_BASE_URL", "NOUS_PORTAL_BASE_URL"])
def test_the_environment_outranks_the_stored_portal(monkeypatch, write, name):
    write({**VALID, "portal_base_url": "https://evil.example"})
    monkeypatch.setenv(name, "https://operator.example/")
    assert address(CredentialMemo(HermesLogin(), StandingClock()).resolve()) == "https://operator.example"


def address(credentials):
    """Where a request with these credentials goes."""
    flow = exchange(operations.get_billing_state(), base_url=None, deadline=DEADLINE)
    next(flow)
    return flow.send(credentials).base_url


class StandingClock:
    def monotonic(self):
        return 0.0

    def time(self):
        return NOW


@pytest.mark.parametrize("name", ["HERMES_PORTAL_BASE_URL", "NOUS_PORTAL_BASE_URL"])
def test_the_memo_does_not_outlive_a_changed_environment(monkeypatch, write, name):
    write(VALID)
    memo = CredentialMemo(HermesLogin(), StandingClock())
    monkeypatch.setenv(name, "https://operator.example")
    assert address(memo.resolve()) == "https://operator.example"
    monkeypatch.delenv(name)
    assert address(memo.resolve()) == LOCAL


def test_the_file_is_never_written_to_and_nothing_is_left_beside_it(write, home):
    write(VALID)
    before = (home / "auth.json").read_bytes()
    HermesLogin().resolve()
    assert (home / "auth.json").read_bytes() == before
    assert [path.name for path in home.iterdir()] == ["auth.json"]


@pytest.mark.parametrize("variable", [None, "", " \t"])
def test_without_hermes_home_the_file_is_in_the_home_directory(monkeypatch, tmp_path, variable):
    monkeypatch.delenv("HERMES_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".hermes").mkdir()
    (tmp_path / ".hermes/auth.json").write_text(json.dumps({"providers": {"nous": VALID}}))
    if variable is not None:
        monkeypatch.setenv("HERMES_HOME", variable)
    assert HermesLogin().resolve() == Credentials("stored", LOCAL)


def test_blanks_around_hermes_home_are_stripped_as_hermes_does(monkeypatch, write, home):
    write(VALID)
    monkeypatch.setenv("HERMES_HOME", f" {home}\n")
    assert HermesLogin().resolve() == Credentials("stored", LOCAL)


@pytest.mark.parametrize(
    ("local", "expected"), [("D:/Local", "D:/Local/hermes"), (" ", "/home/ada/AppData/Local/hermes")]
)
def test_on_windows_the_default_is_the_local_folder_of_applications(monkeypatch, local, expected):
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("LOCALAPPDATA", local)
    assert hermes_login._default_home("win32") == expected


@pytest.fixture
def switch(monkeypatch):
    """Hermes's own switch of profiles."""
    module = ModuleType("hermes_constants")
    monkeypatch.setitem(sys.modules, "hermes_constants", module)
    return module


def test_hermes_own_switch_precedes_the_environment(switch, write, home, tmp_path_factory):
    write(VALID)
    other = tmp_path_factory.mktemp("another-profile")
    switch.get_hermes_home = lambda: other
    with pytest.raises(BillingAuthError, match="Not logged in"):
        HermesLogin().resolve()
    elsewhere = HermesLogin().fingerprint()
    switch.get_hermes_home = lambda: home
    assert HermesLogin().resolve() == Credentials("stored", LOCAL)
    assert HermesLogin().fingerprint() != elsewhere


def test_a_folder_of_the_switch_has_no_blanks_around_it_and_is_not_blank(switch, write, home):
    write(VALID)
    for text in (f" {home}\n", " "):
        switch.get_hermes_home = lambda text=text: text
        assert HermesLogin().resolve() == Credentials("stored", LOCAL)


@pytest.mark.parametrize("found", [lambda: 1 / 0, lambda: None])
def test_a_switch_that_fails_is_a_failed_login_and_never_another_profile(switch, write, found):
    write(VALID)
    switch.get_hermes_home = found
    with pytest.raises(BillingAuthError, match=r"^The folder of Hermes's login cannot be found \(") as caught:
        HermesLogin().resolve()
    assert caught.value.error == "invalid_token"


def test_a_login_above_the_profiles_is_watched_too(monkeypatch, tmp_path):
    monkeypatch.setenv("HERMES_HOME", str(tmp_path / "profiles" / "coder"))
    before = HermesLogin().fingerprint()
    (tmp_path / "auth.json").write_text("{}")
    assert HermesLogin().fingerprint() != before


def test_a_machine_without_a_home_directory_is_a_failed_login(monkeypatch):
    monkeypatch.delenv("HERMES_HOME")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    memo = CredentialMemo(HermesLogin(), StandingClock())
    with pytest.raises(BillingAuthError):
        memo.fresh() or memo.resolve()
    with pytest.raises(BillingAuthError, match="RuntimeError"):
        HermesLogin().resolve()


def test_the_fingerprint_stays_while_nothing_changes(write):
    write(VALID)
    assert HermesLogin().fingerprint() == HermesLogin().fingerprint()


def test_the_fingerprint_changes_with_a_login_a_logout_and_a_profile(monkeypatch, write, home, tmp_path_factory):
    prints = [HermesLogin().fingerprint()]
    write(VALID)
    prints.append(HermesLogin().fingerprint())
    write({**VALID, "access_token": "of-a-new-login"})
    prints.append(HermesLogin().fingerprint())
    # As Hermes writes: another file takes its place. The same size and time, even.
    replacement = home / "new"
    replacement.write_bytes((home / "auth.json").read_bytes())
    stat = (home / "auth.json").stat()
    os.utime(replacement, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    replacement.replace(home / "auth.json")
    prints.append(HermesLogin().fingerprint())
    os.utime(home / "auth.json", ns=(0, 0))
    prints.append(HermesLogin().fingerprint())
    other = tmp_path_factory.mktemp("other-profile")
    monkeypatch.setenv("HERMES_HOME", str(other))
    prints.append(HermesLogin().fingerprint())
    for earlier, later in pairwise(prints):
        assert earlier != later
    monkeypatch.setenv("HERMES_HOME", str(home))
    (home / "auth.json").unlink()
    assert HermesLogin().fingerprint() == prints[0]


def test_the_memo_does_not_outlive_a_logout_a_new_login_or_another_profile(monkeypatch, write, home, tmp_path_factory):
    memo = CredentialMemo(HermesLogin(), StandingClock())
    write(VALID)
    assert memo.resolve().access_token == "stored"
    write({**VALID, "access_token": "of-a-new-login"})
    assert memo.resolve().access_token == "of-a-new-login"
    monkeypatch.setenv("HERMES_HOME", str(tmp_path_factory.mktemp("other-profile")))
    with pytest.raises(BillingAuthError):
        memo.resolve()
    monkeypatch.setenv("HERMES_HOME", str(home))
    assert memo.resolve().access_token == "of-a-new-login"
    (home / "auth.json").unlink()
    with pytest.raises(BillingAuthError):
        memo.resolve()


def test_the_repr_shows_no_secret(write):
    write(VALID)
    login = HermesLogin()
    login.resolve()
    assert repr(login) == "HermesLogin()"
    assert CANARY not in repr(vars(login))


def test_a_billing_error_of_hermes_is_judged_like_any_other_of_its_exceptions(hermes):
    hermes(VALID, BillingSessionRevoked("x"))
    assert HermesLogin().resolve().access_token == "stored"


@pytest.mark.parametrize("raised", [ValueError, SystemError, AttributeError])
def test_a_module_of_hermes_that_fails_as_it_is_loaded_is_a_typed_error(monkeypatch, write, tmp_path, raised):
    write(VALID)
    package = tmp_path / "hermes_cli"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "auth.py").write_text(f"raise {raised.__name__}({CANARY!r})")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("hermes_cli", "hermes_cli.auth"):
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(BillingAuthError) as caught:
        HermesLogin().resolve()
    assert str(caught.value) == (
        f"Hermes's module for logins cannot be loaded ({raised.__name__}). Fix Hermes, "
        "or pass credentials to the client."
    )
    assert (caught.value.error, type(caught.value.__cause__)) == ("invalid_token", raised)
