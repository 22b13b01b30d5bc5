"""`buy`."""

from __future__ import annotations

from decimal import Decimal

import click

from nous_billing import (
    BillingError,
    BillingNetworkError,
    BillingPurchaseInterrupted,
    BillingPurchaseUncertain,
    BillingRateLimited,
    BillingState,
    Purchase,
    check_amount,
    new_idempotency_key,
)

from . import purchases
from .endings import Ending
from .explaining import CHARGED_NOTHING_NOW, NOTHING_CHARGED
from .options import CommandOfAmounts, check_key, with_screen
from .screen import Screen
from .session import Session, purchases_path, session, step_up
from .text import card_name, dollars


@click.command(cls=CommandOfAmounts, short_help="Buy credits.")
@click.argument("amount")
@click.option("--key", callback=check_key, help="The key of a purchase to continue. It is charged once for its key.")
@click.option("--yes", "-y", is_flag=True, help="Buy without being asked.")
@with_screen
def buy(screen: Screen, amount: str, key: str | None, yes: bool) -> None:
    """Buy AMOUNT dollars of credits, such as 50 or 12.50, with the organisation's saved card.

    Whatever happens, the same key charges at most once: the command shows it before it sends anything.
    """
    amount = amount.strip().removeprefix("$")
    amount_usd = check_amount(amount)
    begun = _find(key)
    # A key may have been used elsewhere, and no refusal says what it has charged.
    claim = NOTHING_CHARGED if key is None else CHARGED_NOTHING_NOW
    if begun is None or begun.status == "not_made":
        begun = None
        screen.check_can_ask(yes=yes)
    elif begun.amount_usd != amount_usd:
        _end_other_amount(screen, begun, amount_usd)
    with session() as current:
        # Whoever continues a purchase has confirmed it. What stops a new one says nothing about what it has charged.
        organisation_id = begun.organisation_id or None if begun else _agree(screen, current, amount_usd, claim, yes)
        key = key or new_idempotency_key()
        screen.tell(_continuing(begun) if begun else "If this is interrupted, continue with:")
        if not begun or not begun.has_ended:
            screen.tell_line(purchases.continue_line(amount, key))
        try:
            purchase = _buy(screen, current, amount, key, organisation_id, claim)
            purchases.end(screen, purchase, balance_usd=_new_balance(screen, current, purchase))
        except (KeyboardInterrupt, click.Abort):
            purchases.end_stopped(screen, key, claim)


def _find(key: str | None) -> Purchase | None:
    try:
        return None if key is None else purchases.load(key)
    except (BillingError, OSError):
        # buy_credits says what is wrong with it, before anything is sent.
        return None


def _end_other_amount(screen: Screen, begun: Purchase, amount_usd: Decimal) -> None:
    screen.end(
        Ending.INPUT,
        f"This key is that of a purchase of {dollars(begun.amount_usd)}, not of {dollars(amount_usd)}. Nothing was "
        "sent. To go on with it:",
        again=purchases.continue_line(format(begun.amount_usd, "f"), begun.key),
    )


def _continuing(begun: Purchase) -> str:
    if begun.has_ended:
        return "This purchase has ended already, and is not charged again."
    name = f" for {begun.organisation_name}" if begun.organisation_name else ""
    return f"Continuing the purchase of {dollars(begun.amount_usd)}{name}; it is charged at most once:"


def _agree(screen: Screen, current: Session, amount_usd: Decimal, claim: str, yes: bool) -> str:
    """Ask for a new purchase, and return the organisation that it is for."""
    try:
        with screen.working("Reading the billing state …"):
            state = current.client.get_billing_state()
    except BillingError as error:
        screen.fail(error, claim=claim)
    bounds = state.bounds
    if not bounds.allow(amount_usd):
        screen.end(
            Ending.INPUT,
            f"You can buy {dollars(bounds.min_usd)} to {dollars(bounds.max_usd)} at a time. Nothing was sent.",
        )
    if not state.cli_billing_enabled:
        screen.end(
            Ending.REFUSED,
            f"{state.org.name} has switched buying from a terminal off. {claim}",
            portal_url=state.portal_url,
        )
    screen.tell(_offer(state, amount_usd))
    screen.confirm(f"Charge {dollars(amount_usd)} now?", yes=yes)
    return state.org.id


def _offer(state: BillingState, amount_usd: Decimal) -> str:
    return (
        f"{dollars(amount_usd)} for {state.org.name}. Card: {card_name(state)}. Balance: {dollars(state.balance_usd)}."
    )


def _buy(screen: Screen, current: Session, amount: str, key: str, organisation_id: str | None, claim: str) -> Purchase:
    try:
        with screen.working("Sending the charge …") as working:
            return current.client.buy_credits(
                amount,
                idempotency_key=key,
                organisation_id=organisation_id,
                store=purchases_path(),
                step_up=step_up(screen, current, working.stop, working.start),
                on_progress=lambda event: working.update(progress(event)),
            )
    except BillingPurchaseInterrupted as interrupted:
        purchases.end_uncertain(screen, interrupted.uncertain)
    except BillingPurchaseUncertain as uncertain:
        purchases.end_uncertain(screen, uncertain)
    except BillingError as error:
        screen.fail(error, claim=claim)


def progress(event: Purchase | BillingError) -> str:
    """Return what is waited for after an event of a purchase; nothing after the last one."""
    if isinstance(event, BillingRateLimited):
        return "The portal is busy; trying again …"
    if isinstance(event, BillingNetworkError):
        return "The portal does not answer; trying again …"
    if isinstance(event, BillingError):
        return "The portal did not answer as expected; trying again …"
    name = f" for {event.organisation_name}" if event.organisation_name else ""
    waiting = {
        "sending": "Sending the charge …",
        "pending": f"Waiting for the payment of {dollars(event.amount_usd)}{name} …",
    }
    return waiting.get(event.status, "")


def _new_balance(screen: Screen, current: Session, purchase: Purchase) -> Decimal | None:
    if purchase.status != "settled":
        return None
    try:
        with screen.working("Paid. Reading the new balance …"):
            return current.client.get_billing_state().balance_usd
    except (BillingError, KeyboardInterrupt):
        # It is paid, whatever comes after it.
        screen.tell("The new balance could not be read.")
        return None
