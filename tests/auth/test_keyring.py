"""A login in a keyring: a backend of the tests, in a file that processes share, as no keyring of a system is there."""

import importlib
import json
import subprocess
import sys
from collections import Counter

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringError, PasswordDeleteError

from nous_billing import BillingAuthError, BillingInvalidRequest, BillingLoginNotSaved, BillingNetworkError, StoredLogin
from nous_billing.auth import login_keeper
from nous_billing.keyring import KeyringLoginStorage
from nous_billing.mock import Fault, MockPortal
from tests.auth.support import House, Nursery, state_status

PROCESSES = 8


class FileKeyring(KeyringBackend):
    """Entries in a file; each has room for so many characters."""

    priority = 1

    def __init__(self, path, room=10_000):
        super().__init__()
        self.path = path
        self.room = room

    def entries(self):
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def get_password(self, service, username):
        return self.entries().get(f"{service}/{username}")

    def set_password(self, service, username, password):
        if len(password) > self.room:
            raise KeyringError(password)
        self._write({**self.entries(), f"{service}/{username}": password})

    def delete_password(self, service, username):
        entries = self.entries()
        if entries.pop(f"{service}/{username}", None) is None:
            raise PasswordDeleteError
        self._write(entries)

    def _write(self, entries):
        new = self.path.with_name("new")
        new.write_text(json.dumps(entries))
        new.replace(self.path)


def login_in(folder):
    """The login in the keyring of a folder, as another process has it."""
    keyring.set_keyring(FileKeyring(folder / "keyring.json"))
    return StoredLogin(storage=KeyringLoginStorage("ada", lock_folder=folder))


class KeyringHouse(House):
    """A machine with a keyring."""

    def __init__(self, portal, folder):
        super().__init__(portal, folder / "login.json")
        self.folder = folder
        self.keyring = FileKeyring(folder / "keyring.json")
        self.place = f"keyring:{folder}"
        keyring.set_keyring(self.keyring)

    def storage(self):
        return KeyringLoginStorage("ada", lock_folder=self.folder)

    def source(self, **arguments):
        made = StoredLogin(storage=self.storage(), clock=arguments.pop("clock", self.clock), **arguments)
        self._made.append(made)
        return made

    def write(self, entries, **top):
        document = {"version": 1, "active_portal": self.url, **top, "portals": entries}
        self.keyring.set_password("nous-billing", "ada", json.dumps(document))

    def document(self):
        return json.loads(self.keyring.get_password("nous-billing", "ada"))


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "keyring"
    folder.mkdir(mode=0o700)
    before = keyring.get_keyring()
    yield folder
    keyring.set_keyring(before)


@pytest.fixture
def house(portal, folder):
    house = KeyringHouse(portal, folder)
    yield house
    house.close()


def test_a_login_is_made_renewed_and_ended(house):
    source = house.source(portal_base_url=house.url)
    with pytest.raises(BillingAuthError, match="Not logged in"):
        source.resolve()
    source.login(lambda code: house.portal.approve_device(code.user_code))
    house.portal.clock.advance(1000)
    assert state_status(house.portal, source.resolve().access_token) == 200
    assert house.source(portal_base_url=house.url).is_logged_in
    assert list(house.keyring.entries()) == ["nous-billing/ada"]
    source.logout()
    assert not source.is_logged_in


def test_processes_that_share_an_entry_renew_it_once(folder, tmp_path):
    portal = MockPortal(settle_after=0)
    with portal.serve(), Nursery() as nursery:
        house = KeyringHouse(portal, folder)
        login = house.put_expired()
        go, results = tmp_path / "go", [tmp_path / f"result-{number}" for number in range(PROCESSES)]
        for result in results:
            nursery.fork("calls", "sync", house.place, 3, 0.02, go, result)
        go.touch()
        assert [nursery.ended() for _ in results] == [0] * PROCESSES
        assert sum((Counter(json.loads(result.read_text())) for result in results), Counter()) == {"ok": 3 * PROCESSES}
        assert house.refreshes() == [login.refresh_token]


@pytest.mark.parametrize("left", [100, 0])
def test_an_entry_that_has_no_room_for_the_next_login_costs_no_refresh_token(house, left):
    login = house.put(left=left)
    house.keyring.room = len(json.dumps(house.document())) - 1
    source = house.source()
    if left:
        assert source.resolve().access_token == login.access_token
    else:
        with pytest.raises(BillingLoginNotSaved, match="keyring's entry nous-billing of 'ada': KeyringError") as caught:
            source.resolve()
        assert login.refresh_token not in str(caught.value)
    assert house.refreshes() == []


def test_a_failed_renewal_is_remembered_in_the_entry(house):
    house.put(left=0)
    house.portal.inject(Fault.reply(503, {}), "oauth_token")
    for source in (house.source(), house.source()):
        with pytest.raises(BillingNetworkError) as caught:
            source.resolve()
        assert caught.value.retry_after == 5
    assert len(house.refreshes()) == 1


def test_a_keyring_that_is_locked_is_a_passing_failure(house, monkeypatch):
    def locked(*_):
        raise KeyringError("The keyring is locked.")

    source = house.source()
    monkeypatch.setattr(house.keyring, "get_password", locked)
    with pytest.raises(BillingNetworkError, match="cannot be read from the keyring's entry"):
        source.resolve()


def test_who_holds_the_lock_is_waited_for(house, monkeypatch):
    house.put_expired()
    monkeypatch.setattr(login_keeper, "_LOCK_SECONDS", 0.1)
    with house.storage().hold(1), pytest.raises(BillingNetworkError, match="has locked the keyring's entry"):
        house.source().resolve()
    assert house.refreshes() == []


def test_the_lock_is_in_the_config_folder_unless_another_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with KeyringLoginStorage().hold(1):
        (lock,) = (tmp_path / "nous-billing").iterdir()
    assert lock.name.startswith("keyring-")
    assert repr(KeyringLoginStorage()) == "KeyringLoginStorage('login')"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"username": 5}, "invalid_username"),
        ({"username": "\ud800"}, "invalid_username"),
        ({"lock_folder": b"folder"}, "invalid_path"),
        ({"lock_folder": "~nobody-of-this-name/x"}, "invalid_path"),
        ({"lock_folder": "a\0b"}, "invalid_path"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused_at_once(arguments, error):
    with pytest.raises(BillingInvalidRequest) as raised:
        KeyringLoginStorage(**arguments)
    assert raised.value.error == error


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.delitem(sys.modules, "nous_billing.keyring")
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ModuleNotFoundError, match=r"needs keyring: install nous-billing\[keyring\]"):
        importlib.import_module("nous_billing.keyring")


def test_nothing_of_it_is_loaded_where_it_is_not_used():
    code = "import sys, nous_billing; nous_billing.StoredLogin('x'); print([m for m in sys.modules if 'keyring' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"
