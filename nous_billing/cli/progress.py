"""Shows on stderr what a command waits for, and for how long."""

from __future__ import annotations

import time

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from .streams import attempt

_WORTH_COUNTING_SECONDS = 2


class Working:
    """What is waited for: a spinner in a terminal, elsewhere a line for each news.

    Args:
        console: Where to show it.
        sentence: What is waited for.
    """

    def __init__(self, console: Console, sentence: str) -> None:
        self._console = console
        self._sentence = sentence
        self._began = time.monotonic()
        # A dumb terminal cannot take back what it shows.
        self._moves = console.is_terminal and not console.is_dumb_terminal
        self._ascii_only = console.options.ascii_only
        self._spinner = Spinner("line" if self._ascii_only else "dots")
        self._live = Live(
            get_renderable=self._draw,
            console=console,
            transient=True,
            # stdout is for the answer alone, which may be JSON in a file.
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def update(self, sentence: str) -> None:
        """Show something else that is waited for, if there is anything."""
        if sentence in ("", self._sentence):
            return
        self._sentence = sentence
        if not self._moves:
            attempt("stderr", lambda: self._console.print(self._text(sentence), soft_wrap=True))

    def start(self) -> None:
        """Show it. Where stderr is no terminal, or a dumb one, nothing is shown until there is news."""
        if self._moves:
            attempt("stderr", self._live.start)

    def stop(self) -> None:
        """Clear it, such as to ask a person something."""
        attempt("stderr", self._live.stop)

    def _draw(self) -> Spinner:
        waited = int(time.monotonic() - self._began)
        counted = f" ({waited} s)" if waited >= _WORTH_COUNTING_SECONDS else ""
        self._spinner.update(text=self._text(f"{self._sentence}{counted}"))
        return self._spinner

    def _text(self, sentence: str) -> Text:
        return Text(sentence.replace("…", "...") if self._ascii_only else sentence)
