"""stdin, stdout and stderr that never fail: whether money moved must be said, and not depend on who reads it."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable


def prepare() -> None:
    """Replace a stream that is closed, and let no character be one that a stream cannot write."""
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            silence(name)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def silence(name: str) -> None:
    """Let a stream write nowhere. Python would try again at its end, and end with a code of its own."""
    setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115


def attempt(name: str, write: Callable[[], object]) -> OSError | None:
    """Write to a stream. If it cannot be written, such as on a full disk, silence it and return what is wrong."""
    try:
        write()
        getattr(sys, name).flush()
    except OSError as error:
        silence(name)
        return error
    return None


def unwritten(error: OSError) -> str:
    """Return the sentence for a stdout that cannot be written."""
    return f"Standard output cannot be written ({error.strerror})."
