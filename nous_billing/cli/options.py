"""What all commands share: `--json`, and errors that end with a sentence and an exit code."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import click

from nous_billing import BillingError, BillingPurchaseInterrupted

from .endings import Ending
from .screen import Screen

P = ParamSpec("P")


def check_key(context: click.Context, parameter: click.Parameter, key: str | None) -> str | None:
    """Refuse a blank key, such as that of an unset variable: a key of its own for each try could charge twice."""
    if key is not None and not key.strip():
        raise click.BadParameter("It is blank. Leave the option out for a new purchase.", context, parameter)
    return key


def with_screen(function: Callable[Concatenate[Screen, P], None]) -> Callable[..., None]:
    """Give a command its ``Screen`` as first argument, and end it with the exit code of what it raises."""

    @click.option("--json", "as_json", is_flag=True, help="Write one JSON object to stdout, for programs.")
    @wraps(function)
    def run(*args: Any, as_json: bool, **kwargs: Any) -> None:
        screen = Screen(as_json=as_json)
        try:
            function(screen, *args, **kwargs)
        except BillingError as error:
            screen.fail(error)
        except BillingPurchaseInterrupted as interrupted:
            screen.fail(interrupted.uncertain)
        except (KeyboardInterrupt, click.Abort):
            screen.end(Ending.STOPPED, "Stopped.")

    return run
