"""A real terminal for a command: a pseudo-terminal, and the screen that a person would see."""

import os
import select
import struct
import subprocess
import sys
import time
from itertools import groupby
from operator import itemgetter

import pyte
import pytest
from rich.style import Style
from rich.text import Text

# Not on Windows.
fcntl, pty, termios = (pytest.importorskip(name) for name in ("fcntl", "pty", "termios"))
_PATIENCE = 20.0


class Terminal:
    """Runs `nous-billing` in a terminal of a given size."""

    def __init__(self, *arguments: str, env: dict[str, str], columns: int = 100, lines: int = 40) -> None:
        self.raw = b""
        self._screen = pyte.HistoryScreen(columns, lines, history=1000)
        self._stream = pyte.ByteStream(self._screen)
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nous_billing", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**env, "TERM": "xterm-256color"},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)

    @property
    def screen(self) -> pyte.HistoryScreen:
        return self._screen

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip()

    def styled(self) -> list[Text]:
        """What is on the screen, line by line, in its colours."""
        lines = []
        for number, shown in enumerate(self.text.splitlines()):
            looks = [(cell.fg, cell.bold) for cell in map(self._screen.buffer[number].__getitem__, range(len(shown)))]
            line = Text()
            for (colour, bold), run in groupby(zip(looks, shown, strict=True), key=itemgetter(0)):
                style = Style(color=None if colour == "default" else colour, bold=bold)
                line.append("".join(character for _, character in run), style)
            lines.append(line)
        return lines

    def wait_for(self, text: str) -> str:
        """Wait until the screen shows a text."""
        end = time.monotonic() + _PATIENCE
        while text not in self.text:
            assert time.monotonic() < end, f"{text!r} is not on the screen:\n{self.text}"
            assert self._read(0.1) or self.process.poll() is None, f"it ended without {text!r}:\n{self.text}"
        return self.text

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def interrupt(self) -> None:
        """Press Ctrl-C. A person takes a moment; at once, Python could miss it just before it reads."""
        time.sleep(0.3)
        self.type("\x03")

    def end(self) -> int:
        """Wait for the end, and return the exit code."""
        end = time.monotonic() + _PATIENCE
        while self.process.poll() is None:
            self._read(0.1)
            assert time.monotonic() < end, f"it does not end:\n{self.text}"
        # What it wrote just before its end.
        while self._read(0):
            pass
        os.close(self._master)
        return self.process.wait()

    def _read(self, seconds: float) -> bool:
        """Read what the command has written by now. Return False where there was nothing."""
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        try:
            written = os.read(self._master, 65536)
        except OSError:  # the command has closed its end
            return False
        self.raw += written
        self._stream.feed(written)
        return bool(written)
