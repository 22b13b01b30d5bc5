"""Syncs of a folder that threads share."""

import errno
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from nous_billing._files import folders as files

AT_ONCE = 5


@pytest.fixture
def disk(monkeypatch):
    """Stands still in the first sync until it is let go; counts the syncs, and fails those that it is told to."""

    class Disk:
        def __init__(self):
            self.syncs = 0
            self.failing = ()
            self.is_syncing, self.go = threading.Event(), threading.Event()

        def fsync(self, descriptor):
            self.syncs += 1
            number = self.syncs
            self.is_syncing.set()
            assert self.go.wait(10)
            if number in self.failing:
                raise OSError(errno.EIO, os.strerror(errno.EIO))

    disk = Disk()
    monkeypatch.setattr(os, "fsync", disk.fsync)
    return disk


def sync_while_another_is_under_way(disk, folder):
    """One sync, and several that are asked for while the disk is at it."""
    with ThreadPoolExecutor(1 + AT_ONCE) as pool:
        first = pool.submit(files.sync_folder, folder)
        assert disk.is_syncing.wait(10)
        commit = files._commits[str(folder)]
        others = [pool.submit(files.sync_folder, folder) for _ in range(AT_ONCE)]
        while commit._asked < 1 + AT_ONCE:
            time.sleep(0.001)
        disk.go.set()
    return [type(future.exception()) for future in (first, *others)]


def test_who_asks_while_a_sync_is_under_way_shares_the_next_one(disk, tmp_path):
    assert sync_while_another_is_under_way(disk, tmp_path) == [type(None)] * (1 + AT_ONCE)
    assert disk.syncs == 2
    files.sync_folder(tmp_path)
    assert disk.syncs == 3
    assert files._commits == {}


@pytest.mark.parametrize(("failing", "failed"), [((1,), [OSError, type(None)]), ((2,), [type(None), OSError])])
def test_a_sync_that_fails_has_failed_for_all_whom_it_was_for(disk, tmp_path, failing, failed):
    disk.failing = failing
    assert sync_while_another_is_under_way(disk, tmp_path) == [failed[0]] + [failed[1]] * AT_ONCE
    assert disk.syncs == 2


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_a_disk_that_fails_is_not_passed_over(monkeypatch, tmp_path, code):
    def fails(descriptor):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="Input/output error"):
        files.sync_folder(tmp_path)


def test_a_file_system_that_cannot_sync_a_folder_is_no_failure(monkeypatch, tmp_path):
    def cannot(descriptor):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "fsync", cannot)
    files.sync_folder(tmp_path)
