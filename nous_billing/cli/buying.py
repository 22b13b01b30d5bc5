"""`buy`, `resume` and `charge`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NoReturn

import click

from nous_billing import (
    BillingDuplicateCharge,
    BillingError,
    BillingIdempotencyConflict,
    BillingPurchaseInterrupted,
    BillingPurchaseUncertain,
    BillingState,
    ChargeFailed,
    ChargeSettled,
    Purchase,
    PurchaseDirectory,
    new_idempotency_key,
    parse_usd,
)

from .endings import Ending, ending_of
from .options import check_key, with_screen
from .screen import Screen
from .session import Session, purchases_path, session, show_code
from .text import card_name, dollars, moment, purchase_members, same_again


@click.command()
@click.argument("amount")
@click.option("--key", callback=check_key, help="The key of a purchase to continue. It is charged once for its key.")
@click.option("--yes", "-y", is_flag=True, help="Buy without being asked.")
@with_screen
def buy(screen: Screen, amount: str, key: str | None, yes: bool) -> None:
    """Buy AMOUNT dollars of credits, such as 50 or 12.50, with the organisation's saved card.

    Whatever happens, the same key charges at most once: the command shows it before it sends anything.
    """
    with session() as current:
        begun = _find(key)
        # Whoever continues a purchase has confirmed it. What stops a new one says nothing about what it has charged.
        organisation_id = begun.organisation_id or None if begun else _agree(screen, current, amount, yes=yes)
        key = key or new_idempotency_key()
        screen.tell(f"Continuing: {begun.message}" if begun else "If this is interrupted, continue with:")
        screen.tell_line(same_again("buy", amount, "--key", key))
        purchase = _buy(screen, current, amount, key, organisation_id)
        if purchase.status == "failed":
            _end_failed(screen, purchase)
        _show_paid(screen, current, purchase)


def _find(key: str | None) -> Purchase | None:
    if key is None:
        return None
    try:
        return next(iter(PurchaseDirectory(purchases_path()).load(key.strip())), None)
    except (BillingError, OSError):
        # buy_credits says what is wrong with it, before anything is sent.
        return None


def _agree(screen: Screen, current: Session, amount: str, *, yes: bool) -> str:
    """Ask for a new purchase, and return the organisation that it is for."""
    with screen.working("Reading the billing state …"):
        state = current.client.get_billing_state()
    _check_bounds(screen, amount, state)
    _confirm(screen, amount, state, yes=yes)
    return state.org.id


def _check_bounds(screen: Screen, amount: str, state: BillingState) -> None:
    given = parse_usd(amount.strip().removeprefix("$"))
    if not state.bounds.min_usd <= given <= state.bounds.max_usd:
        screen.end(
            Ending.INPUT,
            f"You can buy {dollars(state.bounds.min_usd)} to {dollars(state.bounds.max_usd)} at a time. Nothing was "
            "sent.",
        )


def _confirm(screen: Screen, amount: str, state: BillingState, *, yes: bool) -> None:
    sum_ = dollars(parse_usd(amount.strip().removeprefix("$")))
    screen.tell(f"{sum_} for {state.org.name}, from {card_name(state.card)}. Balance: {dollars(state.balance_usd)}.")
    screen.confirm(f"Charge {sum_} now?", yes=yes)


def _buy(screen: Screen, current: Session, amount: str, key: str, organisation_id: str | None) -> Purchase:
    with screen.working("Sending the charge …") as working:

        def show(event: Purchase | BillingError) -> None:
            sentence = _progress(event)
            if sentence:
                working.update(sentence)

        try:
            return current.client.buy_credits(
                amount.strip().removeprefix("$"),
                idempotency_key=key,
                organisation_id=organisation_id,
                store=purchases_path(),
                step_up=_step_up(screen, current, working.stop, working.start),
                on_progress=show,
            )
        except BillingPurchaseInterrupted as interrupted:
            _end_uncertain(screen, interrupted.uncertain, amount)
        except BillingPurchaseUncertain as uncertain:
            _end_uncertain(screen, uncertain, amount)
        except BillingError as error:
            screen.fail(error, said=_nothing_charged(error))
        except KeyboardInterrupt:
            screen.end(Ending.STOPPED, "Stopped. Nothing was charged.")


def _nothing_charged(error: BillingError) -> str:
    """Return the error's sentence, and that nothing was charged where it is so and the sentence does not say it."""
    # The key of an earlier purchase may well have charged.
    is_said = error.outcome_unknown or isinstance(error, BillingIdempotencyConflict) or "othing " in error.message
    return error.message if is_said else f"{error.message} Nothing was charged."


def _progress(event: Purchase | BillingError) -> str:
    if isinstance(event, BillingError):
        return "The portal did not answer as expected; trying again …"
    return {"sending": "Sending the charge …", "pending": "Accepted; waiting for the payment …"}.get(event.status, "")


def _step_up(
    screen: Screen, current: Session, pause: Callable[[], None], go_on: Callable[[], None]
) -> Callable[[], bool]:
    """Return what asks for the permission to buy; it says no where nobody can be asked."""

    def ask() -> bool:
        login = current.login
        if login is None or not screen.can_ask:
            return False
        pause()
        try:
            if not screen.ask("This login may not buy yet. Ask for it now?", default=True):
                return False
            return login.step_up(show_code(screen, opens_browser=True))
        finally:
            go_on()

    return ask


def _end_uncertain(screen: Screen, uncertain: BillingPurchaseUncertain, amount: str) -> NoReturn:
    again = same_again("buy", amount, "--key", uncertain.key) if _can_go_on(uncertain) else None
    screen.fail(uncertain, {"key": uncertain.key, "charge_id": uncertain.charge_id}, again=again)


def _can_go_on(outcome: BillingError) -> bool:
    """Whether the same key finds out how a purchase ended: not after a day, and not where it was charged twice."""
    finds_out = isinstance(outcome, BillingPurchaseUncertain) and not outcome.is_too_old
    return finds_out and not isinstance(outcome, BillingDuplicateCharge)


def _end_failed(screen: Screen, purchase: Purchase) -> NoReturn:
    screen.end(
        Ending.CARD,
        purchase.message,
        portal_url=purchase.portal_url,
        members=purchase_members(purchase),
    )


def _show_paid(screen: Screen, current: Session, purchase: Purchase) -> None:
    balance = None
    try:
        balance = current.client.get_billing_state().balance_usd
    except (BillingError, KeyboardInterrupt):
        # It is paid, whatever comes after it.
        screen.tell("The new balance could not be read.")
    if purchase.discrepancies:
        screen.tell(purchase.message, style="red")
    screen.answer(
        {**purchase_members(purchase), "balance_usd": balance},
        [("balance", dollars(balance)), ("charge", purchase.charge_id or ""), ("paid", moment(purchase.settled_at))],
        f"Paid {dollars(purchase.added_usd or purchase.amount_usd)}.",
    )


def _unknown(outcome: BillingError) -> dict[str, object]:
    known: dict[str, object] = {"status": "unknown", "message": outcome.message}
    if isinstance(outcome, BillingPurchaseUncertain):
        again = same_again("buy", format(outcome.amount_usd, "f"), "--key", outcome.key)
        known |= {"key": outcome.key, "amount_usd": outcome.amount_usd, "charge_id": outcome.charge_id}
        known["run_next"] = again if _can_go_on(outcome) else None
    return known


@click.command()
@with_screen
def resume(screen: Screen) -> None:
    """Find out how purchases ended that were interrupted. Never charges anything."""
    with session() as current, screen.working("Looking for open purchases …"):
        outcomes = current.client.resume_purchases(purchases_path(), cap=60)
    members: list[dict[str, object]] = []
    ending = Ending.DONE
    for outcome in outcomes:
        if isinstance(outcome, Purchase):
            members.append(purchase_members(outcome))
            screen.tell(outcome.message)
            continue
        ending = ending_of(outcome)
        members.append(_unknown(outcome))
        screen.tell(outcome.message, style="red")
        if isinstance(outcome, BillingPurchaseUncertain) and _can_go_on(outcome):
            screen.tell_line(same_again("buy", format(outcome.amount_usd, "f"), "--key", outcome.key))
    screen.answer({"purchases": members}, [], "" if outcomes else "No purchase is open.")
    if ending is not Ending.DONE:
        raise SystemExit(ending)


@click.command()
@click.argument("charge_id", metavar="ID")
@click.option("--wait", is_flag=True, help="Wait until it is settled or failed.")
@with_screen
def charge(screen: Screen, charge_id: str, wait: bool) -> None:
    """Show how a charge stands."""
    with session() as current:
        ask = partial(current.client.wait_for_charge if wait else current.client.get_charge_status, charge_id)
        with screen.working("Asking the portal …"):
            found = ask()
    members: dict[str, object] = {"charge_id": charge_id, "status": found.status}
    if isinstance(found, ChargeFailed):
        screen.end(
            Ending.CARD,
            f"Not paid: {found.reason}. Nothing was charged.",
            members={**members, "reason": found.reason},
        )
    if not isinstance(found, ChargeSettled):
        screen.end(Ending.UNKNOWN, "Not settled yet, or the portal does not know it. Ask again later.", members=members)
    screen.answer(
        {**members, "amount_usd": found.amount_usd, "settled_at": found.settled_at},
        [("paid", moment(found.settled_at))],
        f"Paid {dollars(found.amount_usd)}.",
    )
