"""Purchases in a directory: real files, real locks, real processes."""

import errno
import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from nous_billing import _files as files
from nous_billing.errors import BillingInvalidRequest, BillingNetworkError, BillingPurchaseStoreError
from nous_billing.purchases import directory as purchase_directory
from nous_billing.purchases.directory import PurchaseDirectory
from nous_billing.purchases.purchase import Purchase
from tests.unit.shop import KEY

FIRST = Purchase(
    key=KEY,
    amount_usd=Decimal(50),
    started_at=datetime(2025, 1, 1, tzinfo=UTC),
    portal_base_url="https://preview.example",
    organisation_id="org_1",
    organisation_name="Acme",
    revision=1,
)
SECOND = replace(FIRST, status="pending", charge_id="ch_1", revision=2)
OTHER = replace(FIRST, key="key-2", started_at=datetime(2024, 1, 1, tzinfo=UTC))


@pytest.fixture
def store(tmp_path):
    return PurchaseDirectory(tmp_path / "a" / "purchases")


def only_file(store):
    (file,) = store.path.glob("*.json")
    return file


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


VISIBLE = "".join(map(chr, range(33, 127)))
MONEY = st.decimals("0.01", "1000000", places=2)
MOMENTS = st.datetimes(
    min_value=datetime(2000, 1, 1),
    timezones=st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=25, deadline=None)
@given(
    purchase=st.builds(
        Purchase,
        key=st.text(VISIBLE, min_size=1, max_size=255),
        amount_usd=MONEY,
        started_at=MOMENTS,
        portal_base_url=TEXT,
        organisation_id=TEXT,
        organisation_name=TEXT,
        status=st.sampled_from(["sending", "pending", "settled", "failed", "not_made"]),
        charge_id=st.none() | TEXT,
        reason=st.none() | TEXT,
        settled_at=st.none() | MOMENTS,
        added_usd=st.none() | st.decimals(-1000, 1000, places=6),
        revision=st.just(1),
    )
)
def test_each_field_of_a_purchase_comes_back_as_it_was(tmp_path_factory, purchase):
    store = PurchaseDirectory(tmp_path_factory.mktemp("round"))
    assert store.save(purchase)
    (found,) = PurchaseDirectory(store.path).load(purchase.key)
    assert found == purchase
    assert found.started_at.utcoffset() == purchase.started_at.utcoffset()
    assert str(found.amount_usd) == str(purchase.amount_usd)


@pytest.mark.parametrize("key", [VISIBLE, "/" * 255, "..", "." * 255, "a/../../b", "\\", "CON", "x" * 255])
def test_a_key_may_have_any_visible_character_and_be_of_any_length(store, key):
    assert store.save(replace(FIRST, key=key))
    assert [found.key for found in store.load(key)] == [key]
    assert {path.parent for path in store.path.rglob("*.json")} == {store.path}


def test_keys_that_differ_in_case_alone_are_two_purchases(store):
    assert store.save(replace(FIRST, key="KEY"))
    assert store.save(replace(FIRST, key="key"))
    assert len(list(store.load())) == 2


def test_what_is_loaded_without_a_key_is_what_has_not_ended_the_oldest_first(store):
    ended = ["settled", "failed", "not_made"]
    for number, status in enumerate(["sending", "pending", *ended]):
        store.save(
            replace(FIRST, key=f"k{number}", status=status, started_at=FIRST.started_at - timedelta(days=number))
        )
    assert [found.key for found in store.load()] == ["k1", "k0"]
    assert [store.load(f"k{number}")[0].status for number in (2, 3, 4)] == ended


def test_a_directory_that_is_not_there_has_no_purchases_and_is_not_made_by_looking(store):
    assert (list(store.load()), store.load(KEY)) == ([], [])
    assert not store.path.exists()


def test_a_path_may_begin_with_the_home_folder():
    assert PurchaseDirectory("~/purchases").path == Path.home() / "purchases"


def test_the_repr_says_where_it_is(store):
    assert repr(store) == f"PurchaseDirectory({str(store.path)!r})"


def test_folders_and_files_are_for_their_owner_only_whatever_the_umask(store):
    before = os.umask(0)
    try:
        store.save(FIRST)
        store.save(SECOND)
    finally:
        os.umask(before)
    assert [mode(store.path), mode(only_file(store)), mode(store.path / ".lock")] == [0o700, 0o600, 0o600]


def test_nothing_but_the_purchase_and_the_lock_is_left(store):
    store.save(FIRST)
    store.save(SECOND)
    assert sorted(path.name for path in store.path.iterdir()) == [".lock", only_file(store).name]


@pytest.mark.parametrize("revision", [0, 2, 3, -1])
def test_a_first_save_has_the_revision_1(store, revision):
    assert store.save(replace(FIRST, revision=revision)) is False
    assert store.load(KEY) == []


@pytest.mark.parametrize("revision", [1, 2, 4])
def test_a_save_that_is_not_the_next_changes_nothing(store, revision):
    store.save(FIRST)
    store.save(SECOND)
    before = only_file(store).read_bytes()
    assert store.save(replace(SECOND, status="failed", revision=revision)) is False
    assert only_file(store).read_bytes() == before
    assert store.save(replace(SECOND, status="settled", revision=3)) is True


def test_a_save_is_on_the_disk_before_it_takes_the_place_of_the_old_file_and_the_folder_after(store, monkeypatch):
    store.save(FIRST)
    done = []
    fsync, move = os.fsync, Path.replace

    def synced(descriptor):
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        # What is synced is all that was written.
        if done[-1] == "file":
            assert os.fstat(descriptor).st_size > 100
        fsync(descriptor)

    def moved(self, target):
        done.append("replace")
        return move(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", moved)
    store.save(SECOND)
    assert done == ["file", "replace", "folder"]


def test_the_folders_above_a_new_directory_are_synced_once_so_that_a_crash_cannot_lose_it(store, monkeypatch, tmp_path):
    synced = []
    fsync = os.fsync

    def note(descriptor):
        synced.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    store.save(FIRST)
    above = {folder.stat().st_ino for folder in (store.path.parent, tmp_path)}
    assert above <= set(synced)
    synced.clear()
    store.save(SECOND)
    assert above.isdisjoint(synced)


def full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def full_when_written(descriptor, how):
    os.close(descriptor)
    full()


@pytest.mark.parametrize(
    ("place", "name", "broken"),
    [(files, "open", full_when_written), (os, "fsync", full), (Path, "replace", full)],
    ids=["write", "fsync", "replace"],
)
def test_a_full_disk_leaves_the_old_file_whole_and_nothing_beside_it(store, monkeypatch, place, name, broken):
    store.save(FIRST)
    with monkeypatch.context() as patch:
        patch.setattr(place, name, broken, raising=False)
        with pytest.raises(OSError, match="No space left"):
            store.save(SECOND)
    assert store.load(KEY) == [FIRST]
    assert sorted(path.suffix for path in store.path.iterdir()) == ["", ".json"]
    assert store.save(SECOND)


def test_a_disk_that_fails_twice_is_said_to_be_what_it_was_first(store, monkeypatch):
    store.save(FIRST)
    failed = []

    def full_from_here(self, target):
        failed.append(self)
        full()

    unlink = Path.unlink

    def unlinked(self, **more):
        if failed:
            raise PermissionError
        unlink(self, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full_from_here)
        patch.setattr(Path, "unlink", unlinked)
        with pytest.raises(OSError, match="No space left"):
            store.save(SECOND)
    assert store.load(KEY) == [FIRST]
    assert store.save(SECOND)


def test_a_folder_that_another_process_makes_meanwhile_is_no_failure(store, monkeypatch):
    store.path.mkdir(parents=True)
    looked = []
    is_dir = Path.is_dir

    def not_yet(self):
        looked.append(self)
        return len(looked) > 1 and is_dir(self)

    monkeypatch.setattr(Path, "is_dir", not_yet)
    assert store.save(FIRST)
    assert looked[:2] == [store.path] * 2


def test_a_folder_that_cannot_be_synced_is_no_failure(store, monkeypatch):
    opened = os.open

    def no_folder(path, flags, *mode):
        if Path(path) == store.path:
            raise PermissionError
        return opened(path, flags, *mode)

    monkeypatch.setattr(os, "open", no_folder)
    assert store.save(FIRST)


def test_what_a_killed_process_left_half_written_is_no_purchase_and_in_nobodys_way(store):
    store.save(FIRST)
    half = only_file(store).with_name(f"{only_file(store).name}.new")
    half.write_bytes(b'{"form')
    half.chmod(0o666)
    assert list(store.load()) == [FIRST]
    assert store.save(SECOND)
    assert not half.exists()
    assert mode(only_file(store)) == 0o600


BROKEN = {
    "empty": b"",
    "cut": b'{"format": 1, "revi',
    "no-json": b"\xff\xfe",
    "null": b"null",
    "list": b"[]",
    "number": b"5",
    "text": b'"x"',
    "foreign": b'{"name": "package"}',
    "deep": b"[" * 100_000,
}
CHANGED = {
    "format": [2, None, "1"],
    "status": ["sold", None, [], {}],
    "revision": [None, "1", 1.0, 1e999, [], {}],
    "key": [None, 5],
    "amount_usd": [None, 50, "fifty", "NaN", "1e5", "", []],
    "started_at": [None, 5, "yesterday", "2025-01-01T00:00:00"],
    "settled_at": [5, "never", "2025-01-01T00:00:00"],
    "added_usd": [5, "much"],
    "charge_id": [5, []],
    "reason": [5, {}],
    "portal_base_url": [None, 5],
    "organisation_id": [None, 5],
    "organisation_name": [None, []],
}


def check_broken(store, file):
    before = file.read_bytes()
    for work in (lambda: list(store.load()), lambda: store.load(KEY), lambda: store.save(SECOND)):
        with pytest.raises(BillingPurchaseStoreError) as caught:
            work()
        assert str(file) in str(caught.value)
        assert (caught.value.error, caught.value.outcome_unknown) == ("purchase_store_failed", True)
    assert file.read_bytes() == before


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_a_typed_error_that_names_it_and_is_left_as_it_is(store, content):
    store.save(FIRST)
    only_file(store).write_bytes(content)
    check_broken(store, only_file(store))


@pytest.mark.parametrize("name", CHANGED)
def test_a_field_that_cannot_be_is_a_typed_error_that_names_the_file(store, name):
    store.save(FIRST)
    file = only_file(store)
    document = json.loads(file.read_bytes())
    for value in CHANGED[name]:
        file.write_text(json.dumps({**document, name: value}))
        check_broken(store, file)
    file.write_text(json.dumps({key: value for key, value in document.items() if key != name}))
    check_broken(store, file)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("format", 2, "it was written by another version of nous-billing"),
        ("status", "sold", "it was written by another version of nous-billing"),
        ("revision", "1", "a str where a number should be"),
        ("key", 5, "a int where a text should be"),
        ("charge_id", [], "a list where a text should be"),
        ("settled_at", "2025-01-01T00:00:00", "a date without an offset"),
        ("added_usd", "much", "Not a decimal number of dollars: 'much'"),
    ],
)
def test_what_is_wrong_with_a_broken_file_is_said_with_what_to_do(store, name, value, reason):
    store.save(FIRST)
    file = only_file(store)
    file.write_text(json.dumps({**json.loads(file.read_bytes()), name: value}))
    with pytest.raises(BillingPurchaseStoreError) as caught:
        store.load(KEY)
    assert str(caught.value) == (
        f"The purchase in {file} cannot be read: {reason}. It may have been made: look at the billing page, then mend "
        "or remove the file."
    )


def test_a_file_that_says_nothing_of_what_is_wrong_is_named_with_the_kind_of_error(store, monkeypatch):
    store.save(FIRST)
    monkeypatch.setattr(Path, "read_bytes", lambda self: (_ for _ in ()).throw(OSError()))
    with pytest.raises(BillingPurchaseStoreError, match=r"cannot be read: OSError\. It may"):
        store.load(KEY)


def test_a_purchase_is_written_as_a_document_that_a_person_can_read(store):
    store.save(FIRST)
    paid = replace(
        SECOND, amount_usd=Decimal("1E+2"), status="settled", settled_at=FIRST.started_at, added_usd=Decimal("5E+1")
    )
    store.save(paid)
    text = only_file(store).read_text()
    assert text.startswith('{\n "format": 1,\n "revision": 2,\n')
    assert json.loads(text) == {
        "format": 1,
        "revision": 2,
        "key": KEY,
        "amount_usd": "100",
        "portal_base_url": "https://preview.example",
        "organisation_id": "org_1",
        "organisation_name": "Acme",
        "started_at": "2025-01-01T00:00:00+00:00",
        "status": "settled",
        "charge_id": "ch_1",
        "reason": None,
        "settled_at": "2025-01-01T00:00:00+00:00",
        "added_usd": "50",
    }


def test_a_field_that_a_newer_version_added_is_no_obstacle(store):
    store.save(FIRST)
    file = only_file(store)
    file.write_text(json.dumps({**json.loads(file.read_bytes()), "more": 1}))
    assert store.load(KEY) == [FIRST]


def test_a_broken_file_does_not_keep_another_purchase_from_being_found_by_its_key(store):
    store.save(FIRST)
    only_file(store).write_bytes(b"")
    assert store.save(OTHER)
    assert store.load(OTHER.key) == [OTHER]


def test_a_directory_that_cannot_be_made_is_an_error(store, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", full)
        with pytest.raises(OSError, match="No space left"):
            store.save(FIRST)
    assert list(store.load()) == []
    assert store.save(FIRST)


def test_a_folder_in_the_place_of_a_purchase_is_a_typed_error(store):
    store.save(FIRST)
    file = only_file(store)
    file.unlink()
    file.mkdir()
    with pytest.raises(BillingPurchaseStoreError, match="Is a directory"):
        list(store.load())


def test_a_file_in_the_place_of_the_directory_is_an_error_and_stays(tmp_path):
    (tmp_path / "taken").write_text("mine")
    store = PurchaseDirectory(tmp_path / "taken")
    # There is certainly no purchase in it, but something is wrong.
    assert store.load(KEY) == []
    with pytest.raises(NotADirectoryError):
        list(store.load())
    with pytest.raises(OSError, match="exists"):
        store.save(FIRST)
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_directory_that_another_program_holds_is_a_typed_error_that_names_it(store, monkeypatch):
    store.save(FIRST)
    monkeypatch.setattr(purchase_directory, "_LOCK_SECONDS", 0.05)
    with (
        FileLock(store.path / ".lock", thread_local=False),
        pytest.raises(BillingNetworkError) as caught,
    ):
        store.save(SECOND)
    assert str(caught.value) == (
        f"Another program has been busy with the purchases in {store.path} for 0.05 s. Try again shortly."
    )
    assert caught.value.error == "network_error"
    assert store.load(KEY) == [FIRST]
    assert store.save(SECOND)


# Where purchases cannot be kept


class Bytes:
    def __fspath__(self):
        return b"/purchases"


@pytest.mark.parametrize("path", ["", " ", "\t\n", b"/purchases", Bytes(), None, 5, "~nobody-of-this-name/purchases"])
def test_a_path_that_can_be_no_directory_is_refused_at_once(path):
    with pytest.raises(
        BillingInvalidRequest, match=r"^Purchases cannot be kept there: .*[^.]\. Give the path"
    ) as caught:
        PurchaseDirectory(path)
    assert caught.value.error == "invalid_store"


def test_a_blank_path_is_said_to_be_blank():
    with pytest.raises(BillingInvalidRequest) as caught:
        PurchaseDirectory(" ")
    assert str(caught.value) == "Purchases cannot be kept there: it is blank. Give the path of a directory."


def test_a_home_folder_that_nobody_has_is_said_to_be_missing():
    with pytest.raises(BillingInvalidRequest, match=r"there: Could not determine home directory\. Give the path"):
        PurchaseDirectory("~nobody-of-this-name/purchases")


def test_a_path_may_be_a_path(tmp_path):
    assert PurchaseDirectory(tmp_path).path == PurchaseDirectory(str(tmp_path)).path == tmp_path


def test_a_directory_that_may_not_be_listed_is_an_error_and_not_called_empty(store, monkeypatch):
    store.save(FIRST)

    def denied(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))
        yield

    monkeypatch.setattr(Path, "iterdir", denied)
    with pytest.raises(PermissionError):
        list(store.load())


# Many purchases, of which some are broken


def test_one_purchase_is_loaded_at_once_and_not_as_somebody_asks_for_it(store):
    store.save(FIRST)
    assert store.load(KEY) == [FIRST]
    only_file(store).write_bytes(b"")
    with pytest.raises(BillingPurchaseStoreError):
        store.load(KEY)


def test_the_good_ones_come_the_oldest_first_before_it_is_said_that_others_are_broken(store):
    store.save(FIRST)
    store.save(OTHER)
    broken = [store.path / f"{digit * 64}.json" for digit in "0f"]
    for file in broken:
        file.write_bytes(b"{")
    loaded = iter(store.load())
    assert [next(loaded), next(loaded)] == [OTHER, FIRST]
    with pytest.raises(BillingPurchaseStoreError) as caught:
        next(loaded)
    assert any(str(file) in str(caught.value) for file in broken)


@pytest.mark.parametrize(
    "name",
    ["notes.json", "0.json", f"{'0' * 63}.json", f"{'0' * 65}.json", f"{'g' * 64}.json", f"{'A' * 64}.json"]
    + [f"{'0' * 64}.json{more}" for more in (".new", "~", ".bak", "\n")]
    + [f".{'0' * 64}.json", "0" * 64, f"{'0' * 64}xjson"],
)
def test_only_files_that_are_named_as_purchases_are_looked_at(store, name):
    store.save(FIRST)
    (store.path / name).write_bytes(b"{")
    assert list(store.load()) == [FIRST]


# Forgetting


def test_what_is_forgotten_is_gone_and_the_others_stay(store):
    store.save(FIRST)
    store.save(OTHER)
    store.forget(KEY)
    assert (store.load(KEY), list(store.load())) == ([], [OTHER])
    assert store.save(FIRST)


def test_what_is_broken_can_be_forgotten(store):
    store.save(FIRST)
    only_file(store).write_bytes(b"")
    store.forget(KEY)
    assert list(store.load()) == []


def test_what_was_never_kept_may_be_forgotten(store):
    store.forget(KEY)
    store.save(FIRST)
    store.forget("another")
    assert store.load(KEY) == [FIRST]


def test_nothing_is_forgotten_while_another_program_holds_the_directory(store, monkeypatch):
    store.save(FIRST)
    monkeypatch.setattr(purchase_directory, "_LOCK_SECONDS", 0.05)
    with FileLock(store.path / ".lock", thread_local=False), pytest.raises(BillingNetworkError):
        store.forget(KEY)
    assert store.load(KEY) == [FIRST]


# Two processes


SAVER = """
import sys
from dataclasses import replace
from nous_billing.purchases.directory import PurchaseDirectory
store = PurchaseDirectory(sys.argv[1])
(first,) = store.load(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for revision in range(2, 8):
    print(store.save(replace(first, revision=revision, reason=sys.argv[3])), flush=True)
    kept = store.load(sys.argv[2])[0]
    assert kept.revision >= revision
    sys.stdin.readline()
"""


def test_of_two_processes_that_save_the_same_revision_exactly_one_is_told_yes(store):
    store.save(FIRST)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SAVER, str(store.path), KEY, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    try:
        assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
        for revision in range(2, 8):
            for process in processes:
                process.stdin.write("\n")
                process.stdin.flush()
            said = [process.stdout.readline().strip() for process in processes]
            assert sorted(said) == ["False", "True"]
            (kept,) = store.load(KEY)
            assert (kept.revision, kept.reason) == (revision, ("one", "two")[said.index("True")])
    finally:
        for process in processes:
            process.communicate("\n")
    assert [process.returncode for process in processes] == [0, 0]
