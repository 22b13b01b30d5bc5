"""What a command writes: its answer to stdout, for a person or as JSON, and all else to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NoReturn, cast

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from nous_billing import BillingAuthError, BillingError, BillingScopeRequired

from .endings import Ending, ending_of


@dataclass(frozen=True, slots=True)
class Working:
    """What goes on, and how to pause showing it while a person is asked."""

    spinner: Spinner
    live: Live

    def update(self, sentence: str) -> None:
        self.spinner.update(text=Text(sentence))

    def stop(self) -> None:
        self.live.stop()

    def start(self) -> None:
        self.live.start()


class Screen:
    """Writes for one command.

    Text of the portal is never read as markup, and rich takes control characters out of it.

    Args:
        as_json: Whether stdout gets one JSON object instead of text for a person.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._out = Console(highlight=False, markup=False, emoji=False)
        self._err = Console(stderr=True, highlight=False, markup=False, emoji=False)

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
        if self.as_json:
            self._write(json.dumps(_plain(members), indent=2))
            return
        with self._kept(headline):
            self._draw([(name, value) for name, value in rows if value], headline)

    def _write(self, text: str) -> None:
        with self._kept(text):
            sys.stdout.write(f"{text}\n")

    @contextmanager
    def _kept(self, what: str) -> Generator[None]:
        """Write to stderr what stdout does not take, such as on a full disk: it may be all there is on a payment."""
        try:
            yield
            sys.stdout.flush()
        except OSError as error:
            # Python would try again at its end, and end with a code of its own.
            sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
            self.tell(f"Standard output cannot be written ({error.strerror}).")
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
        self._err.print(Text(sentence, style=style), soft_wrap=not self._err.is_terminal)

    def tell_line(self, text: str) -> None:
        """Write something to copy, such as a link or a command, to stderr: never wrapped."""
        self._err.print(Text(f"  {text}", style="cyan"), soft_wrap=True)

    def ask(self, question: str, *, default: bool = False) -> bool:
        """Ask a person to confirm. Ctrl-C and the end of the input raise ``click.Abort``."""
        import click

        return click.confirm(question, default=default, err=True)

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask before money moves, unless the person said yes already. End where they say no, or cannot be asked."""
        if yes:
            return
        if not self.can_ask:
            self.end(Ending.INPUT, "Nobody can be asked here: add --yes. Nothing was sent.")
        if not self.ask(question):
            self.end(Ending.STOPPED, "Stopped. Nothing was sent.")

    @contextmanager
    def working(self, sentence: str) -> Generator[Working]:
        """Show that something is going on, where stderr is a terminal."""
        spinner = Spinner("dots", Text(sentence))
        # stdout is for the answer alone, which may be JSON in a file.
        live = Live(spinner, console=self._err, transient=True, redirect_stdout=False, redirect_stderr=False)
        with live:
            yield Working(spinner, live)

    def fail(
        self,
        error: BillingError,
        members: Mapping[str, object] | None = None,
        *,
        said: str | None = None,
        again: str | None = None,
    ) -> NoReturn:
        """Write an error, and end the process with its exit code. As ``end``."""
        if isinstance(error, (BillingAuthError, BillingScopeRequired)) and not os.environ.get("NOUS_TOKEN", "").strip():
            again = again or "nous-billing login"
            said = said or ("You are not logged in." if error.message.startswith("Not logged in") else None)
        self.end(
            ending_of(error),
            said or error.message,
            portal_url=error.portal_url,
            error=error,
            members=members,
            again=again,
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
        """Write a sentence, and a link and the command to run next where there are any, and end the process."""
        self.tell(sentence, style="red")
        for line in (portal_url, again):
            if line:
                self.tell_line(line)
        if self.as_json:
            told: dict[str, object] = {
                "exit_code": int(ending),
                "message": sentence,
                "error": error.error if error else None,
                "status": error.status if error else None,
                "portal_url": portal_url,
                "run_next": again,
                "retry_after": error.retry_after if error else None,
                "outcome_unknown": error.outcome_unknown if error else ending is Ending.UNKNOWN,
            }
            self._write(json.dumps({**_object(members or {}), "error": told}, indent=2))
        sys.exit(ending)


def _object(members: Mapping[str, object]) -> dict[str, Any]:
    return cast("dict[str, Any]", _plain(members))


def _plain(value: object) -> object:
    """Return a value as JSON has it: money as the string that the portal would send, never a float."""
    if is_dataclass(value) and not isinstance(value, type):
        value = {name: each for name, each in asdict(value).items() if name != "raw"}
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in cast("Mapping[object, object]", value).items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = cast("Iterable[object]", value)
        return [_plain(each) for each in (sorted(map(str, items)) if isinstance(value, (set, frozenset)) else items)]
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, datetime) else value
