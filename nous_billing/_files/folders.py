"""Folders for their owner only, and durable changes of what is in them."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from weakref import WeakValueDictionary

from .._threads import ForkSafeLock

_DISK_FAILED = {errno.EIO, errno.ENOSPC, getattr(errno, "EDQUOT", errno.EIO)}


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, for their owner only and durably, where there are none.

    Raises:
        OSError: It cannot be made.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        # Another process may have made it in the meantime.
        if not folder.is_dir():
            raise
        return
    with suppress(OSError):
        # The umask may have taken rights away.
        folder.chmod(0o700)
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
        with self._counting, self._counting.current:
            self._asked += 1
            mine = self._asked
        with self._syncing, self._syncing.current:
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
    with _finding, _finding.current:
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
