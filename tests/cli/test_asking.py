"""What a command asks, what it does about the answer, and what it says of a purchase that was cut short."""

import runpy
import sys
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

import pytest

import nous_billing as nb
from nous_billing import cli
from nous_billing.cli import buying, plans, session
from nous_billing.cli.endings import Ending
from nous_billing.cli.screen import Screen
from nous_billing.mock import Card, Fault
from tests.cli.conftest import log_in

BUY = ("buy", "50", "--key", "key-1")


@pytest.fixture
def asked(monkeypatch):
    """Somebody is there to be asked."""
    monkeypatch.setattr(Screen, "can_ask", True)


@pytest.fixture
def approves(monkeypatch, portal):
    """Who is asked to approve a code does."""
    opened = []
    monkeypatch.setattr(session.webbrowser, "open", lambda link: opened.append(link) or True)
    shown = session.show_code

    def show_code(screen, *, opens_browser):
        show = shown(screen, opens_browser=opens_browser)
        return lambda code: (show(code), portal.approve_device(code.user_code))

    monkeypatch.setattr(session, "show_code", show_code)
    return opened


@pytest.mark.parametrize(("typed", "ending", "charges"), [("y\n", 0, 1), ("n\n", 130, 0), ("\n", 130, 0), ("", 130, 0)])
def test_nothing_is_charged_without_a_yes(person, portal, asked, typed, ending, charges):
    assert person.run(*BUY, typed=typed).exit_code == ending
    assert len(portal.organisation.charges) == charges


@pytest.mark.parametrize(("typed", "ending"), [("y\n\n", Ending.DONE), ("y\nn\n", Ending.LOGIN)])
def test_a_login_that_may_not_buy_is_offered_to_step_up(stranger, portal, monkeypatch, asked, approves, typed, ending):
    log_in(stranger, portal, monkeypatch, allow_spending=False)
    result = stranger.run(*BUY, typed=typed)
    assert (result.exit_code, len(approves)) == (ending, ending is Ending.DONE)
    if approves:
        assert approves[0] in result.stderr
        assert "Your browser should have opened it." in result.stderr


@pytest.mark.parametrize(
    "typed", ["auto-reload 20 100", "cancel", "keep", "change basic", "upgrade super --key k --yes"]
)
def test_a_permission_of_another_organisation_changes_nothing(stranger, portal, monkeypatch, asked, approves, typed):
    log_in(stranger, portal, monkeypatch, allow_spending=False)
    bob = portal.add_person("Bob", portal.add_organisation("Beta"))
    monkeypatch.setattr(portal, "approve_device", partial(portal.approve_device, person=bob))
    command = typed.split() if typed.startswith("auto") else ["subscription", *typed.split()]
    result = stranger.run(*command, typed="\n")
    assert (result.exit_code, len(approves)) == (Ending.INPUT, 1), result.stderr
    assert "is for Acme (org_1), but the permission was given for Beta (org_2)" in result.stderr
    # The change was sent once, and refused.
    assert len([each for each in portal.requests if not each.operation.startswith(("get_", "oauth_"))]) == 1


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ((*BUY, "--yes"), "NOUS_TOKEN is used instead of a login: set another one"),
        (("auto-reload", "20", "100"), "The token may not charge or change settings."),
    ],
)
def test_somebody_elses_token_cannot_step_up(stranger, portal, asked, typed, sentence):
    stranger.env["NOUS_TOKEN"] = portal.issue_token(scope="inference:invoke")
    result = stranger.run(*typed)
    assert (result.exit_code, sentence in result.stderr) == (Ending.LOGIN, True), result.stderr


def uncertain(**more):
    return nb.BillingPurchaseUncertain("Not known.", key="key-1", amount_usd=Decimal(50), **more)


@pytest.mark.parametrize(
    ("raised", "ending", "sentence"),
    [
        (nb.BillingPurchaseInterrupted(uncertain()), Ending.UNKNOWN, "nous-billing buy 50 --key key-1"),
        (uncertain(), Ending.UNKNOWN, "nous-billing buy 50 --key key-1"),
        (KeyboardInterrupt(), Ending.STOPPED, "Stopped. This command charged nothing."),
        (nb.BillingRateLimited("Slow down."), Ending.LATER, "Slow down. This command charged nothing."),
        (
            nb.BillingIdempotencyConflict("Used."),
            Ending.INPUT,
            "a new purchase needs a new key. Nothing more was charged.\n",
        ),
        (
            nb.BillingPurchaseStoreError("The disk is full."),
            Ending.OTHER,
            "The disk is full. This command charged nothing.",
        ),
        (nb.BillingServerError("Failing.", outcome_unknown=True), Ending.UNKNOWN, "Failing.\n"),
    ],
)
def test_how_a_purchase_was_cut_short_is_said(person, monkeypatch, raised, ending, sentence):
    def buy_credits(self, *args, **kwargs):
        raise raised

    monkeypatch.setattr(nb.BillingClient, "buy_credits", buy_credits)
    result = person.run(*BUY, "--yes")
    assert (result.exit_code, sentence in result.stderr) == (ending, True), result.stderr


def test_what_can_no_longer_be_found_out_is_not_to_be_sent_again(person, monkeypatch):
    def buy_credits(self, *args, **kwargs):
        raise uncertain(is_too_old=True)

    monkeypatch.setattr(nb.BillingClient, "buy_credits", buy_credits)
    assert "run_next" in person.answer(*BUY, "--yes", ending=Ending.UNKNOWN)["error"]
    assert person.answer(*BUY, "--yes", ending=Ending.UNKNOWN)["error"]["run_next"] is None


def test_what_is_paid_stays_paid_where_the_balance_cannot_be_read(person, portal, monkeypatch):
    paid = nb.BillingClient.buy_credits

    def then_fails(self, *args, **kwargs):
        purchase = paid(self, *args, **kwargs)
        portal.inject(Fault.html(502), "get_billing_state", times=9)
        return purchase

    monkeypatch.setattr(nb.BillingClient, "buy_credits", then_fails)
    result = person.run(*BUY, "--yes")
    assert (result.exit_code, "Paid $50.00." in result.stdout) == (0, True)
    assert "The new balance could not be read." in result.stderr


def purchase(**more):
    begun = datetime(2026, 6, 13, 10, tzinfo=UTC)
    return nb.Purchase(key="key-2", amount_usd=Decimal(20), started_at=begun, organisation_name="Acme", **more)


@pytest.mark.parametrize(("added", "told"), [(30, "$30.00"), (0, "$0.00"), (-20, "-$20.00")])
def test_contradictions_of_the_portal_are_told(person, monkeypatch, added, told):
    odd = purchase(status="settled", discrepancies=("other_amount",), added_usd=Decimal(added))
    monkeypatch.setattr(nb.BillingClient, "buy_credits", lambda self, *args, **kwargs: odd)
    result = person.run(*BUY, "--yes")
    assert f"But the portal settled {told}." in " ".join(result.stderr.split())
    assert f"Paid {told}." in result.stdout


def test_each_open_purchase_is_told_with_what_to_run_next(person, monkeypatch):
    outcomes = [
        purchase(status="settled"),
        purchase(status="failed", reason="card_declined"),
        uncertain(),
        uncertain(is_too_old=True),
        nb.BillingPurchaseStoreError("A file is broken.", outcome_unknown=True),
    ]
    monkeypatch.setattr(nb.BillingClient, "resume_purchases", lambda self, *args, **kwargs: outcomes)
    result = person.run("resume")
    assert result.exit_code == Ending.UNKNOWN
    flat = " ".join(result.stderr.split())
    assert "The purchase of $20.00 for Acme is paid." in flat
    assert "The payment of $20.00 for Acme failed: the card was declined." in flat
    assert result.stderr.count("nous-billing buy 50 --key key-1") == 1
    told = person.answer("resume", ending=Ending.UNKNOWN)
    assert [each["status"] for each in told["purchases"]] == ["settled", "failed", "unknown", "unknown", "unknown"]
    error = told["error"]
    assert (error["exit_code"], error["outcome_unknown"], error["message"]) == (6, True, "Not known.")
    assert error["run_next"] == "nous-billing buy 50 --key key-1"


def test_a_failed_purchase_alone_is_no_failure_of_resume(person, monkeypatch):
    monkeypatch.setattr(nb.BillingClient, "resume_purchases", lambda self, *args, **kwargs: [purchase(status="failed")])
    result = person.run("resume")
    assert (result.exit_code, "The payment of $20.00 for Acme failed." in result.stderr) == (0, True)


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (nb.BillingServerError("x"), "The portal did not answer as expected; trying again …"),
        (nb.BillingTimeout("x"), "The portal does not answer; trying again …"),
        (nb.BillingRateLimited("x"), "The portal is busy; trying again …"),
        (purchase(status="sending"), "Sending the charge …"),
        (purchase(status="not_made"), ""),
        (purchase(status="pending"), "Waiting for the payment of $20.00 for Acme …"),
    ],
)
def test_progress_is_told_in_a_sentence(event, sentence):
    assert buying.progress(event) == sentence


@pytest.mark.parametrize(
    ("made", "ending"),
    [
        (KeyboardInterrupt(), Ending.UNKNOWN),
        (nb.BillingAccessDenied("No."), Ending.REFUSED),
        (nb.SubscriptionUpgrade(status="refunding", recovery_url="https://x.example/"), Ending.UNKNOWN),
    ],
)
def test_how_an_upgrade_was_cut_short_is_said(person, monkeypatch, made, ending):
    def upgrade(self, *args, **kwargs):
        if isinstance(made, BaseException):
            raise made
        return made

    monkeypatch.setattr(nb.BillingClient, "upgrade_subscription", upgrade)
    result = person.run("subscription", "upgrade", "super", "--yes", "--key", "key-1")
    again = "nous-billing subscription upgrade tier_super --key key-1 --organisation org_1 --yes"
    # Once before it is sent, and once more where only the same key finds out.
    assert (result.exit_code, result.stderr.count(again)) == (ending, 2 if ending is Ending.UNKNOWN else 1)


def test_an_upgrade_that_does_not_show_yet_is_done_all_the_same(person, monkeypatch):
    def wait(self, *args, **kwargs):
        raise nb.BillingScopeRequired("No.")

    monkeypatch.setattr(nb.BillingClient, "wait_for_upgrade", wait)
    result = person.run("subscription", "upgrade", "super", "--yes")
    assert (result.exit_code, result.stdout) == (
        0,
        "The subscription was upgraded to Super. The portal will show it shortly.\n",
    )


def test_effects_that_lack_what_they_should_say_are_told_without_it():
    def effect(**fields):
        return plans.effect_of(nb.SubscriptionPreview(**fields))

    assert effect(effect="charge_now") == "An upgrade to this tier charges an amount that the portal does not say now."
    assert effect(effect="later", target_tier_id="t") == "A change to t is not possible."
    assert effect(effect="scheduled", target_tier_name="B").endswith("at the end of the period.")


def test_interrupts_end_any_command(person, monkeypatch):
    def state(self, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(nb.BillingClient, "get_billing_state", state)
    assert person.run("balance").exit_code == Ending.STOPPED
    interrupted = nb.BillingPurchaseInterrupted(uncertain())
    monkeypatch.setattr(nb.BillingClient, "get_billing_state", lambda self: (_ for _ in ()).throw(interrupted))
    assert person.run("balance").exit_code == Ending.UNKNOWN


def test_what_was_charged_twice_is_not_to_be_bought_again(person, monkeypatch):
    def buy_credits(self, *args, **kwargs):
        raise nb.BillingDuplicateCharge("Twice.", key="key-1", amount_usd=Decimal(50))

    monkeypatch.setattr(nb.BillingClient, "buy_credits", buy_credits)
    assert person.answer(*BUY, "--yes", ending=Ending.UNKNOWN)["error"]["run_next"] is None


def test_a_browser_is_opened_only_where_it_is_wanted(monkeypatch, capsys):
    monkeypatch.setattr(session.webbrowser, "open", lambda link: pytest.fail("it was opened"))
    code = nb.DeviceCode("ABCD", "https://x.example/device", None, 600)
    session.show_code(Screen(as_json=False), opens_browser=False)(code)
    assert "https://x.example/device" in capsys.readouterr().err


def test_importing_the_module_of_the_command_runs_nothing():
    assert runpy.run_module("nous_billing.__main__")["main"] is cli.main


def test_a_token_of_the_environment_is_named_at_login(stranger, portal, monkeypatch):
    stranger.env["NOUS_TOKEN"] = portal.issue_token()
    log_in(stranger, portal, monkeypatch)
    assert "NOUS_TOKEN is set" in stranger.told[-1]


def test_a_link_wallet_and_a_hidden_card_are_named(person, portal):
    portal.organisation.card = Card("Link", "")
    assert "Link" in person.run("balance").stdout
    portal.owner.role = "MEMBER"
    assert "only admins see it" in person.run("balance").stdout


@pytest.mark.parametrize("library", ["click", "rich"])
def test_a_missing_library_is_one_sentence(monkeypatch, capsys, library):
    for name in [*sys.modules]:
        if name.startswith("nous_billing.cli."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, f"{library}" if library == "click" else "rich.console", None)
    with pytest.raises(SystemExit, match=r"^1$"):
        cli.main()
    assert capsys.readouterr().err.startswith(f"The command nous-billing needs {library}: install nous-billing[cli] ")


def test_a_module_of_our_own_that_is_missing_is_a_bug(monkeypatch):
    monkeypatch.setitem(sys.modules, "nous_billing.cli.commands", None)
    with pytest.raises(ModuleNotFoundError):
        cli.main()


@pytest.mark.parametrize(("argument", "ending"), [("--version", 0), ("nonsense", 2)])
def test_python_m_is_the_same_command(monkeypatch, argument, ending):
    monkeypatch.setattr(sys, "argv", ["nous-billing", argument])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("nous_billing", run_name="__main__")
    assert ended.value.code == ending


def test_the_mock_is_the_command_of_the_mock(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["nous-billing", "mock", "--help"])
    monkeypatch.delitem(sys.modules, "nous_billing.mock.__main__", raising=False)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert (ended.value.code, "mock Nous Portal" in capsys.readouterr().out) == (0, True)


def test_rich_draws_for_a_terminal(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    screen = Screen(as_json=False)
    screen.answer({}, [("balance", "$1.00"), ("card", "")], "Acme")
    assert "balance  $1.00" in capsys.readouterr().out.replace("\x1b[2m", "").replace("\x1b[0m", "")


def test_a_blank_key_is_refused_and_never_replaced_by_a_new_one(person, portal):
    for typed in (("buy", "50", "--yes", "--key", ""), ("subscription", "upgrade", "super", "--yes", "--key", " ")):
        assert person.run(*typed).exit_code == 2
    assert (portal.organisation.charges, portal.organisation.plan.upgrades) == ([], [])


def left_open(person, portal):
    """Have a purchase whose charge was made, and which is not known here."""
    portal.inject(Fault.drop(acts=True), "post_charge", times=9)
    assert person.run(*BUY, "--yes").exit_code == Ending.UNKNOWN
    portal.faults.__init__()


def test_a_purchase_is_continued_without_a_question(person, portal):
    left_open(person, portal)
    result = person.run(*BUY)
    assert (result.exit_code, "Paid $50.00." in result.stdout, "[y/N]" in result.output) == (0, True, False)
    assert len(portal.organisation.charges) == 1


def test_what_may_have_been_charged_stays_unknown_where_the_portal_cannot_be_reached(person, portal):
    left_open(person, portal)
    portal.inject(Fault.drop(), times=99)
    assert person.answer(*BUY, "--yes", ending=Ending.UNKNOWN)["error"]["outcome_unknown"] is True


def test_a_broken_store_is_told_by_the_purchase_itself(person, portal, monkeypatch):
    def load(self, key=None):
        raise nb.BillingPurchaseStoreError("Broken.", outcome_unknown=True)

    monkeypatch.setattr(nb.PurchaseDirectory, "load", load)
    assert person.run(*BUY, "--yes").exit_code == Ending.UNKNOWN


def test_an_upgrade_is_continued_though_the_subscription_cannot_be_read(person, portal):
    portal.inject(Fault.html(502), "get_subscription", times=2)
    result = person.run("subscription", "upgrade", "tier_super", "--key", "key-1", "--yes")
    assert (result.exit_code, len(portal.organisation.plan.upgrades)) == (0, 1)
    assert "The subscription was upgraded to tier_super." in result.stderr


@pytest.mark.parametrize(
    ("as_json", "answer", "told"),
    [
        (False, ({}, [("balance", "$1.00")], "Paid $50.00."), "Paid $50.00."),
        (True, ({"status": "settled"}, []), '"settled"'),
        (False, ({}, [("a", "b")]), "Standard output cannot be written (No space left on device)."),
    ],
)
def test_a_full_disk_does_not_hide_that_it_is_paid(monkeypatch, capsys, as_json, answer, told):
    class Full:
        encoding = "utf-8"

        def write(self, text):
            raise OSError(28, "No space left on device")

        def flush(self):
            pass

        def isatty(self):
            return False

    monkeypatch.setattr(sys, "stdout", Full())
    Screen(as_json=as_json).answer(*answer)
    sys.stdout.close()
    assert told in capsys.readouterr().err


def test_json_goes_to_stdout_while_a_spinner_is_on_the_terminal(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    screen = Screen(as_json=True)
    with screen.working("Working …") as working:
        working.update("Still …")
        working.stop()
        working.start()
        screen.answer({"status": "settled"}, [])
    assert capsys.readouterr().out == '{\n  "status": "settled"\n}\n'
