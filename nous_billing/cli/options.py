"""What all commands share: `--json`, arguments that are checked first, and errors that end with a code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Concatenate, NoReturn, ParamSpec

import click

from nous_billing import BillingError, BillingInvalidRequest, BillingPurchaseInterrupted, check_idempotency_key

from . import interrupts
from .as_json import error_members
from .endings import Ending
from .screen import Screen
from .streams import attempt, silence, unwritten

P = ParamSpec("P")

json_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--json", "as_json", is_flag=True, help="Write one JSON object to stdout, for programs."
)


def check_key(context: click.Context, parameter: click.Parameter, key: str | None) -> str | None:
    """Refuse a blank key, such as that of an unset variable: a key of its own for each try could charge twice."""
    if key is None:
        return None
    if not key.strip():
        raise click.BadParameter("It is blank. Leave the option out for a new purchase.", context, parameter)
    try:
        return check_idempotency_key(key)
    except BillingInvalidRequest as error:
        raise click.BadParameter(error.message.replace("idempotency_key", "It", 1), context, parameter) from None


def with_screen(function: Callable[Concatenate[Screen, P], None]) -> Callable[..., None]:
    """Give a command its ``Screen`` as first argument, and end it with the exit code of what it raises."""

    @json_option
    @wraps(function)
    def run(*args: Any, as_json: bool, **kwargs: Any) -> None:
        screen = Screen(as_json=as_json)
        interrupts.raise_once()
        try:
            function(screen, *args, **kwargs)
        except BillingError as error:
            screen.fail(error)
        except BillingPurchaseInterrupted as interrupted:
            screen.fail(interrupted.uncertain)
        except (KeyboardInterrupt, click.Abort):
            screen.end(Ending.STOPPED, "Stopped.")

    return run


class CommandGroup(click.Group):
    """The whole command. With `--json`, arguments that cannot be used are answered with an object, too."""

    def main(
        self, args: Sequence[str] | None = None, prog_name: str | None = None, *more: Any, **options: Any
    ) -> NoReturn:
        typed = sys.argv[1:] if args is None else list(args)
        try:
            sys.exit(super().main(typed, prog_name, *more, **{**options, "standalone_mode": False}))
        except OSError as error:
            # Help, the version and a completion script are written without a screen. An error of a file names it.
            if error.filename is not None:
                raise
            silence("stdout")
            Screen(as_json="--json" in typed).end(Ending.OTHER, unwritten(error))
        except click.ClickException as error:
            attempt("stderr", error.show)
            told = error_members(Ending.INPUT, error.format_message())
            Screen(as_json="--json" in typed).write_json({"error": told})
            sys.exit(error.exit_code)
