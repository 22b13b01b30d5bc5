"""Plans of a subscription: how they are found and told."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from nous_billing import BillingInvalidRequest, Subscription, SubscriptionPreview, SubscriptionTier

from .screen import Screen
from .session import Session
from .text import dollars, moment


def find_tier(subscription: Subscription, tier: str) -> SubscriptionTier:
    """Return the tier with a name or an id.

    Raises:
        BillingInvalidRequest: There is none.
    """
    for each in subscription.tiers:
        if tier == each.tier_id or tier.casefold() == each.name.casefold():
            return each
    names = ", ".join(each.name for each in subscription.tiers) or "none"
    raise BillingInvalidRequest(
        f"There is no tier {tier}. There are: {names[:1000]}.", error="invalid_subscription_type"
    )


def quote_change(current: Session, tier: str) -> tuple[Subscription, SubscriptionTier, SubscriptionPreview]:
    """Return the subscription, a tier, and what a change to it would do."""
    found = current.client.get_subscription()
    chosen = find_tier(found, tier)
    return found, chosen, current.client.preview_subscription_change(chosen.tier_id)


def effect_of(quote: SubscriptionPreview) -> str:
    """Write what a change would do, and what it would charge."""
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


def answer(screen: Screen, found: Subscription, more: Mapping[str, object] | None = None) -> None:
    """Answer with a subscription."""
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
