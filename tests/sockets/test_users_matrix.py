"""What the portal's own people try by hand: what is charged, what the caller gets, and what a person is told.

Each case is a table of presses on "Pay", by somebody who has logged in with a device code.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import nous_billing as nb
from nous_billing import StoredLogin
from nous_billing.mock import Card, MockPortal
from tests.auth.support import FULL, PortalClock

LINK = "{url}/billing?topup=open"


def example(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[2] / "examples" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TOLD = example("handle_errors").told


@dataclass(frozen=True, kw_only=True)
class Press:
    """One press on "Pay", and what has to come of it.

    `outcome` is the end of the purchase or the error's class, `error` what `str()` of the error says, `told` what the
    example prints. `{url}` is the portal's address.
    """

    outcome: str | type[nb.BillingError]
    told: str
    error: str = ""
    amount: str = "50"
    key: str = "first"
    before: Callable[[MockPortal], Any] = lambda portal: None
    may_step_up: bool = False
    attributes: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Case:
    """A person with a role, who was granted `granted` when logging in, and what the ledger has at the end."""

    presses: list[Press]
    ledger: list[str]
    role: str = "OWNER"
    asks_for: str = FULL
    allows_spending: bool = True
    granted: str = FULL
    codes: int = 1


def with_card(last4):
    def change(portal):
        portal.organisation.card = None if last4 is None else Card("visa", last4)

    return change


def with_switch(on):
    def change(portal):
        portal.organisation.cli_billing_enabled = on

    return change


def with_cap(cap):
    def change(portal):
        portal.organisation.monthly_cap = Decimal(cap)

    return change


PAID = Press(outcome="settled", told="Paid $50.00.")
ONLY_AN_ADMIN = Press(
    outcome=nb.BillingScopeRequired,
    error="Only an admin of Acme can buy credits. Ask an admin.",
    told=f"Nothing was charged. Only an admin of Acme can buy credits. Ask an admin. {LINK}",
)

CASES = {
    "1 an admin enrols": Case(role="ADMIN", presses=[PAID], ledger=["50 settled"]),
    "1 a member enrols": Case(
        role="MEMBER",
        granted="inference:invoke",
        presses=[ONLY_AN_ADMIN, replace(ONLY_AN_ADMIN, may_step_up=True)],
        ledger=[],
        # The second is that of the step-up, which the portal narrows in silence once more.
        codes=2,
    ),
    "2 a good charge": Case(
        presses=[Press(outcome="settled", amount="50.25", told="Paid $50.25.")], ledger=["50.25 settled"]
    ),
    "3 authentication required": Case(
        presses=[
            Press(
                before=with_card("3155"),
                outcome="failed",
                told="Nothing was charged: the bank wants to hear from you. Confirm the card on the portal. "
                "To try again is a new purchase. {url}/billing",
                attributes={"reason": "authentication_required"},
            )
        ],
        ledger=["50 failed"],
    ),
    "4 a decline": Case(
        presses=[
            Press(
                before=with_card("9995"),
                outcome="failed",
                told="Nothing was charged: the card was declined. To try again is a new purchase. {url}/billing",
                attributes={"reason": "card_declined"},
            ),
            Press(before=with_card("4242"), key="second", outcome="settled", told="Paid $50.00."),
        ],
        ledger=["50 failed", "50 settled"],
    ),
    "5 the kill-switch between two charges": Case(
        presses=[
            PAID,
            Press(
                before=with_switch(False),
                key="second",
                outcome=nb.BillingDisabled,
                error="Billing from a terminal is switched off for this organisation.",
                told=f"Nothing was charged. Billing from a terminal is switched off for this organisation. {LINK}",
            ),
            Press(before=with_switch(True), key="second", outcome="settled", told="Paid $50.00."),
        ],
        ledger=["50 settled", "50 settled"],
    ),
    "6 the monthly cap": Case(
        presses=[
            Press(before=with_cap("62.5"), outcome="settled", told="Paid $50.00."),
            Press(
                key="second",
                outcome=nb.BillingMonthlyCapExceeded,
                error="The charge would exceed the monthly cap; 12.5 dollars are left.",
                told=f"Nothing was charged. The monthly cap leaves $12.50. An admin can raise it: {LINK}",
                attributes={"remaining_usd": Decimal("12.5"), "is_default_ceiling": False},
            ),
            # What remains can be bought.
            Press(key="third", amount="12.5", outcome="settled", told="Paid $12.50."),
        ],
        ledger=["50 settled", "12.5 settled"],
    ),
    "7 no reusable card right after a purchase": Case(
        presses=[
            PAID,
            Press(
                before=with_card(None),
                key="second",
                outcome=nb.BillingNoPaymentMethod,
                error="No reusable card is saved. Save one on the portal.",
                told=f"Nothing was charged. No card is saved for further purchases. Save one: {LINK}",
            ),
            # The purchase before is as paid as it was.
            PAID,
        ],
        ledger=["50 settled"],
    ),
    "8 the same key twice, and with another amount": Case(
        presses=[
            PAID,
            PAID,
            # The same sum, written otherwise.
            Press(amount="50.00", outcome="settled", told="Paid $50.00."),
            Press(
                amount="60",
                outcome=nb.BillingIdempotencyConflict,
                error="The key first was already used for another amount. Each purchase that a person confirms needs "
                "its own key: this is a bug in the calling program. Nothing more was charged.",
                told="The key first was already used for another amount. Each purchase that a person confirms needs "
                "its own key: this is a bug in the calling program. Nothing more was charged.",
            ),
        ],
        ledger=["50 settled"],
    ),
    "9 a charge without the scope, then a step-up": Case(
        asks_for="inference:invoke",
        granted="inference:invoke",
        presses=[
            Press(
                outcome=nb.BillingScopeRequired,
                error="This login may not buy credits. Log in again and allow remote spending.",
                told="Nothing was charged. This login may not buy credits. Log in again and allow remote spending. "
                f"{LINK}",
            ),
            Press(may_step_up=True, outcome="settled", told="Paid $50.00."),
        ],
        ledger=["50 settled"],
        codes=2,
    ),
    "9 a step-up in which remote spending is left out": Case(
        allows_spending=False,
        granted="inference:invoke",
        presses=[
            Press(
                may_step_up=True,
                outcome=nb.BillingScopeRequired,
                error="Remote spending was not allowed for this login. Try again, and allow it on the portal.",
                told="Nothing was charged. Remote spending was not allowed for this login. Try again, and allow it on "
                f"the portal. {LINK}",
            ),
        ],
        ledger=[],
        codes=2,
    ),
}


def pressed(client, press, store, step_up):
    try:
        return client.buy_credits(
            press.amount, idempotency_key=press.key, store=store, step_up=step_up if press.may_step_up else None
        )
    except nb.BillingError as error:
        return error


@pytest.fixture
def login(mock_portal, tmp_path):
    login = StoredLogin(tmp_path / "login.json", portal_base_url=mock_portal.url, clock=PortalClock(mock_portal))
    yield login
    login.close()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_case_that_the_portals_people_try_by_hand(case, client_kind, mock_portal, login, tmp_path):
    portal = mock_portal
    person = portal.add_person("Bob", portal.organisation, case.role)
    codes = []

    def show(code):
        codes.append(code)
        portal.approve_device(code.user_code, person, allow_spending=case.allows_spending)

    enrol = login.alogin if client_kind.is_async else login.login
    assert client_kind.run(enrol(show, scope=case.asks_for)) == set(case.granted.split())

    client = client_kind.client(login, clock=client_kind.clock(portal.clock))
    for press in case.presses:
        press.before(portal)
        outcome = pressed(client, press, tmp_path / "purchases", client_kind.step_up(login, show))
        if isinstance(press.outcome, str):
            assert isinstance(outcome, nb.Purchase), outcome
            assert (outcome.status, outcome.key, outcome.amount_usd) == (
                press.outcome,
                press.key,
                Decimal(press.amount),
            )
        else:
            assert type(outcome) is press.outcome
            assert str(outcome) == press.error
            assert outcome.outcome_unknown is False
        for name, value in (press.attributes or {}).items():
            assert getattr(outcome, name) == value
        assert TOLD(outcome) == press.told.format(url=portal.url)

    assert [f"{charge.amount} {charge.status}" for charge in portal.organisation.charges] == case.ledger
    assert len(codes) == case.codes
    settled = sum(charge.amount for charge in portal.organisation.charges if charge.status == "settled")
    assert portal.organisation.balance == 100 + settled


def test_the_charge_after_a_step_up_has_the_same_key_and_the_same_bytes(client_kind, mock_portal, login, tmp_path):
    def show(code):
        mock_portal.approve_device(code.user_code)

    login.login(show, scope="inference:invoke")
    client = client_kind.client(login, clock=client_kind.clock(mock_portal.clock))
    step_up = client_kind.step_up(login, show)
    purchase = client.buy_credits("50.25", idempotency_key="first", store=tmp_path / "purchases", step_up=step_up)
    assert purchase.status == "settled"
    refused, accepted = [request for request in mock_portal.requests if request.operation == "post_charge"]
    assert (refused.status, accepted.status) == (403, 202)
    assert refused.headers["idempotency-key"] == accepted.headers["idempotency-key"] == "first"
    assert refused.body == accepted.body == b'{"amountUsd":50.25}'
    assert refused.headers["authorization"] != accepted.headers["authorization"]
