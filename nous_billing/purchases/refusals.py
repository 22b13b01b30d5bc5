"""What a person is told where a purchase is refused: a definite word, and nothing was charged for it."""

from __future__ import annotations

from ..errors import BillingError, BillingIdempotencyConflict, BillingInvalidRequest, BillingScopeRequired
from ..models import Bounds, Organisation
from ..money import format_usd
from .purchase import Purchase


def conflict(purchase: Purchase, error: BillingError | None = None) -> BillingIdempotencyConflict:
    """Return the error for a key that is used for two amounts, as the portal said it or as the store shows it."""
    return BillingIdempotencyConflict(
        f"The key {purchase.key} was already used for another amount. Each purchase that a person confirms needs a key "
        "of its own: this is a fault of the program. Nothing more was charged.",
        status=error.status if error else None,
        error="idempotency_conflict",
        payload=error.payload if error else None,
    )


def wrong_organisation(begun: Purchase, now: Purchase) -> BillingInvalidRequest:
    """Return the error for a login that is for another organisation or portal than the purchase."""
    places = [
        f"{purchase.organisation_name} ({purchase.organisation_id}) at {purchase.portal_base_url}"
        for purchase in (begun, now)
    ]
    return BillingInvalidRequest(
        f"This purchase was begun for {places[0]}, and the login is now for {places[1]}. Log in there to go on with "
        "it.",
        error="wrong_organisation",
    )


def other_than_confirmed(confirmed_id: str, now: Purchase) -> BillingInvalidRequest:
    """Return the error for a login that is for another organisation than the caller named."""
    return BillingInvalidRequest(
        f"This purchase was confirmed for the organisation {confirmed_id}, and the login is now for "
        f"{now.organisation_name} ({now.organisation_id}). Log in for the one that was confirmed. Nothing was sent.",
        error="wrong_organisation",
    )


def other_than_shown(shown: Organisation, now: Purchase) -> BillingInvalidRequest:
    """Return the error for a login that is for another organisation than that of the state last shown."""
    return BillingInvalidRequest(
        f"The billing state that this client read last is that of {shown.name} ({shown.id}), and the login is now for "
        f"{now.organisation_name} ({now.organisation_id}). Read the state again and let the person confirm, or say "
        "with organisation_id which organisation was confirmed. Nothing was sent.",
        error="wrong_organisation",
    )


def out_of_bounds(purchase: Purchase, bounds: Bounds) -> BillingInvalidRequest:
    """Return the error for an amount that the portal would refuse."""
    return BillingInvalidRequest(
        f"amount_usd must be between {format_usd(bounds.min_usd)} and {format_usd(bounds.max_usd)} here, not "
        f"{format_usd(purchase.amount_usd)}. Nothing was sent.",
        error="amount_out_of_bounds",
    )


def scope_missing(purchase: Purchase, refusal: BillingScopeRequired, *, may_manage: bool, asked: bool) -> BillingError:
    """Return the error for a login that may not buy; what the portal says of a scope is not for a person.

    Args:
        may_manage: Whether the person's role or capability lets them buy.
        asked: Whether the person was asked to allow it.
    """
    if not may_manage:
        message = f"Only an admin of {purchase.organisation_name} can buy credits. Ask one."
    elif asked:
        message = "Remote spending was not allowed for this login. Try again, and allow it on the portal."
    else:
        message = "This login may not buy credits. Log in again and allow remote spending."
    return BillingScopeRequired(
        message,
        status=refusal.status,
        error=refusal.error,
        portal_url=refusal.portal_url,
        payload=refusal.payload,
    )
