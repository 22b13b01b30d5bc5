"""stdout and stderr of the command, which may be closed, full, or unable to write a character."""

import io
import os
import sys


def prepare() -> None:
    """Replace a stream that is closed, and let no character be one that a stream cannot write."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            _silence(name)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def write(name: str, text: str) -> OSError | None:
    """Write to a stream. If it cannot be written, such as on a full disk, silence it and return what is wrong."""
    try:
        getattr(sys, name).write(text)
        getattr(sys, name).flush()
    except OSError as error:
        _silence(name)
        return error
    return None


def _silence(name: str) -> None:
    """Python would try again at its end, and end with a code of its own."""
    setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
