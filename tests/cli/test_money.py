"""What a command says of money where something cut it short: Ctrl-C, a stream that fails, a key used elsewhere."""

import subprocess
import sys

import pytest

import nous_billing as nb
from nous_billing.cli import purchases
from nous_billing.cli.endings import Ending
from nous_billing.cli.screen import Screen
from nous_billing.mock import Fault
from tests.cli.conftest import log_in

BUY = ("buy", "50", "--yes", "--key", "key-1")
COMMAND = (sys.executable, "-m", "nous_billing")


@pytest.mark.parametrize(
    "streams",
    [">&-", "2>&-", "<&-", "2>/dev/full", ">/dev/full", "| true", "2>&1 | true", "| PYTHONIOENCODING=ascii cat"],
)
@pytest.mark.parametrize("more", ["", "--json"])
def test_what_is_paid_ends_with_0_whoever_reads_it(person, portal, streams, more):
    portal.organisation.name = "Äther 株式会社"
    script = f'set -o pipefail; "$@" {more} {streams}'
    env = {**person.env, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(["bash", "-c", script, "bash", *COMMAND, *BUY], env=env, capture_output=True, check=False)
    assert (done.returncode, len(portal.organisation.charges)) == (0, 1), done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_ctrl_c_pressed_again_and_again_does_not_change_the_ending(person, portal):
    portal.settle_after = 3600
    buy = person.terminal(*BUY)
    buy.wait_for("Waiting for the payment")
    buy.type("\x03" * 20)
    assert (buy.end(), "was accepted as charge" in buy.text) == (Ending.UNKNOWN, True), buy.text


@pytest.mark.parametrize(
    ("buys", "ending", "sentence"),
    [
        ("buy_credits", Ending.DONE, "Paid $50.00."),
        ("begin_purchase", Ending.UNKNOWN, "The charge of $50.00 for Acme was accepted."),
    ],
)
def test_ctrl_c_just_after_the_charge_says_what_is_kept_of_it(person, portal, monkeypatch, buys, ending, sentence):
    buy = getattr(nb.BillingClient, buys)

    def then_interrupts(self, amount, *, idempotency_key, store, **_more):
        buy(self, amount, idempotency_key=idempotency_key, store=store)
        raise KeyboardInterrupt

    monkeypatch.setattr(nb.BillingClient, "buy_credits", then_interrupts)
    result = person.run(*BUY)
    assert (result.exit_code, sentence in result.output) == (ending, True), result.output


def test_ctrl_c_where_the_store_cannot_be_read_is_not_known(person, monkeypatch):
    def interrupts(self, *args, **kwargs):
        monkeypatch.setattr(purchases, "load", lambda key: (_ for _ in ()).throw(OSError("broken")))
        raise KeyboardInterrupt

    monkeypatch.setattr(nb.BillingClient, "buy_credits", interrupts)
    assert person.run(*BUY).exit_code == Ending.UNKNOWN


@pytest.mark.parametrize(("key", "claim"), [((), True), (("--key", "key-1"), False)])
@pytest.mark.parametrize("kind", ["limit", "switch", "processor"])
def test_a_refusal_of_a_key_that_was_used_elsewhere_does_not_say_that_it_charged_nothing(
    person, portal, tmp_path, key, claim, kind
):
    person.run(*BUY)
    person.env["XDG_DATA_HOME"] = str(tmp_path / "elsewhere")
    if kind == "switch":
        portal.organisation.cli_billing_enabled = False
    else:
        fault = Fault.unavailable("stripe_unavailable") if kind == "processor" else Fault.reply(429, {"error": "x"})
        portal.inject(fault, "post_charge", times=9)
    # The second time, this machine knows of the first refusal only.
    for _ in range(2):
        output = person.run("buy", "50", "--yes", *key).output
        assert ("Whether an earlier one with this key did is not known here." in output) is not claim
        assert len(portal.organisation.charges) == 1


def test_a_key_with_another_amount_is_refused_with_the_line_that_goes_on(person, portal):
    portal.inject(Fault.drop(acts=True), "post_charge", times=9)
    assert person.run(*BUY).exit_code == Ending.UNKNOWN
    told = person.answer("buy", "60", "--yes", "--key", "key-1", ending=Ending.INPUT)["error"]
    assert told["run_next"] == "nous-billing buy 50 --key key-1"
    assert told["message"].startswith("This key is that of a purchase of $50.00, not of $60.00. Nothing was sent.")


def test_what_was_paid_already_is_told_so(person, portal):
    person.run(*BUY)
    result = person.run(*BUY)
    assert "This purchase has ended already, and is not charged again." in result.stderr
    assert len(portal.organisation.charges) == 1


@pytest.mark.parametrize(
    ("typed", "method"),
    [
        (("auto-reload", "20", "100"), "patch_auto_top_up"),
        (("subscription", "cancel"), "set_pending_subscription_change"),
        (("subscription", "upgrade", "super", "--yes"), "upgrade_subscription"),
        (("charge", "ch_1", "--wait"), "wait_for_charge"),
    ],
)
@pytest.mark.parametrize("raised", [KeyboardInterrupt(), nb.BillingNetworkError("No answer.", outcome_unknown=True)])
def test_a_change_that_was_cut_short_is_not_known_and_the_same_command_finds_out(
    person, monkeypatch, typed, method, raised
):
    def cut_short(self, *args, **kwargs):
        raise raised

    monkeypatch.setattr(nb.BillingClient, method, cut_short)
    told = person.answer(*typed, ending=Ending.UNKNOWN)["error"]
    assert told["run_next"].startswith(f"nous-billing {' '.join(typed[:2])}")


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), nb.BillingNetworkError("No answer.")])
def test_auto_reload_that_was_saved_stays_saved_where_it_cannot_be_read(person, portal, monkeypatch, raised):
    def read(self, **kwargs):
        raise raised

    monkeypatch.setattr(nb.BillingClient, "get_billing_state", read)
    result = person.run("auto-reload", "20", "100")
    assert (result.exit_code, result.stdout) == (0, "Auto-reload was changed. The new settings could not be read.\n")
    assert portal.organisation.auto_reload.enabled
    assert person.run("auto-reload").exit_code != 0


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        (("auto-reload", "20", "100"), "reloaded to $100.00"),
        (("subscription", "cancel"), "The subscription ends"),
        (("subscription", "upgrade", "super", "--yes"), "Acme: Super"),
    ],
)
@pytest.mark.parametrize("says", ["y", "n", "\x03", None])
def test_each_change_that_needs_the_permission_offers_to_ask_for_it(stranger, portal, monkeypatch, typed, answer, says):
    log_in(stranger, portal, monkeypatch, allow_spending=False)
    monkeypatch.setattr(Screen, "can_ask", says is not None)

    def ask(self, question, *, default=False):
        if says == "\x03":
            raise KeyboardInterrupt
        return says == "y"

    monkeypatch.setattr(Screen, "ask", ask)
    monkeypatch.setattr(
        "nous_billing.cli.session.show_code",
        lambda screen, *, opens_browser: lambda code: portal.approve_device(code.user_code),
    )
    result = stranger.run(*typed)
    endings = {"y": Ending.DONE, "n": Ending.LOGIN, "\x03": Ending.STOPPED, None: Ending.LOGIN}
    assert result.exit_code == endings[says], result.output
    assert (answer in result.stdout) is (says == "y")
    assert ("nous-billing login" in result.stderr) is (result.exit_code == Ending.LOGIN)
