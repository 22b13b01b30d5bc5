"""Locks: who holds one, what may be in its place, and file systems without any."""

import errno
import os
import re
import socket
import sys
import threading
import time
import warnings
from datetime import UTC, datetime

import pytest
from filelock import FileLock

from nous_billing._files import locking
from nous_billing.errors import BillingNetworkError
from tests.unit.files.conftest import STRANGER

# Not on Windows.
fcntl = pytest.importorskip("fcntl")


@pytest.fixture
def lock_path(folder):
    return folder / "made" / "file.lock"


def locked(lock_path, seconds=0.02, **arguments):
    return locking.locked(str(lock_path), seconds, "the file", **arguments)


def lock_error(lock_path, kind=OSError, **arguments):
    with pytest.raises(kind) as caught, locked(lock_path, **arguments):
        pytest.fail("It was locked.")
    return caught.value


def test_who_waits_is_told_who_holds_the_lock_and_since_when(lock_path):
    begun = int(time.time())
    with locked(lock_path):
        error = lock_error(lock_path, BillingNetworkError)
        now = int(time.time())
    assert error.error == "network_error"
    found = re.fullmatch(
        rf"Another program \(process {os.getpid()} on {re.escape(socket.gethostname())}, since (\S+)\) has locked the "
        r"file for 0\.02 seconds\. Try again shortly\.",
        str(error),
    )
    since = datetime.fromisoformat(found[1])
    assert since.tzinfo is UTC
    assert begun <= since.timestamp() <= now
    # Nobody holds it any more.
    assert lock_path.read_bytes() == b""
    with locked(lock_path):
        pass


@pytest.mark.parametrize(
    "record", [b"", b"12\n", b"x\nhost\n", b"12\nho st\n", b"12\n\x1b[31m\n", b"1" * 21 + b"\nhost\n"]
)
def test_what_names_no_holder_is_not_repeated(lock_path, record):
    lock_path.parent.mkdir(mode=0o700)
    with FileLock(lock_path):
        lock_path.write_bytes(record)
        error = lock_error(lock_path, BillingNetworkError)
    assert str(error) == "Another program has locked the file for 0.02 seconds. Try again shortly."


def test_a_lock_is_released_although_the_record_cannot_be_written(lock_path, monkeypatch):
    with monkeypatch.context() as patch:
        for name in ("ftruncate", "write"):
            patch.setattr(os, name, failing_for_records(getattr(os, name)))
        with locked(lock_path):
            pass
    with locked(lock_path):
        pass


def failing_for_records(function):
    """The library calls it too."""

    def call(*arguments):
        return fail(errno.EIO) if sys._getframe(1).f_globals["__name__"] == locking.__name__ else function(*arguments)

    return call


def fail(code):
    raise OSError(code, os.strerror(code))


def test_a_lock_that_cannot_be_released_is_no_failure_of_what_was_done(lock_path, monkeypatch):
    release = FileLock.release

    def released(self, *arguments, **more):
        release(self, *arguments, **more)
        if sys._getframe(1).f_code.co_name == "locked":
            fail(errno.EIO)

    monkeypatch.setattr(FileLock, "release", released)
    with locked(lock_path):
        pass


# What may be in the place of a lock


def plant(kind, lock_path, victim):
    lock_path.parent.mkdir(mode=0o700)
    match kind:
        case "link":
            lock_path.symlink_to(victim)
        case "pipe":
            os.mkfifo(lock_path)
        case "folder":
            lock_path.mkdir()
        case "file that others can write":
            lock_path.touch()
            lock_path.chmod(0o666)
        case "folder that others can write":
            lock_path.parent.chmod(0o777)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("link", "is not a regular file"),
        ("pipe", "is not a regular file"),
        ("folder", "file.lock cannot be used: Is a directory"),
        ("file that others can write", "others can write"),
        ("folder that others can write", "others can write the folder"),
    ],
)
def test_what_somebody_else_may_have_put_there_is_no_lock(lock_path, folder, kind, reason):
    victim = folder / "victim"
    victim.write_text("precious")
    plant(kind, lock_path, victim)
    assert reason in lock_error(lock_path).strerror
    assert victim.read_text() == "precious"


def test_the_lock_of_somebody_else_is_refused(lock_path, give):
    lock_path.parent.mkdir(mode=0o700)
    lock_path.touch()
    give(lock_path)
    assert re.match(rf"{lock_path} belongs to user {STRANGER}, and this", lock_error(lock_path).strerror)


# File systems without locks


@pytest.mark.skipif(not os.path.isdir("/proc/1"), reason="needs Linux's /proc")
@pytest.mark.parametrize("folder", ["/proc", "/proc/1", "/sys"])
def test_a_folder_in_which_nothing_can_be_made_is_refused_at_once(folder):
    begun = time.monotonic()
    error = lock_error(f"{folder}/file.lock", seconds=40)
    assert error.strerror.startswith(f"the lock {folder}/file.lock cannot be used: ")
    assert time.monotonic() - begun < 10


def test_a_name_that_only_a_lock_is_too_long_for_is_an_error_that_names_the_lock(folder):
    path = folder / f"{'n' * 253}.lock"
    assert lock_error(path).strerror == f"the lock {path} cannot be used: {os.strerror(errno.ENAMETOOLONG)}"


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EIO])
def test_a_file_system_that_cannot_lock_is_an_error_that_names_the_lock(lock_path, monkeypatch, code):
    monkeypatch.setattr(fcntl, "flock", lambda *_: fail(code))
    error = lock_error(lock_path)
    assert (error.errno, error.filename) == (code, str(lock_path))
    assert error.strerror == f"the lock {lock_path} cannot be used: {os.strerror(code)}"
    assert isinstance(error.__cause__, OSError)


@pytest.mark.parametrize("cause", [NotImplementedError(), OSError("flock")])
def test_an_error_of_the_library_is_one_of_the_system(lock_path, monkeypatch, cause):
    def acquire(self, **_):
        raise cause

    monkeypatch.setattr(FileLock, "acquire", acquire)
    error = lock_error(lock_path)
    assert (error.errno, error.__cause__) == (errno.ENOLCK, cause)
    assert error.strerror == (
        f"the lock {lock_path} cannot be used: its file system has no locks ({type(cause).__name__})"
    )


def test_a_file_system_without_flock_has_soft_locks_that_say_who_holds_them_and_what_to_do(lock_path, monkeypatch):
    monkeypatch.setattr(fcntl, "flock", lambda *_: fail(errno.ENOSYS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with locked(lock_path):
            held = lock_path.read_bytes()
            error = lock_error(lock_path, BillingNetworkError)
        assert not lock_path.exists()
    assert held.startswith(f"{os.getpid()}\n".encode())
    assert re.match(rf"Another program \(process {os.getpid()} on \S+, since \S+\) has locked", str(error))
    assert str(error).endswith(f" for 0.02 seconds. If it has ended, remove {lock_path}.")


# A folder in which nobody can make a lock


@pytest.fixture
def unwritable(folder, monkeypatch):
    """A file in a folder that we cannot write; root can write everywhere."""
    file = folder / "file"
    file.write_text("content")
    access = os.access
    monkeypatch.setattr(
        os, "access", lambda path, how: access(path, how) and not (str(path) == str(folder) and how & os.W_OK)
    )
    return file


def test_where_no_lock_can_be_made_the_file_itself_is_locked(unwritable, folder):
    beside = folder / "file.lock"
    with locked(beside, instead=str(unwritable)):
        error = lock_error(beside, BillingNetworkError, instead=str(unwritable))
        assert not beside.exists()
    assert str(error) == "Another program has locked the file for 0.02 seconds. Try again shortly."
    with locked(beside, instead=str(unwritable)):
        pass
    assert unwritable.read_text() == "content"


def test_who_waits_for_the_file_itself_gets_it_when_it_is_free(unwritable, folder):
    beside, order = folder / "file.lock", []
    held, go = threading.Event(), threading.Event()

    def hold():
        with locked(beside, instead=str(unwritable)):
            held.set()
            go.wait(10)
            order.append("first")

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(10)
    threading.Timer(0.05, go.set).start()
    with locked(beside, 10, instead=str(unwritable)):
        order.append("second")
    holder.join()
    assert order == ["first", "second"]


@pytest.mark.parametrize("there", ["the lock", "no file", "a folder that can be written"])
def test_otherwise_the_lock_beside_it_is_used(unwritable, folder, monkeypatch, there):
    beside = folder / "file.lock"
    if there == "the lock":
        beside.touch(0o600)
    if there == "no file":
        unwritable.unlink()
    if there == "a folder that can be written":
        monkeypatch.undo()
    with locked(beside, instead=str(unwritable)):
        assert beside.exists()


def test_a_file_that_cannot_be_locked_itself_is_an_error_that_names_it(unwritable, folder, monkeypatch):
    monkeypatch.setattr(fcntl, "flock", lambda *_: fail(errno.ENOLCK))
    error = lock_error(folder / "file.lock", instead=str(unwritable))
    assert error.strerror == f"the lock {unwritable} cannot be used: No locks available"


def test_a_file_of_somebody_else_is_not_locked_itself(unwritable, folder):
    unwritable.chmod(0o666)
    assert "others can write" in lock_error(folder / "file.lock", instead=str(unwritable)).strerror


def test_windows_has_no_lock_of_the_file_itself(unwritable, folder, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    error = lock_error(folder / "file.lock", PermissionError, instead=str(unwritable))
    assert error.strerror == f"the lock {unwritable} cannot be used: Permission denied"
