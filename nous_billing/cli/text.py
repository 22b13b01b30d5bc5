"""How things are written for a person."""

from __future__ import annotations

import shlex
from datetime import datetime
from decimal import Decimal

from nous_billing import Card, Purchase, format_usd


def dollars(amount: Decimal | None) -> str:
    """Write dollars; nothing where there is no amount."""
    return "" if amount is None else format_usd(amount)


def moment(when: datetime | None) -> str:
    """Write a moment in the person's own time zone; nothing where there is none."""
    return "" if when is None else f"{when.astimezone():%Y-%m-%d %H:%M %Z}"


def card_name(card: Card | None) -> str:
    """Write which card is charged, as far as the portal shows it to this person."""
    if card is None:
        return "the organisation's saved card (the portal shows none to you)"
    return f"{card.brand} ending in {card.last4}" if card.last4 else card.brand


def same_again(*arguments: str) -> str:
    """Write the command that goes on with a purchase."""
    return shlex.join(["nous-billing", *arguments])


def purchase_members(purchase: Purchase) -> dict[str, object]:
    """Return what programs are told of a purchase."""
    return {
        "key": purchase.key,
        "status": purchase.status,
        "amount_usd": purchase.amount_usd,
        "added_usd": purchase.added_usd,
        "charge_id": purchase.charge_id,
        "reason": purchase.reason,
        "organisation": {"id": purchase.organisation_id, "name": purchase.organisation_name},
        "started_at": purchase.started_at,
        "settled_at": purchase.settled_at,
        "discrepancies": purchase.discrepancies,
    }
