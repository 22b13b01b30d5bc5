"""Each exit code, provoked at a real portal, and what the person is told with it."""

import pytest

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


def lost(portal):
    portal.inject(Fault.html(502, acts=True), "post_charge", times=9)


def revoked(portal):
    portal.inject(Fault.reply(401, {"error": "session_revoked"}), "post_charge")


ENDINGS = [
    (None, ("buy", "50", "--yes"), Ending.DONE, "Paid $50.00."),
    (None, ("buy", "5", "--yes"), Ending.INPUT, "You can buy $10.00 to $10,000.00 at a time. Nothing was sent."),
    (None, ("buy", "ten", "--yes"), Ending.INPUT, "Not a decimal number of dollars: 'ten'."),
    (None, ("buy", "50.005", "--yes"), Ending.INPUT, "must be a whole number of cents"),
    (None, ("buy", "50", "--yes", "--key", "ä"), Ending.INPUT, "visible ASCII"),
    (None, ("buy", "50"), Ending.INPUT, "Nobody can be asked here: add --yes. Nothing was sent."),
    (None, ("auto-reload", "20"), Ending.INPUT, "Give a threshold and an amount in dollars"),
    (None, ("auto-reload", "-5", "100"), Ending.INPUT, "threshold must be dollars as a Decimal"),
    (None, ("charge", "two words"), Ending.INPUT, "charge"),
    (revoked, BUY, Ending.LOGIN, "nous-billing login"),
    (no_card, BUY, Ending.REFUSED, "/billing?topup=open"),
    (kill_switch, BUY, Ending.REFUSED, "/billing?topup=open"),
    (processor_down, BUY, Ending.LATER, "othing was charged"),
    (declining, BUY, Ending.CARD, "The payment of $50.00 for Acme failed: the card was declined."),
    (None, ("charge", "ch_unknown"), Ending.UNKNOWN, "Not settled yet, or the portal does not know it."),
]


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
