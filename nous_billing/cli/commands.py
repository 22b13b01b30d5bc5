"""The commands, and the help of the command itself."""

from __future__ import annotations

import click

from nous_billing import __version__

from .as_json import to_json
from .buying import buy
from .endings import Ending
from .following import charge, resume
from .login import log_in, log_out, status
from .options import CommandGroup, refuse_json_here, with_screen
from .screen import Screen
from .settings import auto_reload, balance
from .subscription import subscription

_MEANINGS = {
    Ending.DONE: "done: paid, saved or shown",
    Ending.OTHER: "something else, such as a full disk; this command charged nothing",
    Ending.INPUT: "an argument cannot be used",
    Ending.LOGIN: "log in, or allow remote spending",
    Ending.REFUSED: "the organisation's settings refuse it",
    Ending.LATER: "the portal is busy or cannot be reached: try later",
    Ending.UNKNOWN: "not known yet: run the same command again, with the same key if it has one",
    Ending.CARD: "the card failed; nothing was charged",
    Ending.STOPPED: "stopped before anything that charges was sent",
}


class _WholeCommand(CommandGroup):
    """The command, whose help ends with the exit codes."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Exit codes"):
            formatter.write_dl([(f"{ending.value:>3}", meaning) for ending, meaning in _MEANINGS.items()])


@click.group(
    cls=_WholeCommand,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--json",
    is_flag=True,
    is_eager=True,
    hidden=True,
    expose_value=False,
    callback=refuse_json_here,
)
@click.version_option(__version__, prog_name="nous-billing")
def command() -> None:
    """Buy Nous Portal credits, and see the balance, the card and the subscription.

    \b
    First steps:
      nous-billing login
      nous-billing balance
      nous-billing buy 50

    Each command takes --json. NOUS_TOKEN takes the place of a login, and NOUS_PORTAL_BASE_URL names another portal.
    """


@click.command(short_help="Write a completion script.")
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish"]))
@with_screen
def completion(screen: Screen, shell: str) -> None:
    """Write the completion script for a shell.

    \b
    bash:  eval "$(nous-billing completion bash)"
    zsh:   eval "$(nous-billing completion zsh)", after compinit
    fish:  nous-billing completion fish | source
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click has those three
    script = kind(command, {}, "nous-billing", "_NOUS_BILLING_COMPLETE").source()
    click.echo(to_json({"shell": shell, "script": script}) if screen.as_json else script)


@click.command(
    short_help="Serve a mock portal (extra mock).",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "allow_interspersed_args": False},
)
@click.pass_context
def mock(context: click.Context) -> None:
    """Serve a mock portal to try things with (needs the extra mock)."""
    import runpy
    import sys

    sys.argv = ["nous-billing mock", *context.args]
    runpy.run_module("nous_billing.mock", run_name="__main__")


for _each in (log_in, log_out, status, balance, buy, resume, charge, auto_reload, subscription, completion, mock):
    command.add_command(_each)
