"""Locks of files, held against every other thread and process."""

from __future__ import annotations

import errno
import os
import re
import socket
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BillingNetworkError
from .folders import make_folder
from .reading import NO_FOLLOW, read_own_file
from .trust import check_file, check_folder

if TYPE_CHECKING:
    from filelock import BaseFileLock

# A lock is held for a few syncs of a disk.
_POLL_SECONDS = 0.01
# A lock that somebody holds is there to be seen, but for the moment in which a soft one changes hands.
_MOST_LOOKS = 10
# A process and its host, as filelock's soft locks record them.
_HOLDER = re.compile(rb"(\d{1,20})\n([\w.-]{1,255})\n", re.ASCII)


@contextmanager
def locked(lock_path: str, seconds: float, what: str, *, instead: str | None = None) -> Generator[None]:
    """Hold a lock against every other process and thread. Creates its folder if needed.

    Args:
        what: What is locked, for the message.
        instead: A file to lock where the folder lets nobody create the lock's: one that is never replaced.

    Raises:
        BillingNetworkError: Another program held it for ``seconds``.
        OSError: The folder cannot be written, may be written by others, or its file system has no locks; or something
            else is in the lock's place. ``strerror`` names it.
    """
    from filelock import FileLock, Timeout

    _check(lock_path)
    if instead is not None and _cannot_be_made(lock_path) and os.path.exists(instead):
        with _locked_itself(instead, seconds, what):
            yield
        return
    # A new object each time: the threads of this process could enter a shared one together.
    lock = FileLock(lock_path, timeout=seconds, mode=0o600, thread_local=False)
    try:
        try:
            lock.acquire(poll_interval=_POLL_SECONDS, cancel_check=_absent_for(_MOST_LOOKS, lock_path))
        except Timeout:
            if not os.path.lexists(lock_path):
                raise _unusable(lock_path, OSError(errno.ENOENT, "it cannot be made in its folder")) from None
            raise _held(lock_path, seconds, what, lock) from None
        except Exception as error:  # What filelock raises on a file system without locks differs between versions.
            raise _unusable(lock_path, error) from error
        with _recorded(lock_path, lock):
            yield
    finally:
        with suppress(OSError):
            # Ctrl-C may come just after the lock is acquired.
            lock.release()


def _check(lock_path: str) -> None:
    folder = os.path.dirname(lock_path)
    make_folder(Path(folder))
    check_folder(folder)
    try:
        check_file(lock_path, os.lstat(lock_path))
    except FileNotFoundError:
        pass
    except OSError as error:
        # A refusal names the path itself.
        if lock_path in (error.strerror or ""):
            raise
        raise _unusable(lock_path, error) from error


def _absent_for(looks: int, lock_path: str) -> Callable[[], bool]:
    """Return a function that says whether there was no lock in so many looks: then nobody holds it.

    In some folders nothing can be made although their mode allows it, such as those of ``/proc``.
    """
    absent = 0

    def look() -> bool:
        nonlocal absent
        absent = 0 if os.path.lexists(lock_path) else absent + 1
        return absent >= looks

    return look


def _cannot_be_made(lock_path: str) -> bool:
    return not os.path.exists(lock_path) and not os.access(os.path.dirname(lock_path), os.W_OK | os.X_OK)


@contextmanager
def _locked_itself(path: str, seconds: float, what: str) -> Generator[None]:
    if sys.platform == "win32":
        raise _unusable(path, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
    import fcntl

    with open(os.open(path, os.O_RDONLY | NO_FOLLOW), "rb") as file:
        check_file(path, os.fstat(file.fileno()))
        end = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= end:
                    raise _held(path, seconds, what) from None
                time.sleep(_POLL_SECONDS)
            except OSError as error:
                raise _unusable(path, error) from error
        yield


@contextmanager
def _recorded(lock_path: str, lock: BaseFileLock) -> Generator[None]:
    """Write into the file of the lock who holds it, while it is held."""
    from filelock import SoftFileLock

    # A soft lock has that in its file anyway. Nobody needs it to be exact, so no failure counts.
    descriptor = None
    with suppress(OSError):
        if not isinstance(lock, SoftFileLock):
            descriptor = os.open(lock_path, os.O_WRONLY | NO_FOLLOW)
            os.write(descriptor, f"{os.getpid()}\n{socket.gethostname()}\n".encode())
    try:
        yield
    finally:
        if descriptor is not None:
            with suppress(OSError):
                os.ftruncate(descriptor, 0)
            os.close(descriptor)


def _held(path: str, seconds: float, what: str, lock: BaseFileLock | None = None) -> BillingNetworkError:
    from filelock import SoftFileLock

    advice = "Try again shortly."
    if isinstance(lock, SoftFileLock):
        advice = f"If it has ended, remove {path}."
    return BillingNetworkError(
        f"Another program{_holder(path)} has locked {what} for {seconds:g} seconds. {advice}", error="network_error"
    )


def _holder(lock_path: str) -> str:
    with suppress(OSError):
        holder = _HOLDER.match(read_own_file(lock_path))
        if holder is not None:
            since = datetime.fromtimestamp(int(os.stat(lock_path).st_mtime), UTC)
            process, host = (part.decode() for part in holder.groups())
            return f" (process {process} on {host}, since {since.isoformat()})"
    return ""


def _unusable(path: str, error: Exception) -> OSError:
    code, reason = errno.ENOLCK, f"its file system has no locks ({type(error).__name__})"
    if isinstance(error, OSError):
        code, reason = error.errno or code, error.strerror or reason
    return OSError(code, f"the lock {path} cannot be used: {reason}", path)
