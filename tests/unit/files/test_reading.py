"""Files that are not what they should be, or that somebody is just writing."""

import errno
import os

import pytest

from nous_billing._files import reading


def test_what_a_file_contains_is_returned_up_to_a_mebibyte(folder):
    file = folder / "file"
    file.write_bytes(b"x" * 2**20)
    assert reading.read_own_file(file) == b"x" * 2**20
    file.write_bytes(b"x" * (2**20 + 1))
    with pytest.raises(OSError, match="larger") as caught:
        reading.read_own_file(file)
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(file))
    assert caught.value.strerror == f"{file} is larger than 1 MiB"


def test_a_file_of_gigabytes_is_not_read_to_its_end(folder):
    file = folder / "file"
    file.touch()
    os.truncate(file, 2**40)
    with pytest.raises(OSError, match="larger than 1 MiB"):
        reading.read_own_file(file)


def test_a_pipe_is_not_waited_for_and_a_link_is_not_followed(folder):
    os.mkfifo(folder / "pipe")
    with pytest.raises(PermissionError, match="is not a regular file"):
        reading.read_own_file(folder / "pipe")
    (folder / "link").symlink_to("/dev/zero")
    with pytest.raises(OSError, match="symbolic links"):
        reading.read_own_file(folder / "link")
    with pytest.raises(PermissionError, match="/dev/zero is not a regular file"):
        reading.read_own_file("/dev/zero")


def test_a_regular_file_without_an_end_is_not_waited_for(folder, monkeypatch):
    """Such as /proc/kmsg, which says that it is regular."""
    os.mkfifo(folder / "pipe")
    monkeypatch.setattr(reading, "check_file", lambda *_: None)
    with os.fdopen(os.open(folder / "pipe", os.O_RDWR)), pytest.raises(BlockingIOError, match="pipe has no end"):
        reading.read_own_file(folder / "pipe")


@pytest.mark.parametrize("torn", [0, 1, 9, 10, 11])
def test_who_finds_a_file_torn_looks_again_for_a_tenth_of_a_second(torn):
    pauses, found = [], ["torn"] * torn + ["whole"] * 20
    settled = reading.look_again(lambda: found.pop(0), lambda each: each == "whole", pauses.append)
    assert settled == ("whole" if torn <= 10 else "torn")
    assert pauses == [0.01] * min(torn, 10)


@pytest.mark.parametrize(("code", "times", "looks"), [(32, 3, 4), (5, 99, 7), (None, 99, 1)])
def test_windows_is_asked_again_while_another_program_has_the_file(code, times, looks, monkeypatch):
    asked, pauses = [], []
    monkeypatch.setattr(reading.time, "sleep", pauses.append)

    def opened():
        asked.append(1)
        if len(asked) <= times:
            error = PermissionError(errno.EACCES, "in use")
            if code is not None:
                error.winerror = code
            raise error
        return 5

    if times < looks:
        assert reading.patiently(opened) == 5
    else:
        with pytest.raises(PermissionError, match="in use"):
            reading.patiently(opened)
    assert len(asked) == looks
    assert sum(pauses) < 0.7
