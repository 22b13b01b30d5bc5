"""What each command answers, for a person and as JSON, at a real portal."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nous_billing import BillingClient, BillingTimeout
from nous_billing.cli.endings import Ending
from nous_billing.cli.explaining import CHARGED_NOTHING_NOW, NOTHING_CHARGED
from nous_billing.mock import Card, Fault
from tests.cli.conftest import log_in

COMMANDS = [
    (("status",), "Logged in to Acme."),
    (("balance",), "Acme: $100.00"),
    (("auto-reload",), "Auto-reload: off."),
    (("auto-reload", "20", "100"), "Auto-reload: below $20.00 the balance is reloaded to $100.00."),
    (("auto-reload", "off"), "Auto-reload: off."),
    (("buy", "$50", "--yes"), "Paid $50.00."),
    (("resume",), "No purchase is open."),
    (("subscription",), "Acme: Plus"),
    (("subscription", "preview", "super"), "An upgrade to Super charges $20.00 now."),
    (("subscription", "preview", "basic"), "The subscription would change to Basic at the end of the period"),
    (("subscription", "preview", "plus"), "The subscription is on Plus already."),
    (("subscription", "change", "tier_basic"), "The plan changes to Basic on"),
    (("subscription", "cancel"), "The subscription ends on"),
    (("subscription", "keep"), "The subscription goes on as it is."),
    (("subscription", "upgrade", "Super", "--yes"), "Acme: Super"),
    (("subscription", "upgrade", "Plus", "--yes"), "The subscription is on Plus already."),
    (("logout",), "You are logged out."),
]
EACH_COMMAND = pytest.mark.parametrize(("typed", "sentence"), COMMANDS, ids=lambda value: " ".join(value))


@EACH_COMMAND
def test_a_command_answers_a_person_on_stdout(person, typed, sentence):
    result = person.run(*typed)
    assert (result.exit_code, sentence in result.stdout) == (0, True), result.output


@EACH_COMMAND
def test_a_command_answers_a_program_with_one_object_and_money_in_strings(person, typed, sentence):
    answer = person.answer(*typed)
    assert isinstance(answer, dict)
    assert "." not in json.dumps([each for each in walk(answer) if isinstance(each, float)])
    assert not any(isinstance(each, float) for each in walk(answer))


def walk(value):
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(inner)


def test_what_json_says_of_a_purchase(person, portal):
    paid = person.answer("buy", "12.50", "--yes", "--key", "key-1")
    (charge,) = portal.organisation.charges
    assert {name: paid[name] for name in ("key", "status", "amount_usd", "added_usd", "charge_id", "balance_usd")} == {
        "key": "key-1",
        "status": "settled",
        "amount_usd": "12.5",
        "added_usd": "12.5",
        "charge_id": charge.id,
        "balance_usd": "112.5",
    }
    assert person.answer("charge", charge.id)["status"] == "settled"
    assert person.answer("charge", charge.id, "--wait")["amount_usd"] == "12.5"


def test_the_same_key_pays_once(person, portal):
    for _ in range(2):
        assert person.run("buy", "50", "--yes", "--key", "key-1").exit_code == 0
    assert len(portal.organisation.charges) == 1


def test_a_charge_that_failed_says_why(person, portal):
    portal.organisation.card = Card("visa", "0069")
    told = person.answer("buy", "50", "--yes", ending=Ending.CARD)
    assert (told["status"], told["reason"], told["error"]["exit_code"]) == ("failed", "payment_method_expired", 7)
    (charge,) = portal.organisation.charges
    assert "Not paid: payment_method_expired." in person.run("charge", charge.id).output


@pytest.mark.parametrize(
    ("last4", "sentence"),
    [
        ("3155", "Not upgraded, and nothing was charged yet (authentication_required)"),
        ("9995", "Not upgraded, and nothing was charged yet (card_declined)"),
    ],
)
def test_an_upgrade_that_a_person_has_to_finish_ends_with_a_link(person, portal, last4, sentence):
    portal.organisation.card = Card("visa", last4)
    result = person.run("subscription", "upgrade", "Super", "--yes")
    assert (result.exit_code, sentence in result.stderr, "/billing" in result.stderr) == (Ending.CARD, True, True)


@pytest.mark.parametrize(("key", "is_read"), [((), True), (("--key", "key-1"), True), (("--key", "key-1"), False)])
def test_an_upgrade_is_refused_where_the_login_is_of_another_organisation(person, portal, key, is_read):
    beta = portal.add_organisation("Beta")
    person.env["NOUS_TOKEN"] = portal.issue_token(portal.add_person("Bob", beta))
    if not is_read:
        portal.inject(Fault.html(502), "get_subscription", times=2)
    upgrade = ("subscription", "upgrade", "tier_super", "--yes", *key, "--organisation")
    told = person.answer(*upgrade, "org_1", ending=Ending.INPUT)["error"]
    assert (told["error"], beta.plan.upgrades) == ("wrong_organisation", [])
    assert "the organisation org_1, but " in told["message"]
    assert told["message"].endswith(CHARGED_NOTHING_NOW if key else NOTHING_CHARGED)
    assert person.run(*upgrade, "org_2").exit_code == Ending.DONE
    assert len(beta.plan.upgrades) == 1


def test_an_upgrade_whose_reply_is_lost_goes_on_with_its_key(person, portal):
    portal.organisation.card = Card("visa", "0500")
    told = person.answer("subscription", "upgrade", "Super", "--yes", "--key", "key-1", ending=Ending.UNKNOWN)
    again = "nous-billing subscription upgrade tier_super --key key-1 --organisation org_1 --yes"
    assert told["error"]["run_next"] == again
    assert person.answer("subscription", "upgrade", "tier_super", "--key", "key-1", "--yes")["status"] == "upgraded"
    again = person.answer("subscription", "upgrade", "tier_super", "--key", "another", "--yes")
    assert again["status"] == "already_on_tier"
    assert "is on Super already" in person.run("subscription", "upgrade", "Super", "--key", "third", "--yes").stderr
    assert len(portal.organisation.plan.upgrades) == 1


@pytest.mark.parametrize("stopped_by", [KeyboardInterrupt(), BillingTimeout("Later.")], ids=["ctrl-c", "timeout"])
def test_an_upgrade_that_was_made_stays_made_however_the_wait_for_it_ends(person, portal, monkeypatch, stopped_by):
    def stop(*_):
        raise stopped_by

    monkeypatch.setattr(BillingClient, "wait_for_upgrade", stop)
    told = person.answer("subscription", "upgrade", "Super", "--yes")
    assert (told["status"], len(portal.organisation.plan.upgrades)) == ("upgraded", 1)


def test_a_tier_that_there_is_not_is_named_with_those_that_there_are(person):
    result = person.run("subscription", "preview", "gold")
    assert (result.exit_code, result.stderr) == (2, "There is no tier gold. There are: Basic, Plus, Super.\n")


def test_an_upgrade_that_is_none_says_why_before_anything_is_sent(person, portal):
    result = person.run("subscription", "upgrade", "basic", "--yes")
    assert (result.exit_code, "No upgrade:" in result.stderr) == (Ending.REFUSED, True)
    portal.organisation.plan.tier_id = None
    assert "is not possible" in person.run("subscription", "upgrade", "basic", "--yes").stderr
    assert "no subscription" in person.run("subscription").stdout


def test_a_login_that_may_not_buy_says_so(stranger, portal, monkeypatch):
    log_in(stranger, portal, monkeypatch, allow_spending=False)
    assert "after you allow it once" in stranger.run("status").stdout
    result = stranger.run("buy", "50", "--yes")
    assert (result.exit_code, portal.organisation.charges) == (Ending.LOGIN, [])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda portal: setattr(portal.organisation, "cli_billing_enabled", False), "has switched buying"),
        (lambda portal: setattr(portal.owner, "role", "MEMBER"), "your role may not"),
    ],
)
def test_who_may_not_buy_is_told_in_the_status(person, portal, change, sentence):
    change(portal)
    assert sentence in person.run("status").stdout
    assert person.run("balance").exit_code == 0
    assert person.run("auto-reload").exit_code == 0


def test_a_token_of_the_environment_takes_the_place_of_a_login(stranger, portal):
    stranger.env["NOUS_TOKEN"] = portal.issue_token()
    assert stranger.answer("status")["source"] == "NOUS_TOKEN"
    stranger.env["NOUS_TOKEN"] = "wrong"
    result = stranger.run("balance")
    assert (result.exit_code, "nous-billing login" in result.stderr) == (Ending.LOGIN, False)


def test_without_a_login_the_next_step_is_said(stranger):
    result = stranger.run("balance")
    assert (result.exit_code, result.stderr.splitlines()[-1].strip()) == (Ending.LOGIN, "nous-billing login")
    assert stranger.answer("logout") == {"logged_in": False, "was_logged_in": False}


def test_nothing_that_was_told_has_a_secret(person, portal):
    for typed, _ in COMMANDS:
        person.run(*typed)
        person.run(*typed, "--json")
    told = "".join(person.told)
    bearers = {
        request.headers["authorization"].partition(" ")[2]
        for request in portal.requests
        if "authorization" in request.headers
    }
    refreshed = {
        request.headers["x-nous-refresh-token"]
        for request in portal.requests
        if "x-nous-refresh-token" in request.headers
    }
    assert bearers
    assert not [token for token in bearers | refreshed if token in told]


# What a shell does when somebody presses Tab; zsh completes nothing without a terminal.
TAB = {
    "bash": """eval "$(nous-billing completion bash)"
        COMP_WORDS=(nous-billing subscription up) COMP_CWORD=2; _nous_billing_completion nous-billing
        echo "${COMPREPLY[@]}" """,
    "zsh": """compdef() {}; _describe() { echo $completions_with_descriptions }
        eval "$(nous-billing completion zsh)"
        words=(nous-billing subscription up) CURRENT=3; _nous_billing_completion""",
    "fish": """nous-billing completion fish | source; complete -C 'nous-billing subscription up'""",
}


@pytest.mark.parametrize("shell", TAB)
def test_a_shell_completes_a_command(stranger, shell):
    if shutil.which(shell) is None:
        assert "_NOUS_BILLING_COMPLETE" in stranger.run("completion", shell).stdout
        pytest.skip(f"{shell} is not installed")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run([shell, "-c", TAB[shell]], capture_output=True, env={**stranger.env, "PATH": path}, text=True)
    said = "" if shell == "bash" else "Upgrade now and charge the card."
    assert re.fullmatch(f"upgrade.?{said}", done.stdout.strip()), done


@pytest.mark.parametrize("library", ["click", "rich"])
def test_without_the_extra_one_sentence_says_what_to_install(library):
    code = f"import sys; sys.modules[{library!r}] = None; from nous_billing.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"The command nous-billing needs {library}: install nous-billing[cli] from the index of nous-billing.\n"
    )
    told = subprocess.run([sys.executable, "-c", code, "balance", "--json"], capture_output=True, check=False)
    assert json.loads(told.stdout)["error"]["message"] + "\n" == told.stderr.decode()


def test_ctrl_c_while_the_command_loads_ends_it_cleanly():
    code = (
        "import sys, importlib.abc\n"
        "class Pressed(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'rich.console': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Pressed())\n"
        "from nous_billing.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code, "buy", "50", "--json"], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (130, b"Stopped.\n")
    assert json.loads(done.stdout)["error"]["exit_code"] == 130


def test_the_mock_is_served_by_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "nous_billing", "mock", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "80"},
    )
    assert done.stdout.startswith("usage: nous-billing mock ")
    assert "Serve a mock Nous Portal" in done.stdout
