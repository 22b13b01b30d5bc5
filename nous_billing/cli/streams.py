"""stdout and stderr that never fail: whether money moved must be said, and not depend on who reads it."""

from __future__ import annotations

import io
import os
import sys

from rich.console import Console


class SafeConsole(Console):
    """A console that raises ``OSError`` for a pipe that nobody reads: rich itself ends the process with code 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError(32, "nobody reads it")


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
