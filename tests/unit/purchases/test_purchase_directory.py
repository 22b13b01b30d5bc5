"""Purchases in a directory: real files, real locks, real processes."""

import errno
import os
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from filelock import FileLock

from nous_billing._files import replacing as files
from nous_billing.errors import BillingInvalidRequest, BillingNetworkError, BillingPurchaseStoreError
from nous_billing.purchases import folder as purchase_folder
from nous_billing.purchases.directory import PurchaseDirectory
from nous_billing.purchases.document import encode
from tests.unit.purchases.kept import FIRST, OTHER, SECOND, THIRD, full, mode, only_file, save_all
from tests.unit.shop import KEY

ROOT = Path(__file__).parents[3]
VISIBLE = "".join(map(chr, range(33, 127)))


@pytest.mark.parametrize("key", [VISIBLE, "/" * 255, "..", "." * 255, "a/../../b", "\\", "CON", "x" * 255])
def test_a_key_may_have_any_visible_character_and_be_of_any_length(store, key):
    assert store.save(replace(FIRST, key=key))
    assert [found.key for found in store.load(key)] == [key]
    assert {path.parent for path in store.path.rglob("*.json")} == {store.path}


def test_a_key_that_a_terminal_got_wrong_is_looked_for_and_not_found(store):
    assert store.save(FIRST)
    store.forget("\udcff")
    assert list(store.load("\udcff")) == []


def test_a_key_is_found_with_the_blanks_around_it_that_buying_takes_too(store):
    assert store.save(FIRST)
    assert list(store.load(f" {KEY}\n")) == [FIRST]
    store.forget(f"\t{KEY} ")
    assert list(store.load(KEY)) == []


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


def test_a_relative_path_is_of_the_folder_of_that_time(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = PurchaseDirectory("purchases")
    assert store.save(FIRST)
    # As a program does that becomes a daemon.
    monkeypatch.chdir("/")
    assert (store.load(KEY), list(tmp_path.iterdir())) == ([FIRST], [tmp_path / "purchases"])


def test_a_relative_path_where_the_working_directory_was_removed_is_refused(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(
        BillingInvalidRequest, match="purchases is a relative path, and the working directory"
    ) as caught:
        PurchaseDirectory("purchases")
    assert caught.value.error == "invalid_store"


def test_the_repr_says_where_it_is(store):
    assert repr(store) == f"PurchaseDirectory({str(store.path)!r})"


def test_folders_and_files_are_for_their_owner_only_whatever_the_umask(store):
    before = os.umask(0)
    try:
        store.save(FIRST)
        store.save(SECOND)
    finally:
        os.umask(before)
    (lock,) = (store.path / ".locks").iterdir()
    folders = [store.path.parent, store.path, lock.parent]
    assert [mode(path) for path in (*folders, lock, only_file(store))] == [0o700] * 3 + [0o600] * 2


def test_nothing_but_the_purchase_and_the_locks_is_left(store):
    store.save(FIRST)
    store.save(SECOND)
    assert sorted(path.name for path in store.path.iterdir()) == [".locks", only_file(store).name]


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


def full_when_written(descriptor, how):
    if how == "rb":
        return open(descriptor, how)
    os.close(descriptor)
    return full()


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
    assert sorted(path.name for path in store.path.iterdir()) == [".locks", only_file(store).name]
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
    is_dir = Path.is_dir

    def made_meanwhile(self):
        was_there = is_dir(self)
        os.makedirs(self, exist_ok=True)
        return was_there

    monkeypatch.setattr(Path, "is_dir", made_meanwhile)
    assert store.save(FIRST)


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


@pytest.mark.parametrize("mode", [0o600, 0o666])
def test_a_file_in_the_place_of_the_directory_is_an_error_and_stays(tmp_path, mode):
    (tmp_path / "taken").write_text("mine")
    # Nobody is to change the mode of what is no folder, such as /dev/null.
    (tmp_path / "taken").chmod(mode)
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
    monkeypatch.setattr(purchase_folder, "_LOCK_SECONDS", 0.05)
    (held,) = (store.path / ".locks").iterdir()
    with (
        FileLock(held, thread_local=False),
        pytest.raises(BillingNetworkError) as caught,
    ):
        store.save(SECOND)
    assert str(caught.value) == (
        f"Another program has locked the purchases in {store.path} for 0.05 seconds. Try again shortly."
    )
    assert caught.value.error == "network_error"
    assert store.load(KEY) == [FIRST]
    assert store.save(SECOND)


# Where purchases cannot be kept


class Bytes:
    def __fspath__(self):
        return b"/purchases"


@pytest.mark.parametrize(
    "path",
    ["", " ", "\t\n", "a\0b", "\ud800", b"/p", Bytes(), None, 5, "~nobody-of-this-name/p", "n" * 256, "n/" * 2000],
    ids=lambda given: str(given)[:20],
)
def test_a_path_that_can_be_no_directory_is_refused_at_once(path):
    with pytest.raises(
        BillingInvalidRequest,
        match=r"^(The store cannot be used: .*[^.]\. Give the path|path must be a string or an os.PathLike, not)",
    ) as caught:
        PurchaseDirectory(path)
    assert caught.value.error == "invalid_store"


def test_a_blank_path_is_said_to_be_blank():
    with pytest.raises(BillingInvalidRequest) as caught:
        PurchaseDirectory(" ")
    assert str(caught.value) == "The store cannot be used: it is blank. Give the path of a directory."


def test_a_home_folder_that_nobody_has_is_said_to_be_missing():
    with pytest.raises(BillingInvalidRequest, match=r"used: Could not determine home directory\. Give the path"):
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


# Other people


@pytest.mark.parametrize("where", ["", "receipts", ".locks"])
def test_a_directory_that_others_can_write_is_refused_and_nothing_in_it_is_read_or_written(store, where):
    save_all(store, FIRST, SECOND, THIRD)
    folder = store.path / where
    folder.chmod(0o777)
    before = sorted(store.path.rglob("*"))
    writes = (lambda: store.save(THIRD), lambda: store.forget(KEY))
    reads = (lambda: store.load(KEY), lambda: list(store.load()), lambda: list(store.receipts()))
    for use in writes if where == ".locks" else (*writes, *reads):
        with pytest.raises((BillingPurchaseStoreError, PermissionError)) as caught:
            use()
        assert f"others can write the folder {folder} (mode 0777)" in str(caught.value)
        if where != ".locks":
            assert str(caught.value).startswith(f"The purchases in {store.path} cannot be used: others can write")
            assert str(caught.value).endswith(f"or run `chmod go-w {folder}`.")
            assert (caught.value.error, caught.value.outcome_unknown) == ("purchase_store_failed", True)
    assert sorted(store.path.rglob("*")) == before


def test_a_purchase_that_others_can_write_is_refused(store):
    store.save(FIRST)
    only_file(store).chmod(0o646)
    with pytest.raises(BillingPurchaseStoreError, match=r"others can write .*\.json \(mode 0646\)"):
        store.load(KEY)


def test_a_link_to_the_directory_is_followed_at_each_use(store, tmp_path):
    store.save(FIRST)
    (tmp_path / "link").symlink_to(store.path)
    linked = PurchaseDirectory(tmp_path / "link")
    assert linked.load(KEY) == [FIRST]
    assert linked.save(SECOND)
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    assert linked.load(KEY) == []


@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, "It failed", "/a/file"), OSError(errno.EIO, "It failed"), OSError()]
)
def test_every_error_names_a_path(store, monkeypatch, error):
    def fails(*_):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(purchase_folder, "replace_durably", fails)
        with pytest.raises(OSError, match=": ") as caught:
            store.save(FIRST)
    path = error.filename or str(store.path)
    assert caught.value.strerror == f"{path}: {error.strerror or 'OSError'}"
    assert (caught.value.filename, caught.value.errno, caught.value.__cause__) == (path, error.errno, error)
    assert store.save(FIRST)


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
    reason = "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"
    loaded = iter(store.load())
    assert [next(loaded), next(loaded)] == [OTHER, FIRST]
    with pytest.raises(BillingPurchaseStoreError) as caught:
        next(loaded)
    each = "; ".join(f"{file} ({reason})" for file in broken)
    assert str(caught.value) == (
        f"2 purchases cannot be read: {each}. They may have been made: look at the billing page, then fix or remove "
        "the files."
    )
    assert caught.value.outcome_unknown


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


# Many at once


BURST = """
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from nous_billing.purchases.directory import PurchaseDirectory
from tests.unit.purchases.kept import FIRST
store, name = PurchaseDirectory(sys.argv[1]), sys.argv[2]
with ThreadPoolExecutor(50) as pool:
    assert all(pool.map(lambda number: store.save(replace(FIRST, key=f"{name}-{number}")), range(50)))
"""


def test_purchases_of_several_programs_that_are_saved_at_once_are_all_kept(store):
    programs = [subprocess.Popen([sys.executable, "-c", BURST, str(store.path), name], cwd=ROOT) for name in "abcd"]
    assert [program.wait() for program in programs] == [0] * 4
    assert len(list(store.load())) == 200


def test_threads_wait_in_line_however_long_the_line_is(store, monkeypatch):
    """On a disk that takes twice as long for all of them as another program may hold a lock."""
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (time.sleep(0.01), fsync(descriptor)))
    monkeypatch.setattr(purchase_folder, "_STRIPES", 1)
    monkeypatch.setattr(purchase_folder, "_LOCK_SECONDS", 0.5)
    with ThreadPoolExecutor(50) as pool:
        saved = [pool.submit(store.save, replace(FIRST, key=f"{number}")) for number in range(50)]
    assert all(future.result() for future in saved)


# What somebody else put into a directory that is shared


def test_a_link_in_the_place_of_a_file_is_not_followed(store, tmp_path):
    precious = tmp_path / "precious"
    precious.write_bytes(encode(FIRST))
    save_all(store, FIRST)
    file = only_file(store)
    (lock,) = (store.path / ".locks").iterdir()
    file.unlink()
    file.symlink_to(precious)
    with pytest.raises(BillingPurchaseStoreError, match="symbolic links"):
        store.load(KEY)
    file.unlink()
    file.with_name(f"{file.name}.new").symlink_to(precious)
    save_all(store, FIRST)
    assert not file.is_symlink()
    lock.unlink()
    lock.symlink_to(precious)
    with pytest.raises(OSError, match=r"\.locks/[0-9a-f]{2} is not a regular file"):
        store.save(SECOND)
    assert precious.read_bytes() == encode(FIRST)
    assert mode(precious) != 0o600


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(store):
    save_all(store, FIRST, OTHER)
    file = store.path / purchase_folder._file_name(KEY)
    file.unlink()
    os.mkfifo(file)
    loaded = iter(store.load())
    assert next(loaded) == OTHER
    with pytest.raises(BillingPurchaseStoreError, match="is not a regular file"):
        next(loaded)
