"""Files of ours: owner-only, replaced atomically and durably, changed under a lock for all threads and processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import BillingNetworkError


def file_fingerprint(path: str) -> object:
    """Return a value that changes when the file is replaced, changed, made or removed.

    Takes a string: it is called at each poll, and to handle a path takes longer than to ask the system.
    """
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


@contextmanager
def locked(lock_path: str, seconds: float, what: str) -> Generator[None]:
    """Hold a lock against every other process and thread; makes its folder where there is none.

    Args:
        what: What is locked, for the message.

    Raises:
        BillingNetworkError: Somebody else held it for so many seconds.
        OSError: The folder cannot be written.
    """
    from filelock import FileLock, Timeout

    _make_folder(Path(lock_path).parent)
    # A lock of its own each time: one object would let the threads of this process in together.
    lock = FileLock(lock_path, timeout=seconds, mode=0o600, thread_local=False)
    try:
        try:
            lock.acquire()
        except Timeout:
            raise BillingNetworkError(
                f"Another program has been busy with {what} for {seconds:g} s. Try again shortly.",
                error="network_error",
            ) from None
        yield
    finally:
        # Also where Ctrl-C came between getting it and saying so.
        lock.release()


def replace_durably(path: Path, content: Callable[[], bytes]) -> None:
    """Replace a file. To be called under a lock.

    Args:
        content: Makes the bytes. No variable holds them: a traceback may show the variables of a frame.

    Raises:
        OSError: It could not be written; the old file is still whole.
    """
    _make_folder(path.parent)
    temporary = path.with_name(f"{path.name}.new")
    # What a process that was killed left behind may belong to anybody.
    temporary.unlink(missing_ok=True)
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(path.parent)


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for parent in folder.parents:
            _sync_folder(parent)


def _sync_folder(folder: Path) -> None:
    # Windows cannot open a folder, and some file systems cannot sync one; the file itself is durable.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
