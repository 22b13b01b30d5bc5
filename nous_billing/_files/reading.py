"""Reading files in whose place anybody may have put something else."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_LARGEST_FILE = 2**20
# Absent on Windows, which has neither such links for everybody nor named pipes among files.
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def read_own_file(path: Path) -> bytes:
    """Return what a file of ours contains.

    Anybody may put something else under its name in a folder that is shared: a link is not followed, a pipe is not
    waited for, and what never ends is not read.

    Raises:
        OSError: It cannot be read, or is no file.
        ValueError: It is larger than any file of ours.
    """
    descriptor = os.open(path, os.O_RDONLY | NO_FOLLOW)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("it is not a file")
        content = file.read(_LARGEST_FILE + 1)
    if len(content) > _LARGEST_FILE:
        raise ValueError("it is larger than 1 MiB")
    return content
