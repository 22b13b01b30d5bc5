"""The console of rich, whose errors are ours."""

from __future__ import annotations

from rich.console import Console


class SafeConsole(Console):
    """A console that raises ``OSError`` for a pipe that nobody reads: rich itself ends the process with code 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError(32, "nobody reads it")
