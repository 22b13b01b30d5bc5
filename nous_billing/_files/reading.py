"""Reading files in whose place anybody may have put something else, or that somebody is just writing."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from typing import TypeVar

from .trust import check_file

T = TypeVar("T")

LARGEST_FILE = 2**20
# Absent on Windows, which has neither such links for everybody nor named pipes among files.
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
# A tenth of a second: who writes a file in place truncates it first.
_LOOKS, _PAUSE = 10, 0.01
_PAUSES = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32)


def patiently(action: Callable[[], T]) -> T:
    """Do something to a file that another program may have open or replace at the moment, which Windows refuses.

    Raises:
        OSError: It failed for another reason, or for two thirds of a second.
    """
    for pause in _PAUSES:
        try:
            return action()
        except PermissionError as error:
            # Elsewhere it would fail again.
            if getattr(error, "winerror", None) is None:
                raise
            time.sleep(pause)
    return action()


def file_fingerprint(path: str) -> object:
    """Return a value that changes when the file is replaced, changed, made or removed.

    Takes a string: it is called at each poll, and to handle a path takes longer than to ask the system.
    """
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def read_own_file(path: str | os.PathLike[str]) -> bytes:
    """Return what a file of ours contains.

    Anybody may put something else under its name in a folder that is shared: a link is not followed, a pipe is not
    waited for, and what never ends is not read.

    Raises:
        OSError: It cannot be read, or may be somebody else's; see ``trust``.
    """
    name = os.fspath(path)
    descriptor = patiently(lambda: os.open(name, os.O_RDONLY | NO_FOLLOW))
    with open(descriptor, "rb") as file:
        check_file(name, os.fstat(descriptor))
        content: bytes | None = file.read(LARGEST_FILE + 1)
    if content is None:
        raise BlockingIOError(errno.EAGAIN, f"{name} has no end", name)
    if len(content) > LARGEST_FILE:
        raise OSError(errno.EFBIG, f"{name} is larger than 1 MiB", name)
    return content


def look_again(look: Callable[[], T], is_whole: Callable[[T], bool], pause: Callable[[float], None] = time.sleep) -> T:
    """Look at a file until what is found is whole, for a tenth of a second. Return what was found last.

    Whoever writes a file in place empties it first: what one look finds torn may be whole at the next.

    >>> looks = iter(["", "ha", "half", "whole"])
    >>> look_again(lambda: next(looks), lambda found: found == "whole", pause=lambda seconds: print(f"{seconds} s"))
    0.01 s
    0.01 s
    0.01 s
    'whole'
    """
    found = look()
    for _ in range(_LOOKS):
        if is_whole(found):
            break
        pause(_PAUSE)
        found = look()
    return found
