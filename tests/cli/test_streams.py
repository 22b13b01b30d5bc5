"""Streams that fail, Ctrl-C, and what programs get of the commands that answer no question."""

import io
import os
import signal
import subprocess
import sys
import threading
from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace

import click
import pytest
from rich.console import Console

from nous_billing import BillingAuthError, BillingPurchaseUncertain, BillingRateLimited
from nous_billing.cli import interrupts, streams
from nous_billing.cli.commands import command
from nous_billing.cli.console import SafeConsole
from nous_billing.cli.explaining import explain
from nous_billing.cli.progress import Working
from nous_billing.cli.screen import Screen
from nous_billing.cli.text import card_name, duration, moment


@pytest.mark.parametrize(
    ("when", "shown"),
    [
        ("0001-01-01T00:00:00+14:00", "0001-01-01 00:00+14:00"),
        ("9999-12-31T23:59:59-14:00", "9999-12-31 23:59-14:00"),
    ],
)
def test_a_date_that_the_zone_of_the_machine_has_not_is_shown_in_its_own(when, shown):
    assert moment(datetime.fromisoformat(when)) == shown


class Broken(io.StringIO):
    def write(self, text):
        raise OSError(5, "Input/output error")


def test_a_terminal_that_was_closed_does_not_change_the_ending(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Broken())
    with pytest.raises(SystemExit) as ended:
        Screen(as_json=False).end(6, "It is not known.")
    assert ended.value.code == 6
    sys.stderr.close()


def test_a_stream_that_is_closed_is_replaced_and_others_take_any_character(monkeypatch):
    ascii_only = io.TextIOWrapper(io.BytesIO(), "ascii")
    for name, stream in (("stdin", None), ("stdout", None), ("stderr", ascii_only)):
        monkeypatch.setattr(sys, name, stream)
    streams.prepare()
    assert (sys.stdin.read(), sys.stdout.write("x"), ascii_only.errors) == ("", 1, "backslashreplace")
    sys.stdin.close()
    sys.stdout.close()


def test_a_stream_of_another_kind_stays_as_it_is(monkeypatch):
    text = io.StringIO()
    monkeypatch.setattr(sys, "stdout", text)
    streams.prepare()
    assert sys.stdout is text


def test_ctrl_c_is_left_alone_outside_of_the_main_thread():
    before = signal.getsignal(signal.SIGINT)
    for call in (interrupts.raise_once, interrupts.ignore):
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_pipe_that_nobody_reads_is_an_error_and_no_end():
    with pytest.raises(BrokenPipeError):
        SafeConsole().on_broken_pipe()


def test_the_first_ctrl_c_is_raised_and_the_second_ignored():
    interrupts.raise_once()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
    interrupts.raise_once()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@pytest.mark.parametrize(("seconds", "text"), [(1.2, "2 seconds"), (91, "2 minutes"), (9000, "3 hours")])
def test_durations_are_rounded_up(seconds, text):
    assert duration(seconds) == text


def test_completion_answers_programs_too(stranger):
    assert "_NOUS_BILLING_COMPLETE" in stranger.answer("completion", "bash")["script"]
    assert stranger.run("subscription", "--json", "cancel").exit_code == 2


def run(code, typed, streams):
    # Python writes at its end what it has buffered.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    script = f'exec "$0" {code} {typed} {streams}'
    return subprocess.run(["bash", "-c", script, sys.executable], capture_output=True, text=True, timeout=20, env=env)


FULL = "Standard output cannot be written (No space left on device).\n"
COMMAND = "-m nous_billing"
WITHOUT_RICH = """-c 'import sys; sys.modules["rich"] = None; from nous_billing.cli import main; main()'"""
NEEDS_RICH = "The command nous-billing needs rich: install nous-billing[cli] from the index of nous-billing.\n"


@pytest.mark.parametrize(
    ("code", "typed", "streams", "ending", "said"),
    [
        *(
            (COMMAND, typed, ">/dev/full", 1, FULL)
            for typed in ("-h", "--version", "buy --help", "mock", "mock --help")
        ),
        *((COMMAND, f"completion bash{json}", ">/dev/full", 1, FULL) for json in ("", " --json")),
        (COMMAND, "--help", "> >(true)", 1, ""),
        *((COMMAND, typed, "2>/dev/full", 2, "") for typed in ("", "nonsense")),
        *((WITHOUT_RICH, "--json", streams, 1, NEEDS_RICH) for streams in (">/dev/full", ">&-")),
        (WITHOUT_RICH, "", "2>/dev/full", 1, ""),
    ],
)
def test_a_stream_that_takes_nothing_ends_with_a_code_that_is_documented(code, typed, streams, ending, said):
    done = run(code, typed, streams)
    assert (done.returncode, done.stderr) == (ending, said)


def test_a_terminal_that_is_closed_at_a_question_is_no_yes(monkeypatch):
    def confirm(*_, **__):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(click, "confirm", confirm)
    with pytest.raises(click.Abort):
        Screen(as_json=False).ask("Charge $50.00 now?")


def test_news_that_nobody_reads_do_not_stop_what_is_waited_for(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Broken())
    with Screen(as_json=False).working("Asking …") as working:
        working.update("Trying again …")
    sys.stderr.close()


@pytest.mark.parametrize(
    ("term", "encoding", "shown"),
    [("dumb", "utf-8", "News …\n"), ("unknown", "ascii", "News ...\n"), ("xterm", "ascii", " News ...")],
)
def test_news_are_shown_in_any_terminal_in_its_own_characters(term, encoding, shown):
    written = io.TextIOWrapper(io.BytesIO(), encoding, errors="backslashreplace")
    working = Working(Console(file=written, force_terminal=True, width=80, _environ={"TERM": term}), "Asking …")
    working.start()
    working.update("News …")
    working.stop()
    written.seek(0)
    read = written.read()
    assert (shown in read, "\\u" in read) == (True, False)


@pytest.mark.parametrize(
    ("error", "ends"), [(OSError(28, "No space left"), SystemExit), (OSError(2, "No such file", "a file"), OSError)]
)
def test_a_file_that_cannot_be_read_is_no_full_disk(monkeypatch, error, ends):
    def main(*_, **__):
        raise error

    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(click.Group, "main", main)
    with pytest.raises(ends) as caught:
        command.main([])
    assert ends is OSError or caught.value.code == 1
    sys.stdout.close()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (BillingRateLimited("Too many charges.", retry_after=90), "The portal asks to wait 90 seconds."),
        (
            BillingPurchaseUncertain(
                "Not known.", key="k", amount_usd=Decimal(50), last_error=BillingRateLimited("Later.", retry_after=90)
            ),
            "The portal asks to wait 90 seconds before that.",
        ),
    ],
)
def test_how_long_to_wait_is_said_of_what_it_is_for(error, said):
    assert explain(error).endswith(said)


def test_what_is_wrong_with_the_file_of_a_login_is_fixed_first():
    said = explain(BillingAuthError("The login file login.json cannot be read: Is a directory."))
    assert said == "The login file login.json cannot be read: Is a directory. After that, log in again."


def test_who_uses_a_token_of_the_environment_is_not_told_to_log_in(monkeypatch):
    monkeypatch.setenv("NOUS_TOKEN", "a b")
    said = explain(BillingAuthError("The access token is blank. Log in again."))
    assert said == "The access token is blank. NOUS_TOKEN is used instead of a login: set another one, or unset it."
    assert explain(BillingAuthError("NOUS_TOKEN is wrong.")) == "NOUS_TOKEN is wrong."


def test_another_way_to_pay_than_a_card_is_named():
    wallet = SimpleNamespace(card=None, payment_method=SimpleNamespace(kind="link"), is_admin=True)
    assert card_name(wallet) == "link"
