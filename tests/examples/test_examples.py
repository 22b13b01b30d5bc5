"""The examples are run as a person runs them: as processes, with what the mock prints in the environment."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from nous_billing.mock import Card, Fault, MockPortal, Person
from tests.child import Child

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The examples keep their purchases there."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))


@pytest.fixture
def portal() -> Iterator[MockPortal]:
    portal = MockPortal(settle_after=0)
    with portal.serve():
        yield portal
    assert portal.violations == []


def environment(portal: MockPortal, token: str | None = None, person: Person | None = None) -> dict[str, str]:
    """What the mock prints, and nothing else that the machine has."""
    variables = {
        **os.environ,
        "NOUS_PORTAL_BASE_URL": portal.url,
        "NOUS_TOKEN": token or portal.issue_token(person),
        "PYTHONWARNINGS": "error",
    }
    variables.pop("HERMES_PORTAL_BASE_URL", None)
    return variables


def run(
    portal: MockPortal, script: str, *arguments: str, token: str | None = None, person: Person | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, EXAMPLES / script, *arguments],
        env=environment(portal, token, person),
        capture_output=True,
        text=True,
        timeout=60,
    )


def output(portal: MockPortal, script: str, *arguments: str, **options: str | Person) -> str:
    done = run(portal, script, *arguments, **options)  # type: ignore[arg-type]
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_read_state_shows_what_may_be_bought(portal: MockPortal) -> None:
    assert output(portal, "read_state.py").splitlines() == [
        "Acme: $100.00",
        "One charge: $10.00 to $10,000.00",
        "Offered: $100.00, $250.00, $500.00",
        "Card: visa 4242",
        "Left this month: $1,000.00",
    ]


def test_read_state_tells_a_member_where_to_go(portal: MockPortal) -> None:
    member = portal.add_person("Bob", portal.organisation, "MEMBER")
    shown = output(portal, "read_state.py", person=member)
    assert f"You cannot buy here. See {portal.url}/billing?topup=open" in shown
    assert "Card" not in shown


def test_buy_pays_once(portal: MockPortal) -> None:
    assert output(portal, "buy.py", "50").endswith("Paid $50.00.\nThe balance is $150.00.\n")
    assert [charge.amount for charge in portal.organisation.charges] == [Decimal(50)]


def test_buy_outlives_a_lost_reply(portal: MockPortal) -> None:
    portal.organisation.card = Card("visa", "0500")
    assert "Paid $50.00.\n" in output(portal, "buy.py", "50")
    assert len(portal.organisation.charges) == 1


def test_buy_goes_on_with_the_key_of_a_run_that_does_not_know(portal: MockPortal) -> None:
    lost_and_limited(portal)
    lost = run(portal, "buy.py", "50")
    assert lost.returncode == 1
    assert lost.stderr.startswith("It is not known whether $50.00 for Acme was charged.")
    assert lost.stderr.endswith(f"{portal.url}/billing?topup=open\n")
    arguments = lost.stdout.splitlines()[0].partition("buy.py ")[2].split()
    assert arguments[1] in lost.stderr
    assert "Paid $50.00.\nThe balance is $150.00.\n" in output(portal, "buy.py", *arguments)
    assert len(portal.organisation.charges) == 1


def test_buy_says_why_it_was_not_paid(portal: MockPortal) -> None:
    portal.organisation.card = Card("visa", "9995")
    done = run(portal, "buy.py", "50")
    assert done.returncode == 1
    assert done.stderr == "Not paid: card_declined. Nothing was charged.\n"


def test_buy_says_what_a_person_can_do_about_a_refusal(portal: MockPortal) -> None:
    portal.organisation.card = None
    done = run(portal, "buy.py", "50")
    assert done.returncode == 1
    assert done.stderr == f"No reusable card is saved. Save one on the portal. {portal.url}/billing?topup=open\n"


def test_buy_async_buys_side_by_side(portal: MockPortal) -> None:
    shown = output(portal, "buy_async.py", "20", "30.5")
    assert sorted(shown.splitlines()) == ["20: settled", "30.5: settled", "The balance is $150.50."]
    assert sorted(charge.amount for charge in portal.organisation.charges) == [Decimal(20), Decimal("30.5")]


def test_buy_async_says_of_each_purchase_how_it_ended(portal: MockPortal) -> None:
    portal.organisation.monthly_cap = Decimal(25)
    shown = output(portal, "buy_async.py", "20", "30.5")
    assert "20: settled" in shown
    assert "30.5: The charge would exceed the monthly cap; " in shown


@contextmanager
def killed(portal: MockPortal, operation: str, *arguments: str) -> Iterator[None]:
    """Run `buy.py`, and kill it as soon as the portal has been asked for this."""
    process = subprocess.Popen(
        [sys.executable, EXAMPLES / "buy.py", *arguments], env=environment(portal), stdout=subprocess.DEVNULL
    )
    try:
        end = time.monotonic() + 60
        while not any(request.operation == operation for request in list(portal.requests)):
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.005)
    finally:
        process.kill()
        process.wait(60)
    yield


def test_a_buy_that_was_killed_as_it_sent_the_charge_goes_on_when_a_person_says_so(portal: MockPortal) -> None:
    portal.inject(Fault.stall(acts=True), "post_charge")
    with killed(portal, "post_charge", "50"):
        left = output(portal, "resume.py").splitlines()
    assert left[0].startswith("It is not known whether $50.00 for Acme was charged.")
    assert left[1] == f"  Look: {portal.url}/billing?topup=open"
    posts = [request for request in portal.requests if request.operation == "post_charge"]
    assert left[2] == f"  Continue: buy.py 50 {posts[0].headers['idempotency-key']}"
    assert (len(left), len(posts)) == (3, 1)
    arguments = left[2].partition("buy.py ")[2].split()
    assert "Paid $50.00.\nThe balance is $150.00.\n" in output(portal, "buy.py", *arguments)
    assert output(portal, "resume.py") == "Nothing was left open.\n"
    assert [charge.status for charge in portal.organisation.charges] == ["settled"]


def test_a_buy_that_was_killed_as_it_waited_is_found_paid(portal: MockPortal) -> None:
    portal.settle_after = 1000
    with killed(portal, "get_charge_status", "50", "my-key"):
        portal.clock.advance(1000)
        found = output(portal, "resume.py")
    assert found.startswith("$50.00 of 20")
    assert found.endswith(" UTC: paid.\n")
    # The same command again shows the same purchase, and asks nobody for it.
    assert "Paid $50.00.\n" in output(portal, "buy.py", "50", "my-key")
    assert [request.operation for request in portal.requests].count("post_charge") == 1
    assert [charge.status for charge in portal.organisation.charges] == ["settled"]


def test_resume_says_of_a_declined_charge_that_nothing_was_charged(portal: MockPortal) -> None:
    portal.organisation.card = Card("visa", "9995")
    portal.settle_after = 1000
    with killed(portal, "get_charge_status", "50"):
        portal.clock.advance(1000)
        assert output(portal, "resume.py").endswith(" UTC: not charged (card_declined).\n")


def test_auto_reload_is_switched_on_and_off(portal: MockPortal) -> None:
    assert output(portal, "auto_reload.py", "20", "100") == "Auto-reload is on: below $20.00, to $100.00.\n"
    assert output(portal, "auto_reload.py", "off") == "Auto-reload is off: below $20.00, to $100.00.\n"


def confirmed(portal: MockPortal) -> list[str]:
    """The arguments of the command that `upgrade.py` prints."""
    shown = output(portal, "upgrade.py", "tier_super").splitlines()
    assert shown[0] == "Super costs $20.00 now."
    return shown[1].partition("upgrade.py ")[2].split()


def test_upgrade_shows_the_tiers_and_upgrades_once(portal: MockPortal) -> None:
    assert output(portal, "upgrade.py").splitlines() == [
        "tier_basic: Basic, $10.00 a month",
        "tier_plus: Plus, $20.00 a month (current)",
        "tier_super: Super, $40.00 a month",
    ]
    arguments = confirmed(portal)
    for _ in range(2):
        assert output(portal, "upgrade.py", *arguments) == "The plan is Super.\n"
    (upgrade,) = portal.organisation.plan.upgrades
    assert upgrade.key == arguments[1]


def test_upgrade_outlives_a_lost_reply_with_the_same_command(portal: MockPortal) -> None:
    portal.organisation.card = Card("visa", "0500")
    arguments = confirmed(portal)
    lost = run(portal, "upgrade.py", *arguments)
    assert (lost.returncode, "try again with the same idempotency key" in lost.stderr) == (1, True)
    assert output(portal, "upgrade.py", *arguments) == "The plan is Super.\n"
    assert len(portal.organisation.plan.upgrades) == 1


def test_upgrade_waits_for_a_person_who_confirms_the_payment(portal: MockPortal) -> None:
    portal.organisation.card = Card("visa", "3155")
    command = [sys.executable, str(EXAMPLES / "upgrade.py"), "tier_super", "my-key"]
    with Child(command, env=environment(portal), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"Confirm the payment: {portal.url}/billing?topup=open\n"
        portal.finish_upgrade()
        assert process.communicate(timeout=60)[0] == "The plan is Super.\n"
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tier_basic"], "This is no upgrade."),
        (["tier_legacy"], "This tier can no longer be chosen."),
        (["tier_super", "my-key"], "Not paid: card_declined. Nothing was charged. {url}/billing?topup=open"),
        (["tier_basic", "my-key"], "This is no upgrade. A lower tier is scheduled for the end of the period."),
    ],
)
def test_upgrade_says_why_there_is_none(portal: MockPortal, arguments: list[str], said: str) -> None:
    portal.organisation.card = Card("visa", "9995")
    done = run(portal, "upgrade.py", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(said.format(url=portal.url))
    assert portal.organisation.plan.upgrades == []


def expired(portal: MockPortal) -> str:
    token = portal.issue_token()
    portal.expire(token)
    return token


def stopped(portal: MockPortal) -> str:
    token = portal.issue_token()
    portal.stop_spending(token)
    return token


def lost_and_limited(portal: MockPortal) -> str:
    portal.inject(Fault.html(503, acts=True), operation="post_charge")
    portal.inject(Fault.reply(429, body={"error": "rate_limited"}), operation="post_charge")
    return portal.issue_token()


def limited(portal: MockPortal) -> str:
    portal.inject(Fault.reply(429, body={"error": "rate_limited"}, headers={"Retry-After": "90"}))
    return portal.issue_token()


def lost_while_waiting(portal: MockPortal) -> str:
    portal.inject(Fault.reply(403, body={"error": "role_required"}), operation="get_charge_status")
    return portal.issue_token()


# The others are told in the tests of what the portal's people try by hand, which use the same function.
@pytest.mark.parametrize(
    ("situation", "amount", "sentence"),
    [
        (MockPortal.issue_token, "50", "Paid $50.00."),
        (expired, "50", "Nothing was charged. The token has expired. Log in again."),
        (stopped, "50", "Nothing was charged. Spending was stopped"),
        (lost_and_limited, "50", "It is not known whether $50.00 for Acme was charged."),
        (
            limited,
            "50",
            "Nothing was charged. Too many requests. Try again later. Wait 90",
        ),
        (lost_while_waiting, "50", "$50.00 for Acme was accepted as charge ch_"),
        (MockPortal.issue_token, "0.001", "Nothing was charged. amount_usd must be a whole number of cents"),
    ],
)
def test_handle_errors_has_a_sentence_for(
    portal: MockPortal, situation: Callable[[MockPortal], str], amount: str, sentence: str
) -> None:
    assert output(portal, "handle_errors.py", amount, "my-key", token=situation(portal)).startswith(sentence)


def test_handle_errors_names_a_key_that_was_used_for_another_amount(portal: MockPortal) -> None:
    output(portal, "handle_errors.py", "50", "my-key")
    assert "this is a bug in the calling program" in output(portal, "handle_errors.py", "60", "my-key")
    assert len(portal.organisation.charges) == 1


def test_the_demo_proves_one_charge_of_50() -> None:
    done = subprocess.run([sys.executable, EXAMPLES / "demo.py"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[-2:] == [
        "  charges: 1 ($50.00 settled)",
        "  balance: $100.00 -> $150.00 (up by $50.00)",
    ]
    for shown in (
        "refused the token (401)",
        "The reply was lost, but ch_",
        "the same charge. Accepted is not paid:",
        "card_declined",
        "role_required",
        "cli_billing_disabled",
        "Wait 60 min.",
    ):
        assert shown in done.stdout
