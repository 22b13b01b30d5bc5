"""Replacing a file atomically and durably."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .folders import make_folder, sync_folder


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
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def temporary_of(path: Path) -> Path:
    """Return where the next content of a file is written."""
    return path.with_name(f"{path.name}.new")
