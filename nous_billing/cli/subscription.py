"""`subscription`: show the plan, ask what a change would do, change it, cancel it, upgrade it."""

from __future__ import annotations

from decimal import Decimal
from typing import NoReturn

import click

from nous_billing import (
    BillingError,
    BillingInvalidRequest,
    PendingChange,
    Subscription,
    SubscriptionPreview,
    SubscriptionTier,
    new_idempotency_key,
)

from .endings import Ending
from .options import check_key, with_screen
from .screen import Screen
from .session import Session, session
from .text import dollars, moment, same_again

_TIER = click.argument("tier", metavar="TIER")


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object to stdout, for programs.")
@click.pass_context
def subscription(context: click.Context, as_json: bool) -> None:
    """Show the subscription, or change it. TIER is the name or the id of a tier."""
    if context.invoked_subcommand is None:
        context.invoke(_show, **({"as_json": True} if as_json else {"as_json": False}))


@click.command()
@with_screen
def _show(screen: Screen) -> None:
    with session() as current:
        _answer(screen, current.client.get_subscription())


@subscription.command()
@_TIER
@with_screen
def preview(screen: Screen, tier: str) -> None:
    """Show what a change to TIER would do, and what it would charge. Changes nothing."""
    with session() as current:
        _, quote = _quoted(current, tier)
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
        _effect(quote),
    )


@subscription.command()
@_TIER
@with_screen
def change(screen: Screen, tier: str) -> None:
    """Change to TIER, a lower one, at the end of the period. Charges nothing."""
    with session() as current:
        chosen = _find(current.client.get_subscription(), tier)
        changed = current.client.set_pending_subscription_change(subscription_type_id=chosen.tier_id)
    _answer_change(screen, changed, f"The subscription changes to {chosen.name} at the end of the period.")


@subscription.command()
@with_screen
def cancel(screen: Screen) -> None:
    """End the subscription at the end of the period. Charges nothing; 'keep' undoes it."""
    with session() as current:
        changed = current.client.set_pending_subscription_change(subscription_type_id=None)
    _answer_change(screen, changed, "The subscription ends at the end of the period.")


@subscription.command()
@with_screen
def keep(screen: Screen) -> None:
    """Keep the subscription as it is: undo a change or a cancellation that is pending."""
    with session() as current:
        changed = current.client.delete_pending_subscription_change()
    _answer_change(screen, changed, "The subscription goes on as it is.")


@subscription.command()
@_TIER
@click.option("--key", callback=check_key, help="The key of an upgrade to continue. It is charged once for its key.")
@click.option("--yes", "-y", is_flag=True, help="Upgrade without being asked.")
@with_screen
def upgrade(screen: Screen, tier: str, key: str | None, yes: bool) -> None:
    """Upgrade to TIER now, and charge the card for the rest of the period."""
    with session() as current:
        if key is None:
            chosen, quote = _quoted(current, tier)
            if quote.effect == "no_op":
                screen.answer({"status": "already_on_tier"}, [], f"The subscription is on {chosen.name} already.")
                return
            if quote.effect != "charge_now":
                screen.end(Ending.REFUSED, f"No upgrade: {_effect(quote)} Nothing was charged.")
            screen.tell(_effect(quote))
            screen.confirm(f"Upgrade to {chosen.name} now?", yes=yes)
            tier_id, name, key = chosen.tier_id, chosen.name, new_idempotency_key()
        else:
            # It was confirmed, and may have been made already: only the same key finds out.
            tier_id, name = _known(current, tier)
        again = same_again("subscription", "upgrade", tier_id, "--key", key)
        screen.tell("If this is interrupted, continue with:")
        screen.tell_line(again)
        _upgrade(screen, current, tier_id, name, key, again)


def _known(current: Session, tier: str) -> tuple[str, str]:
    try:
        chosen = _find(current.client.get_subscription(), tier)
    except BillingError:
        # It is the id of a tier, in the line that was printed for this.
        return tier, tier
    return chosen.tier_id, chosen.name


def _upgrade(screen: Screen, current: Session, tier_id: str, name: str, key: str, again: str) -> None:
    members = {"key": key}
    try:
        with screen.working("Upgrading …"):
            made = current.client.upgrade_subscription(tier_id, idempotency_key=key)
    except BillingError as error:
        screen.fail(error, members, again=again if error.outcome_unknown else None)
    except KeyboardInterrupt:
        _end_unknown(screen, members, again)
    if made.outcome_unknown:
        _end_unknown(screen, {**members, "status": made.status}, again)
    if not made.is_upgraded:
        sentence = f"Not upgraded, and nothing was charged yet ({made.reason or made.status}). Finish it on the portal."
        screen.end(Ending.CARD, sentence, portal_url=made.recovery_url, members={**members, "status": made.status})
    screen.tell(f"The subscription was upgraded to {name}.")
    try:
        with screen.working("Waiting for the portal to show it …"):
            shown = current.client.wait_for_upgrade(tier_id)
        _answer(screen, shown, {**members, "status": made.status})
    except (BillingError, KeyboardInterrupt):
        # It is upgraded, whatever comes after it.
        screen.answer({**members, "status": made.status}, [], f"Upgraded to {name}; it will show shortly.")


def _end_unknown(screen: Screen, members: dict[str, str], again: str) -> NoReturn:
    screen.end(Ending.UNKNOWN, "It is not known whether the upgrade was made.", members=members, again=again)


def _quoted(current: Session, tier: str) -> tuple[SubscriptionTier, SubscriptionPreview]:
    chosen = _find(current.client.get_subscription(), tier)
    return chosen, current.client.preview_subscription_change(chosen.tier_id)


def _find(subscription: Subscription, tier: str) -> SubscriptionTier:
    for each in subscription.tiers:
        if tier == each.tier_id or tier.casefold() == each.name.casefold():
            return each
    names = ", ".join(each.name for each in subscription.tiers) or "none"
    raise BillingInvalidRequest(f"There is no tier {tier}. There are: {names}.", error="invalid_subscription_type")


def _effect(quote: SubscriptionPreview) -> str:
    name = quote.target_tier_name or quote.target_tier_id or "this tier"
    if quote.is_blocked:
        return f"A change to {name} is not possible. {quote.reason or ''}".strip()
    if quote.effect == "no_op":
        return f"The subscription is on {name} already."
    if quote.effect == "scheduled":
        when = moment(quote.effective_at)
        return f"The subscription would change to {name} at the end of the period{f', on {when}' if when else ''}."
    cents = quote.amount_due_now_cents
    price = "an amount that the portal does not say" if cents is None else dollars(Decimal(cents) / 100)
    return f"An upgrade to {name} charges {price} now."


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


def _answer(screen: Screen, found: Subscription, more: dict[str, str] | None = None) -> None:
    current = found.current
    rows: list[tuple[str, str]] = []
    if current is not None:
        left = f"{dollars(current.credits_remaining)} of " if current.credits_remaining is not None else ""
        rows = [
            ("credits left", f"{left}{dollars(current.monthly_credits)}"),
            ("renews", "" if current.cancel_at_period_end else moment(current.cycle_ends_at)),
            ("ends", moment(current.cancellation_effective_at) if current.cancel_at_period_end else ""),
            ("changes to", _pending(current.pending_downgrade_tier_name, moment(current.pending_downgrade_at))),
        ]
    rows += [
        (f"{'* ' if tier.is_current else '  '}{tier.name}", f"{dollars(tier.dollars_per_month_display)} a month")
        for tier in found.tiers
    ]
    screen.answer(
        {
            **(more or {}),
            "organisation": {"id": found.org.id, "name": found.org.name},
            "current": current,
            "tiers": found.tiers,
            "portal_url": found.portal_url,
        },
        [*rows, ("portal", found.portal_url)],
        f"{found.org.name}: {current.tier_name if current else 'no subscription'}",
    )


def _pending(name: str | None, when: str) -> str:
    return "" if name is None else f"{name}{f', on {when}' if when else ''}"
