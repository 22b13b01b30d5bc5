"""Owner-only files, replaced atomically and durably, under a lock for all threads and processes."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from weakref import WeakValueDictionary

from ._threads import ForkSafeLock
from .errors import BillingNetworkError

_LARGEST_FILE = 2**20
# A lock is held for a few syncs of a disk.
_POLL_SECONDS = 0.01
_DISK_FAILED = {errno.EIO, errno.ENOSPC, getattr(errno, "EDQUOT", errno.EIO)}
# Absent on Windows, which has neither such links for everybody nor named pipes among files.
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def file_fingerprint(path: str) -> object:
    """Return a value that changes when the file is replaced, changed, made or removed.

    Takes a string: it is called at each poll, and to handle a path takes longer than to ask the system.
    """
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


@contextmanager
def locked(lock_path: str, seconds: float, what: str) -> Generator[None]:
    """Hold a lock against every other process and thread. Creates its folder if needed.

    Args:
        what: What is locked, for the message.

    Raises:
        BillingNetworkError: Another program held it for ``seconds``.
        OSError: The folder cannot be written.
    """
    from filelock import FileLock, Timeout

    make_folder(Path(lock_path).parent)
    # A new object each time: the threads of this process could enter a shared one together.
    lock = FileLock(lock_path, timeout=seconds, mode=0o600, thread_local=False)
    try:
        try:
            lock.acquire(poll_interval=_POLL_SECONDS)
        except Timeout:
            raise BillingNetworkError(
                f"Another program has locked {what} for {seconds:g} seconds. Try again shortly.",
                error="network_error",
            ) from None
        yield
    finally:
        # Ctrl-C may come just after the lock is acquired.
        lock.release()


def read_own_file(path: Path) -> bytes:
    """Return what a file of ours contains.

    Anybody may put something else under its name in a folder that is shared: a link is not followed, a pipe is not
    waited for, and what never ends is not read.

    Raises:
        OSError: It cannot be read, or is no file.
        ValueError: It is larger than any file of ours.
    """
    descriptor = os.open(path, os.O_RDONLY | _NO_FOLLOW)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("it is not a file")
        content = file.read(_LARGEST_FILE + 1)
    if len(content) > _LARGEST_FILE:
        raise ValueError("it is larger than 1 MiB")
    return content


def replace_durably(path: Path, content: Callable[[], bytes]) -> None:
    """Replace a file. To be called under a lock.

    Args:
        content: Makes the bytes. No variable holds them: a traceback may show the variables of a frame.

    Raises:
        OSError: It could not be written; the old file is still whole.
    """
    make_folder(path.parent)
    temporary = temporary_of(path)
    # What a process that was killed left behind may belong to anybody.
    temporary.unlink(missing_ok=True)
    try:
        _write(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), content)
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


class Place:
    """The place of the next content of a file, made and synced before there is any. To be used under a lock.

    A file that cannot be replaced by a rename, because it was mounted by itself, is written in place.

    Args:
        size: How many bytes to reserve.

    Raises:
        OSError: The content could not be saved.
    """

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._temporary = temporary_of(path)
        make_folder(path.parent)
        _check_replaceable(path)
        self._temporary.unlink(missing_ok=True)
        try:
            _write(os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), lambda: bytes(size))
        except OSError:
            self._discard()
            raise

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_: object) -> None:
        self._discard()

    def commit(self, content: Callable[[], bytes]) -> None:
        """Replace the file durably.

        Raises:
            OSError: It could not be written.
        """
        # Not truncated before: the reserved space must not be lost to another program.
        _write(os.open(self._temporary, os.O_WRONLY | _NO_FOLLOW), content)
        try:
            self._temporary.replace(self._path)
        except OSError as error:
            if error.errno not in (errno.EBUSY, errno.EXDEV):
                raise
            _write(os.open(self._path, os.O_WRONLY | _NO_FOLLOW), content)
        sync_folder(self._path.parent)

    def _discard(self) -> None:
        with suppress(OSError):
            self._temporary.unlink()


def _check_replaceable(path: Path) -> None:
    """Raise OSError where neither a rename nor a write could change a file, such as an immutable one."""
    try:
        os.close(os.open(path, os.O_WRONLY | _NO_FOLLOW))
    except FileNotFoundError:
        return
    except PermissionError as error:
        # A file that may only be read can still be replaced.
        if error.errno != errno.EACCES:
            raise


def _write(descriptor: int, content: Callable[[], bytes]) -> None:
    with open(descriptor, "wb") as file:
        file.write(content())
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


def temporary_of(path: Path) -> Path:
    """Return where the next content of a file is written."""
    return path.with_name(f"{path.name}.new")


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, for their owner only and durably, where there are none."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder.parent)


class _GroupCommit:
    """Group commit for one folder: a sync covers every change that was made before it began."""

    def __init__(self) -> None:
        self._counting = ForkSafeLock()
        self._syncing = ForkSafeLock()
        self._asked = 0
        self._served = 0
        self._failed = 0

    def sync(self, folder: Path) -> None:
        with self._counting.current:
            self._asked += 1
            mine = self._asked
        with self._syncing.current:
            if self._served < mine:
                # Read before the sync: who asks from here on may have changed the folder too late for it.
                served = self._asked
                try:
                    _sync(folder)
                except OSError:
                    # The system reports a failure once, so every thread that this sync covers must fail.
                    self._failed = served
                self._served = served
            if mine <= self._failed:
                raise OSError(errno.EIO, os.strerror(errno.EIO), os.fspath(folder))


_commits: WeakValueDictionary[str, _GroupCommit] = WeakValueDictionary()
_finding = ForkSafeLock()


def sync_folder(folder: Path) -> None:
    """Make renames, creations and removals in a folder durable. Concurrent threads share a sync (group commit).

    Raises:
        OSError: The disk failed.
    """
    name = os.fspath(folder)
    with _finding.current:
        commit = _commits.get(name)
        if commit is None:
            commit = _commits[name] = _GroupCommit()
    commit.sync(folder)


def _sync(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        # Windows cannot open a folder, and some file systems cannot sync one; the file itself is durable.
        if error.errno in _DISK_FAILED:
            raise
