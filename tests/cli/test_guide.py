"""The page on the command line says what the command does."""

import re
from pathlib import Path

import click

from nous_billing.cli.commands import command
from nous_billing.cli.endings import Ending
from scripts import recording

PAGE = (Path(__file__).parents[2] / "docs/guide/command-line.md").read_text(encoding="utf-8")


def test_the_page_names_each_command_and_no_other():
    rows = re.findall(r"^\| (`.+?) \| ", PAGE.partition("## A purchase")[0], re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([a-z-]+)", row)}
    assert named == set(command.commands)


def test_the_page_and_the_help_have_each_exit_code():
    assert [int(code) for code in re.findall(r"^\| \**(\d+)\** \|", PAGE, re.MULTILINE)] == [*Ending]
    assert re.findall(r"^ +(\d+)  ", command.get_help(click.Context(command)), re.MULTILINE) == [
        str(int(ending)) for ending in Ending
    ]


def test_the_recording_shows_a_purchase_that_was_paid():
    kept = recording.PICTURE.read_text(encoding="utf-8")
    assert "Paid" in kept
    assert recording.KEY[:8] in kept
