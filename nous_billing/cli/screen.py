"""What a command writes: its answer to stdout, for a person or as JSON, and all else to stderr."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import NoReturn

from rich.table import Table
from rich.text import Text

from nous_billing import BillingError

from . import interrupts
from .as_json import error_members, to_json
from .console import SafeConsole
from .endings import Ending, ending_of
from .explaining import explain, next_command
from .progress import Working
from .streams import attempt, silence, unwritten


class Screen:
    """Writes for one command.

    Text of the portal is never read as markup; the SDK has replaced the control characters in it.

    Args:
        as_json: Whether stdout gets one JSON object instead of text for a person.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._out = SafeConsole(highlight=False, markup=False, emoji=False)
        self._err = SafeConsole(stderr=True, highlight=False, markup=False, emoji=False)

    @property
    def can_ask(self) -> bool:
        """Whether a person can be asked something."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    def answer(self, members: Mapping[str, object], rows: Iterable[tuple[str, str]], headline: str = "") -> None:
        """Write the command's answer.

        Args:
            members: The JSON object.
            rows: The same for a person: a name and a value each.
            headline: A sentence above the rows.
        """
        # Whatever it says is how the command ends.
        interrupts.ignore()
        self.write_json(members)
        if not self.as_json:
            with self._kept(headline):
                self._draw([(name, value) for name, value in rows if value], headline)

    def write_json(self, members: Mapping[str, object]) -> None:
        """Write an object to stdout if the command was asked for JSON."""
        if self.as_json:
            text = to_json(members)
            with self._kept(text):
                sys.stdout.write(f"{text}\n")

    @contextmanager
    def _kept(self, what: str) -> Generator[None]:
        """Write to stderr what stdout does not take, such as on a full disk: it may be all there is on a payment."""
        try:
            yield
            sys.stdout.flush()
        except OSError as error:
            silence("stdout")
            self.tell(unwritten(error))
            if what:
                self.tell(what)

    def _draw(self, filled: list[tuple[str, str]], headline: str) -> None:
        if headline:
            self._out.print(Text(headline, style="bold"), soft_wrap=not self._out.is_terminal)
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in filled:
            table.add_row(name, Text(value))
        if not filled:
            return
        if self._out.is_terminal:
            self._out.print(table)
        else:
            # In a pipe a line is as long as it has to be.
            for name, value in filled:
                self._out.print(Text(f"{name}: {value}"), soft_wrap=True)

    def tell(self, sentence: str, style: str = "") -> None:
        """Write a sentence for a person to stderr."""
        self._print_err(Text(sentence, style=style), soft_wrap=not self._err.is_terminal)

    def tell_line(self, text: str) -> None:
        """Write something to copy, such as a link or a command, to stderr: never wrapped."""
        self._print_err(Text(f"  {text}", style="cyan"), soft_wrap=True)

    def _print_err(self, text: Text, *, soft_wrap: bool) -> None:
        # Where nobody reads it, such as in a terminal that was closed, the exit code still has to be right.
        attempt("stderr", lambda: self._err.print(text, soft_wrap=soft_wrap))

    def ask(self, question: str, *, default: bool = False) -> bool:
        """Ask a person to confirm. Ctrl-C, the end of the input and a closed terminal raise ``click.Abort``."""
        import click

        try:
            return click.confirm(question, default=default, err=True)
        except (click.Abort, OSError):
            # The cursor is still behind the question.
            self.tell("")
            raise click.Abort from None

    def check_can_ask(self, *, yes: bool) -> None:
        """End where a question has to be asked, and nobody can be asked."""
        if not yes and not self.can_ask:
            self.end(Ending.INPUT, "Nobody can be asked here: add --yes. Nothing was sent.")

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask before money moves, unless the person said yes already. End where they say no, or cannot be asked."""
        self.check_can_ask(yes=yes)
        if not yes and not self.ask(question):
            self.end(Ending.STOPPED, "Stopped. Nothing was sent.")

    @contextmanager
    def working(self, sentence: str) -> Generator[Working]:
        """Show on stderr that something is waited for."""
        working = Working(self._err, sentence)
        working.start()
        try:
            yield working
        finally:
            working.stop()

    def fail(
        self,
        error: BillingError,
        members: Mapping[str, object] | None = None,
        *,
        claim: str = "",
        again: str | None = None,
    ) -> NoReturn:
        """Write an error, and end the process with its exit code.

        Args:
            members: As for ``end``.
            claim: As for ``explain``.
            again: As for ``end``.
        """
        self.end(
            ending_of(error),
            explain(error, claim),
            portal_url=error.portal_url,
            error=error,
            members=members,
            again=again or next_command(error),
        )

    def end(
        self,
        ending: Ending,
        sentence: str,
        *,
        portal_url: str | None = None,
        error: BillingError | None = None,
        members: Mapping[str, object] | None = None,
        again: str | None = None,
    ) -> NoReturn:
        """Write a sentence, and a link and the command to run next where there are any, and end the process.

        Args:
            error: What it is about, for programs.
            members: What programs are told beside the error.
            again: The command to run next.
        """
        interrupts.ignore()
        self.tell(sentence, style="red")
        for line in (portal_url, again):
            if line:
                self.tell_line(line)
        told = error_members(ending, sentence, error=error, portal_url=portal_url, again=again)
        self.write_json({**(members or {}), "error": told})
        sys.exit(ending)
