"""How things are written for a person."""

from __future__ import annotations

import shlex
from datetime import datetime
from decimal import Decimal
from math import ceil

from nous_billing import BillingState, format_usd


def dollars(amount: Decimal | None) -> str:
    """Write dollars; nothing where there is no amount."""
    return "" if amount is None else format_usd(amount)


def moment(when: datetime | None) -> str:
    """Write a moment in the person's own time zone; nothing where there is none."""
    if when is None:
        return ""
    try:
        return f"{when.astimezone():%Y-%m-%d %H:%M %Z}"
    except (OverflowError, OSError, ValueError):
        # A receipt of an earlier version may have the year 1 or 9999.
        return when.isoformat(" ", "minutes")


def duration(seconds: float) -> str:
    """Write how long something takes, rounded up."""
    if seconds <= 90:
        return f"{ceil(seconds)} seconds"
    minutes = ceil(seconds / 60)
    return f"{minutes} minutes" if minutes <= 90 else f"{ceil(minutes / 60)} hours"


def card_name(state: BillingState) -> str:
    """Write which card is charged, as far as the portal shows it to this person."""
    card, method = state.card, state.payment_method
    if card is not None:
        return f"{card.brand} ending in {card.last4}" if card.last4 else card.brand
    if method is not None:
        return method.kind
    return "none is saved that can be charged again" if state.is_admin else "only admins see it"


def same_again(*arguments: str) -> str:
    """Write the command that goes on with a purchase."""
    return shlex.join(["nous-billing", *arguments])
