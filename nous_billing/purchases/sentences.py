"""What to tell a person about a purchase in each of its states."""

from __future__ import annotations

from decimal import Decimal

from ..money import format_usd

_FAILED = {
    "authentication_required": "the bank asks for a confirmation (3-D Secure). Confirm the card on the billing page, "
    "then buy again.",
    "payment_method_expired": "the card has expired. Save another one on the billing page, then buy again.",
    "card_declined": "the card was declined. Use another one on the billing page, then buy again.",
    "processing_error": "the payment processor reported an error. Buy again later.",
}


def subject(amount_usd: Decimal, organisation_name: str) -> str:
    """Return what is bought, and for whom."""
    return f"{format_usd(amount_usd)}{f' for {organisation_name}' if organisation_name else ''}"


def failed(what: str, reason: str | None) -> str:
    """Return the sentence for a charge that failed. A reason never heard of is quoted."""
    if reason is None or not reason.strip():
        return f"The payment of {what} failed. Look at the billing page before you buy again."
    known = _FAILED.get(reason)
    return f"The payment of {what} failed: " + (
        known or f"the portal says {reason!r}. Look at the billing page before you buy again."
    )


def settled(what: str, amount_usd: Decimal, added_usd: Decimal | None, *, also_failed: bool) -> str:
    """Return the sentence for a charge that was paid, with what does not fit."""
    sentence = f"The purchase of {what} is paid."
    if added_usd is not None and added_usd != amount_usd:
        sentence += (
            f" But the portal settled {format_usd(added_usd)}. Look at the billing page, and ask the portal's support."
        )
    if also_failed:
        sentence += " But the portal has also reported it as failed. Look at the billing page before you buy again."
    return sentence


def duplicated(what: str, charge_ids: tuple[str, ...], first_ended: str | None) -> str:
    """Return the sentence for a key for which the portal made more than one charge."""
    ended = f"The first has {first_ended}" if first_ended else "How they ended is not known"
    return (
        f"The portal made more than one charge of {what} for one purchase: {', '.join(charge_ids)}. {ended}; it may "
        "have been paid more than once."
    )
