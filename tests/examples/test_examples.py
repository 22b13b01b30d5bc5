"""The examples are run as a person runs them: as processes, with what the mock prints in the environment."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from nous_billing.mock import Card, Fault, MockPortal, Person

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def portal() -> Iterator[MockPortal]:
    portal = MockPortal(settle_after=0)
    with portal.serve():
        yield portal
    assert portal.violations == []


def run(
    portal: MockPortal, script: str, *arguments: str, token: str | None = None, person: Person | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "NOUS_PORTAL_BASE_URL": portal.url,
        "NOUS_TOKEN": token or portal.issue_token(person),
        "PYTHONWARNINGS": "error",
    }
    environment.pop("HERMES_PORTAL_BASE_URL", None)
    return subprocess.run(
        [sys.executable, EXAMPLES / script, *arguments], env=environment, capture_output=True, text=True, timeout=60
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
    assert output(portal, "buy.py", "50").endswith("Paid $50.00. The balance is $150.00.\n")
    assert [charge.amount for charge in portal.organisation.charges] == [Decimal(50)]


def test_buy_goes_on_with_the_key_of_a_run_whose_reply_was_lost(portal: MockPortal) -> None:
    portal.organisation.card = Card("visa", "0500")
    lost = run(portal, "buy.py", "50")
    assert lost.returncode == 1
    arguments = lost.stdout.splitlines()[0].partition("buy.py ")[2].split()
    assert output(portal, "buy.py", *arguments).endswith("Paid $50.00. The balance is $150.00.\n")
    assert len(portal.organisation.charges) == 1


def test_buy_says_why_it_was_not_paid(portal: MockPortal) -> None:
    portal.organisation.card = Card("visa", "9995")
    done = run(portal, "buy.py", "50")
    assert done.returncode == 1
    assert done.stderr == "Not paid: card_declined. Nothing was charged.\n"


def test_buy_async_buys_side_by_side(portal: MockPortal) -> None:
    shown = output(portal, "buy_async.py", "20", "30.5")
    ends = [line for line in shown.splitlines() if "the key is" not in line]
    assert sorted(ends) == ["20: settled", "30.5: settled", "The balance is $150.50."]


def test_auto_reload_is_switched_on_and_off(portal: MockPortal) -> None:
    assert output(portal, "auto_reload.py", "20", "100") == "Auto-reload is on: below $20.00, to $100.00.\n"
    assert output(portal, "auto_reload.py", "off") == "Auto-reload is off: below $20.00, to $100.00.\n"


def expired(portal: MockPortal) -> str:
    token = portal.issue_token()
    portal.expire(token)
    return token


def stopped(portal: MockPortal) -> str:
    token = portal.issue_token()
    portal.stop_spending(token)
    return token


def without_card(portal: MockPortal) -> str:
    portal.organisation.card = None
    return portal.issue_token()


def capped(portal: MockPortal) -> str:
    portal.organisation.monthly_cap = Decimal("12.5")
    return portal.issue_token()


def authenticated(portal: MockPortal) -> str:
    portal.organisation.card = Card("visa", "3155")
    return portal.issue_token()


def ambiguous(portal: MockPortal) -> str:
    portal.organisation.card = Card("visa", "0500")
    return portal.issue_token()


def behind_a_failing_proxy(portal: MockPortal) -> str:
    portal.inject(Fault.html(503, acts=True), operation="post_charge")
    return portal.issue_token()


def limited(portal: MockPortal) -> str:
    portal.inject(Fault.reply(429, body={"error": "rate_limited"}, headers={"Retry-After": "90"}))
    return portal.issue_token()


def scopeless(portal: MockPortal) -> str:
    return portal.issue_token(scope="inference:invoke")


def lost_while_waiting(portal: MockPortal) -> str:
    portal.inject(Fault.reply(403, body={"error": "role_required"}), operation="get_charge_status")
    return portal.issue_token()


@pytest.mark.parametrize(
    ("situation", "amount", "sentence"),
    [
        (MockPortal.issue_token, "50", "Paid $50.00."),
        (expired, "50", "Log in again."),
        (scopeless, "50", "Log in again and allow remote spending."),
        (stopped, "50", "Spending was stopped"),
        (without_card, "50", "Set up a saved card: "),
        (capped, "50", "The monthly cap leaves $12.50."),
        (authenticated, "50", "Finish on the portal."),
        (ambiguous, "50", "Try again with the same key: my-key"),
        (behind_a_failing_proxy, "50", "Try again with the same key: my-key"),
        (limited, "50", "Wait 90 seconds."),
        (lost_while_waiting, "50", "was accepted; how it ends is not known yet."),
        (MockPortal.issue_token, "0.001", "Mind the input: amount_usd must be a whole number of cents"),
        (MockPortal.issue_token, "9", "Mind the input: "),
    ],
)
def test_handle_errors_has_a_sentence_for(
    portal: MockPortal, situation: Callable[[MockPortal], str], amount: str, sentence: str
) -> None:
    assert sentence in output(portal, "handle_errors.py", amount, "my-key", token=situation(portal))


def test_handle_errors_names_a_key_that_was_used_for_another_amount(portal: MockPortal) -> None:
    output(portal, "handle_errors.py", "50", "my-key")
    assert "one key for two purchases" in output(portal, "handle_errors.py", "60", "my-key")


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
        "card_declined",
        "role_required",
        "cli_billing_disabled",
        "try again in 60",
    ):
        assert shown in done.stdout
