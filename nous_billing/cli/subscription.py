"""`subscription`: show the plan, ask what a change would do, change it, cancel it, keep it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import click

from nous_billing import BillingError, PendingChange

from . import plans
from .endings import Ending
from .options import json_option, refuse_json_here, with_screen
from .screen import Screen
from .session import Session, session, with_permission
from .text import dollars, same_again
from .upgrading import upgrade

_TIER = click.argument("tier", metavar="TIER")


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def subscription(context: click.Context, as_json: bool) -> None:
    """Show or change the subscription. TIER is the name or the id of a tier."""
    if context.invoked_subcommand is None:
        context.invoke(_show, as_json=as_json)
    else:
        refuse_json_here(context, None, as_json)


@click.command()
@with_screen
def _show(screen: Screen) -> None:
    with session() as current:
        with screen.working("Reading the subscription …"):
            found = current.client.get_subscription()
        plans.answer(screen, found)


@subscription.command(short_help="Show what a change would do.")
@_TIER
@with_screen
def preview(screen: Screen, tier: str) -> None:
    """Show what a change to TIER would do, and what it would charge. Changes nothing."""
    with session() as current:
        sentence = "Asking what the change would do …"
        _, _, quote = with_permission(screen, current, sentence, lambda: plans.quote_change(current, tier))
    screen.answer(
        {
            "effect": quote.effect,
            "is_blocked": quote.is_blocked,
            "reason": quote.reason,
            "target": {"id": quote.target_tier_id, "name": quote.target_tier_name},
            "amount_due_now_cents": quote.amount_due_now_cents,
            "monthly_credits_delta": quote.monthly_credits_delta,
            "effective_at": quote.effective_at,
        },
        [("credits a month", _signed(quote.monthly_credits_delta))],
        plans.effect_of(quote),
    )


@subscription.command(short_help="Change to a lower tier.")
@_TIER
@with_screen
def change(screen: Screen, tier: str) -> None:
    """Change to TIER, a lower one, at the end of the period. Charges nothing."""
    with session() as current:
        with screen.working("Reading the subscription …"):
            chosen = plans.find_tier(current.client.get_subscription(), tier)
        schedule = current.client.set_pending_subscription_change
        changed = _save(screen, current, "change", lambda: schedule(subscription_type_id=chosen.tier_id), tier)
    _answer_change(screen, changed, f"The subscription changes to {chosen.name} at the end of the period.")


@subscription.command(short_help="End the subscription.")
@with_screen
def cancel(screen: Screen) -> None:
    """End the subscription at the end of the period. Charges nothing; 'keep' undoes it."""
    with session() as current:
        schedule = current.client.set_pending_subscription_change
        changed = _save(screen, current, "cancel", lambda: schedule(subscription_type_id=None))
    _answer_change(screen, changed, "The subscription ends at the end of the period.")


@subscription.command(short_help="Undo a pending change.")
@with_screen
def keep(screen: Screen) -> None:
    """Keep the subscription as it is: undo a change or a cancellation that is pending."""
    with session() as current:
        changed = _save(screen, current, "keep", current.client.delete_pending_subscription_change)
    _answer_change(screen, changed, "The subscription goes on as it is.")


subscription.add_command(upgrade)


def _save(
    screen: Screen, current: Session, name: str, save: Callable[[], PendingChange], *arguments: str
) -> PendingChange:
    again = same_again("subscription", name, *arguments)
    try:
        return with_permission(screen, current, "Saving the change …", save)
    except BillingError as error:
        screen.fail(error, again=again if error.outcome_unknown else None)
    except KeyboardInterrupt:
        screen.end(Ending.UNKNOWN, "Stopped. It is not known whether the change was saved.", again=again)


def _signed(amount: Decimal | None) -> str:
    return "" if amount is None else f"{'+' if amount > 0 else ''}{dollars(amount)}"


def _answer_change(screen: Screen, changed: PendingChange, sentence: str) -> None:
    screen.answer(
        {
            "rail": changed.rail,
            "change_type": changed.change_type,
            "target_tier_name": changed.target_tier_name,
            "cancel_at_period_end": changed.cancel_at_period_end,
            "message": changed.message,
        },
        [],
        changed.message or sentence,
    )
