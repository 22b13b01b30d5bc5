"""The command in a real terminal: what a person sees, types and interrupts."""

import json
import re

import pytest

from nous_billing.cli.commands import _MEANINGS
from nous_billing.cli.endings import Ending
from nous_billing.mock import Card

NARROW, WIDE = 60, 100
WIDTHS = pytest.mark.parametrize("columns", [NARROW, WIDE])


def code_on(terminal):
    found = re.search(r"Code: (\S+)", terminal.wait_for("Code: "))
    assert found
    return found[1]


@WIDTHS
def test_a_person_logs_in_steps_up_and_buys(stranger, portal, columns):
    login = stranger.terminal("login", "--no-browser", columns=columns)
    portal.approve_device(code_on(login), allow_spending=False)
    assert (login.end(), "You are logged in." in login.text) == (0, True)
    buy = stranger.terminal("buy", "50", columns=columns)
    buy.wait_for("Charge $50.00 now? [y/N]")
    buy.type("y\n")
    buy.wait_for("Ask for it now? [Y/n]")
    buy.type("\n")
    portal.approve_device(code_on(buy))
    assert (buy.end(), "Paid $50.00." in buy.text, "$150.00" in buy.text) == (0, True, True), buy.text
    (charge,) = portal.organisation.charges
    # The key was on the screen before anything was sent, in a line that can be copied.
    assert f"nous-billing buy 50 --key {charge.key}" in buy.text.replace("\n", "")


def test_who_says_no_is_charged_nothing(person, portal):
    buy = person.terminal("buy", "50")
    buy.wait_for("now? [y/N]")
    buy.type("\n")
    assert (buy.end(), "Stopped. Nothing was sent." in buy.text) == (130, True)
    assert portal.organisation.charges == []


def test_ctrl_c_at_the_question_charges_nothing(person, portal):
    buy = person.terminal("buy", "50")
    buy.wait_for("now? [y/N]")
    buy.interrupt()
    assert (buy.end(), portal.organisation.charges) == (130, [])
    assert buy.text.splitlines()[-1] == "Stopped."


def test_json_stands_alone_below_what_was_waited_for(person, portal):
    portal.organisation.card = None
    buy = person.terminal("buy", "50", "--yes", "--json")
    assert buy.end() == 4
    assert json.loads(buy.text[buy.text.index("\n{") :])["error"]["error"] == "no_payment_method"


def test_the_help_breaks_lines_between_words(stranger):
    shown = stranger.terminal("--help", columns=NARROW)
    assert shown.end() == 0
    assert f"such as a full disk; this command charged nothing 2 {_MEANINGS[Ending.INPUT]}" in " ".join(
        shown.text.split()
    )


@WIDTHS
def test_ctrl_c_while_it_is_paid_says_what_is_known_and_how_to_go_on(person, portal, columns):
    portal.settle_after = 3600
    buy = person.terminal("buy", "50", "--yes", "--key", "key-1", columns=columns)
    buy.wait_for("Waiting for the payment")
    buy.interrupt()
    assert buy.end() == 6, buy.text
    flat = " ".join(buy.text.split())
    assert "was accepted as charge" in flat
    assert "nous-billing buy 50 --key key-1" in flat.split("was accepted as charge")[1]
    portal.clock.advance(3601)
    assert person.answer("resume")["purchases"][0]["status"] == "settled"
    assert len(portal.organisation.charges) == 1


def test_an_upgrade_is_asked_for_with_its_price(person, portal):
    upgrade = person.terminal("subscription", "upgrade", "super")
    seen = upgrade.wait_for("Upgrade to Super now? [y/N]")
    assert "charges $20.00 now" in seen
    upgrade.type("y\n")
    assert (upgrade.end(), "Acme: Super" in upgrade.text) == (0, True), upgrade.text
    assert len(portal.organisation.plan.upgrades) == 1


def test_no_colour_where_none_is_wanted(person, portal):
    portal.organisation.card = Card("visa", "9995")
    person.env["NO_COLOR"] = "1"
    terminal = person.terminal("buy", "50", "--yes")
    assert terminal.end() == 7
    assert not re.search(rb"\x1b\[[0-9;]*3[0-9]", terminal.raw)
    assert "\x1b" not in person.run("balance").output
