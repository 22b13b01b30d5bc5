"""Locks of files, held against every other thread and process."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ..errors import BillingNetworkError
from .folders import make_folder

# A lock is held for a few syncs of a disk.
_POLL_SECONDS = 0.01


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
