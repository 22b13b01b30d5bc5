"""A storage of the caller's own: what it raises is a typed error, and spends no refresh token."""

import asyncio
import json
from contextlib import contextmanager
from typing import cast

import pytest

from nous_billing import (
    BillingAuthError,
    BillingInvalidRequest,
    BillingLoginNotSaved,
    BillingNetworkError,
    SecretBytes,
    StoredLogin,
)
from nous_billing.mock import Fault
from tests.auth.support import House, state_status

SECRET = "a secret of the storage"


class Broken(Exception):
    """What a storage may raise."""


class Memory:
    """A storage with methods that can fail."""

    name = "the vault"

    def __init__(self):
        self.content = None
        self.faults = {}
        self.sizes = []

    def _may_fail(self, method):
        if method in self.faults:
            raise self.faults[method]

    @contextmanager
    def hold(self, seconds):
        self._may_fail("hold")
        yield
        self._may_fail("let go")

    def load(self):
        self._may_fail("load")
        return self.content

    def reserve(self, size):
        self._may_fail("reserve")
        self.sizes.append(size)

    def save(self, content):
        self._may_fail("save")
        assert len(content.reveal()) <= self.sizes[-1] or b"failed_" in content.reveal()
        self.content = content

    def skew(self):
        self._may_fail("skew")
        return 0.0


class MemoryHouse(House):
    def __init__(self, portal, path):
        super().__init__(portal, path)
        self.storage = Memory()

    def source(self, **arguments):
        made = StoredLogin(storage=self.storage, clock=self.clock, **arguments)
        self._made.append(made)
        return made

    def write(self, entries, **top):
        content = {"version": 1, "active_portal": self.url, **top, "portals": entries}
        self.storage.content = SecretBytes(json.dumps(content).encode())

    def document(self):
        return json.loads(self.storage.content.reveal())


@pytest.fixture
def house(portal, tmp_path):
    house = MemoryHouse(portal, tmp_path)
    yield house
    house.close()


@pytest.mark.parametrize("left", [100, 0])
@pytest.mark.parametrize(
    ("method", "error", "raised", "sentence"),
    [
        ("hold", Broken(SECRET), BillingLoginNotSaved, "cannot be saved to the vault: Broken. "),
        ("hold", BillingNetworkError("Held.", error="network_error"), BillingNetworkError, "Held."),
        ("reserve", Broken(SECRET), BillingLoginNotSaved, "cannot be saved to the vault: Broken. "),
        ("reserve", TimeoutError(), BillingLoginNotSaved, "cannot be saved to the vault: TimeoutError. "),
        ("reserve", OSError(28, "No space"), BillingLoginNotSaved, "cannot be saved to the vault: No space. "),
    ],
)
def test_what_it_raises_before_a_renewal_spends_nothing(house, left, method, error, raised, sentence):
    login = house.put(left=left)
    house.storage.faults[method] = error
    source = house.source()
    if left:
        assert source.resolve().access_token == login.access_token
    else:
        with pytest.raises(raised, match=sentence) as caught:
            source.resolve()
        assert SECRET not in str(caught.value)
    assert house.refreshes() == []
    house.storage.faults.clear()
    assert state_status(house.portal, source.resolve().access_token) == 200


@pytest.mark.parametrize(
    ("error", "raised", "sentence"),
    [
        (Broken(SECRET), BillingNetworkError, "cannot be read from the vault: Broken. Try again"),
        (OSError(5, "I/O error"), BillingNetworkError, "cannot be read from the vault: I/O error. Try again"),
        (BillingAuthError("Sealed.", error="invalid_token"), BillingAuthError, "Sealed."),
    ],
)
def test_what_it_raises_when_it_is_read_is_no_logout(house, error, raised, sentence):
    house.put()
    house.storage.faults["load"] = error
    source = house.source()
    for call in (source.resolve, lambda: source.is_logged_in, lambda: source.login(print)):
        with pytest.raises(raised, match=sentence) as caught:
            call()
        assert SECRET not in str(caught.value)
        assert caught.value.error == ("network_error" if raised is BillingNetworkError else error.error)
    house.storage.faults.clear()
    assert source.is_logged_in


@pytest.mark.parametrize(
    ("method", "replacement", "sentence"),
    [
        ("load", lambda: "text", "load returned str, not SecretBytes or None"),
        ("load", lambda: SecretBytes(cast("bytes", "text")), "load returned SecretBytes of str, not of bytes"),
        (
            "load",
            lambda: SecretBytes(cast("bytes", memoryview(b"{}"))),
            "load returned SecretBytes of memoryview, not of bytes",
        ),
        ("hold", lambda _: None, "hold returned None, not a context manager"),
        ("hold", lambda _: asyncio.sleep(0), "hold returned an awaitable. Give plain methods"),
        ("load", lambda: asyncio.sleep(0), "load returned an awaitable"),
        ("reserve", lambda _: asyncio.sleep(0), "reserve returned an awaitable"),
    ],
)
def test_a_method_of_another_kind_is_refused_by_name_before_anything_is_sent(house, method, replacement, sentence):
    house.put(left=0)
    setattr(house.storage, method, replacement)
    with pytest.raises(BillingInvalidRequest, match=sentence) as caught:
        house.source().resolve()
    assert caught.value.error == "invalid_storage"
    assert house.portal.requests == []


def test_what_it_raises_when_it_saves_leaves_the_login_in_memory(house):
    login = house.put(left=0)
    house.storage.faults["save"] = Broken(SECRET)
    source = house.source()
    with pytest.raises(BillingLoginNotSaved, match="Until then only this program has the login"):
        source.resolve()
    assert house.entry()["refresh_token"] == login.refresh_token
    before = source.fingerprint()
    house.storage.faults.clear()
    token = source.resolve().access_token
    assert house.entry()["access_token"] == token
    assert len(house.refreshes()) == 1
    assert source.fingerprint() != before


@pytest.mark.parametrize("skew", [None, "x", float("nan"), 1e300, -1e11, asyncio.sleep(0)])
def test_a_skew_that_is_none_counts_as_no_skew(house, skew):
    house.put(left=0)
    house.storage.skew = lambda: skew
    house.portal.inject(Fault.reply(503, {}), "oauth_token")
    for _ in range(2):
        with pytest.raises(BillingNetworkError) as caught:
            house.source().resolve()
        assert caught.value.retry_after == 5
    assert len(house.refreshes()) == 1


def test_who_cannot_let_go_or_has_no_clock_has_saved_all_the_same(house):
    house.put(left=0)
    house.storage.faults.update({"let go": Broken(SECRET), "skew": Broken(SECRET)})
    house.portal.inject(Fault.reply(503, {}), "oauth_token")
    for source in (house.source(), house.source()):
        with pytest.raises(BillingNetworkError) as caught:
            source.resolve()
        assert caught.value.retry_after == 5
    assert len(house.refreshes()) == 1
    house.portal.clock.advance(5)
    assert state_status(house.portal, house.source().resolve().access_token) == 200
    assert "failed_renewal" not in house.entry()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (property(lambda self: 1 / 0), "The storage's name cannot be read: ZeroDivisionError."),
        (None, "The storage's name is None, not a string."),
        (5, "The storage's name is int, not a string."),
    ],
)
def test_a_storage_whose_name_cannot_be_told_is_refused(name, sentence):
    storage = type("Nameless", (Memory,), {"name": name})()
    with pytest.raises(BillingInvalidRequest) as caught:
        StoredLogin(storage=storage)
    assert (str(caught.value), caught.value.error) == (sentence, "invalid_storage")
