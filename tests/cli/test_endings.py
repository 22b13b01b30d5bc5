"""Each exit code, provoked at a real portal, and what the person is told with it."""

import json
import sys

import pytest

from nous_billing import cli
from nous_billing.cli import streams
from nous_billing.cli.endings import Ending
from nous_billing.mock import Card, Fault

BUY = ("buy", "50", "--yes", "--key", "key-1")


def declining(portal):
    portal.organisation.card = Card("visa", "9995")


def no_card(portal):
    portal.organisation.card = None


def kill_switch(portal):
    portal.organisation.cli_billing_enabled = False


def processor_down(portal):
    portal.inject(Fault.unavailable("stripe_unavailable"), "post_charge", times=9)


def down(portal):
    portal.inject(Fault.drop(), times=99)


def limited(portal):
    reply = {"error": "rate_limited", "message": "Too many charges in an hour."}
    portal.inject(Fault.reply(429, reply, headers={"Retry-After": "3540"}), "post_charge")


def lost(portal):
    portal.inject(Fault.html(502, acts=True), "post_charge", times=9)


def revoked(portal):
    portal.inject(Fault.reply(401, {"error": "session_revoked"}), "post_charge")


ENDINGS = [
    (None, ("buy", "50", "--yes"), Ending.DONE, "Paid $50.00."),
    (None, ("buy", "5", "--yes"), Ending.INPUT, "You can buy $10.00 to $10,000.00 at a time. Nothing was sent."),
    (None, ("buy", "ten", "--yes"), Ending.INPUT, "The amount must be dollars such as 50.25, not 'ten'."),
    (None, ("buy", "50.005", "--yes"), Ending.INPUT, "must be a whole number of cents"),
    *(
        (None, typed, Ending.INPUT, f"must be more than 0 and at most 1,000,000 dollars, not '{typed[1]}'.")
        for typed in (("buy", "0"), ("buy", "-5"), ("buy", "-0.5", "--yes"), ("auto-reload", "-5", "100"))
    ),
    (None, ("buy", "-$5", "--yes"), Ending.INPUT, "The amount must be dollars"),
    (None, ("buy", "50", "--yess"), Ending.INPUT, "--yess"),
    (None, ("auto-reload", "--jsn"), Ending.INPUT, "--jsn"),
    *(
        (None, ("--json", *typed), Ending.INPUT, "Write --json after the name of the command.")
        for typed in ((), ("balance",), ("subscription", "cancel"))
    ),
    *(
        (None, ("buy", "50", "--key", option, "--json"), Ending.INPUT, "'--key': The key is missing: ")
        for option in ("--yes", "-y", "--key=x")
    ),
    (None, ("buy", "50", "--yes", "--key", "ä"), Ending.INPUT, "'--key': It must be 1 to 255 visible ASCII"),
    (None, ("buy", "50"), Ending.INPUT, "Nobody can be asked here: add --yes. Nothing was sent."),
    (
        None,
        ("auto-reload", "100", "20"),
        Ending.INPUT,
        "has to be more than the threshold of $100.00. Nothing was sent.",
    ),
    (None, ("auto-reload", "20"), Ending.INPUT, "Give a threshold and an amount in dollars"),
    (None, ("charge", "two words"), Ending.INPUT, "charge"),
    (revoked, BUY, Ending.LOGIN, "nous-billing login"),
    (no_card, BUY, Ending.REFUSED, "/billing?topup=open"),
    (kill_switch, BUY, Ending.REFUSED, "/billing?topup=open"),
    (kill_switch, ("buy", "50", "--yes"), Ending.REFUSED, "switched buying from a terminal off. Nothing was charged."),
    (down, ("balance",), Ending.LATER, "Could not reach the portal"),
    (down, ("buy", "50", "--yes"), Ending.LATER, "Nothing was charged."),
    (limited, ("buy", "50", "--yes"), Ending.LATER, "Nothing was charged. The portal asks to wait 59 minutes."),
    (processor_down, BUY, Ending.LATER, "This command charged nothing."),
    (declining, BUY, Ending.CARD, "The payment of $50.00 for Acme failed: the card was declined."),
    (None, ("charge", "ch_unknown"), Ending.UNKNOWN, "Not settled yet, or the portal does not know it."),
]


@pytest.mark.parametrize(
    "typed",
    [
        *(("buy", amount) for amount in ("ten", "50.005", "0", "50,5", "", "-5")),
        ("buy", "50", "--key", "ä"),
        ("buy", "50"),
        ("auto-reload", "20"),
        ("charge", "a b"),
        ("auto-reload", "a", "b"),
        ("auto-reload", "100", "20"),
        ("subscription", "upgrade", "super"),
        ("buy",),
        ("nonsense",),
        ("subscription", "preview"),
    ],
)
def test_arguments_are_checked_before_the_login_and_programs_are_told(stranger, portal, typed):
    told = stranger.answer(*typed, ending=Ending.INPUT)["error"]
    assert (told["exit_code"], told["outcome_unknown"], bool(told["message"])) == (2, False, True)
    assert "_" not in told["message"]
    assert portal.requests == []


@pytest.mark.parametrize(("happens", "typed", "ending", "sentence"), ENDINGS)
def test_a_command_ends_with_its_code_and_a_sentence(person, portal, happens, typed, ending, sentence):
    if happens:
        happens(portal)
    result = person.run(*typed)
    assert (result.exit_code, sentence in result.output) == (ending, True), result.output
    if "Nothing was charged" in result.output:
        assert not any(charge.status == "settled" for charge in portal.organisation.charges)


def test_a_charge_that_may_have_been_made_ends_with_6_and_the_same_command_finds_out(person, portal):
    lost(portal)
    told = person.answer(*BUY, ending=Ending.UNKNOWN)
    assert told["error"]["run_next"] == "nous-billing buy 50 --key key-1"
    assert (told["error"]["outcome_unknown"], told["key"]) == (True, "key-1")
    portal.faults.__init__()
    assert person.run(*BUY).exit_code == Ending.DONE
    assert len(portal.organisation.charges) == 1


@pytest.mark.parametrize("as_json", [True, False])
def test_ctrl_c_while_the_command_loads_ends_it_as_cleanly_as_later(as_json, monkeypatch, capsys):
    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr(streams, "prepare", interrupt)
    monkeypatch.setattr(sys, "argv", ["nous-billing", "balance", *["--json"] * as_json])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    said = capsys.readouterr()
    assert (caught.value.code, said.err) == (Ending.STOPPED, "Stopped.\n")
    if not as_json:
        assert said.out == ""
        return
    error = json.loads(said.out)["error"]
    assert (error["exit_code"], error["message"], error["outcome_unknown"]) == (130, "Stopped.", False)
