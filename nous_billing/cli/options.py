"""What all commands share: `--json`, arguments that are checked first, and errors that end with a code."""

from __future__ import annotations

import re
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
    "--json", "as_json", is_flag=True, help="Write one JSON object for programs to stdout."
)


_NEGATIVE = re.compile(r"-\$?[0-9]")


def refuse_json_here(context: click.Context, _parameter: click.Parameter | None, given: bool) -> None:
    """Say where `--json` belongs."""
    if given:
        raise click.UsageError("Write --json after the name of the command.", context)


def check_key(context: click.Context, parameter: click.Parameter, key: str | None) -> str | None:
    """Refuse a blank key, such as that of an unset variable: a key of its own for each try could charge twice."""
    if key is None:
        return None
    # Without quotation marks, an unset variable leaves nothing, and the next option would become the key.
    option = key.partition("=")[0]
    if option in {*context.help_option_names, *(name for each in context.command.params for name in each.opts)}:
        raise click.BadParameter(f"The key is missing: {option} is an option.", context, parameter)
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


class CommandOfAmounts(click.Command):
    """A command in which a negative amount is refused as an amount, not as an option that there is not."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.ignore_unknown_options = any(_NEGATIVE.match(each) for each in args)
        return super().parse_args(ctx, args)


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
