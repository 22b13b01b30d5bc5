"""What a person is told of a purchase that did not end."""

from __future__ import annotations

from ..errors import (
    BillingError,
    BillingIdempotencyConflict,
    BillingInvalidRequest,
    BillingPurchaseStoreError,
    BillingPurchaseUncertain,
    BillingScopeRequired,
)
from ..models import Bounds
from ..money import format_usd
from ..portal import BILLING_PATH, portal_link
from ..protocol.replies import UNKNOWN_OUTCOME
from .purchase import Purchase


def uncertain(purchase: Purchase, last_error: BillingError | None, *, is_too_old: bool) -> BillingPurchaseUncertain:
    """Return the error for a purchase that may have been made.

    Args:
        last_error: What it ran into, or None.
        is_too_old: Whether the portal may have forgotten its key.
    """
    what = format_usd(purchase.amount_usd)
    if purchase.organisation_name:
        what += f" for {purchase.organisation_name}"
    open_question = (
        f"It is not known whether {what} was charged."
        if purchase.charge_id is None
        else f"{what} was accepted as charge {purchase.charge_id}; how that ended is not known yet."
    )
    reason = "" if last_error is None else f" {_without_outcome(last_error.message)}"
    advice = (
        "Look at the billing page before you buy anything again: the portal may no longer know the key."
        if is_too_old
        else "To find out, buy again with the same amount and the same key: that charges at most once. A new key could "
        "charge twice."
    )
    return BillingPurchaseUncertain(
        f"{open_question}{reason} {advice} (Key {purchase.key}, begun {purchase.started_at:%Y-%m-%d %H:%M} UTC.)",
        key=purchase.key,
        amount_usd=purchase.amount_usd,
        charge_id=purchase.charge_id,
        last_error=last_error,
        # A store may say anything of its portal.
        portal_url=portal_link(purchase.portal_base_url, BILLING_PATH),
    )


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


def not_saved(reason: str) -> BillingPurchaseStoreError:
    """Return the error for a store that could not save."""
    return BillingPurchaseStoreError(
        f"The purchase could not be saved: {reason}. Nothing was sent.", error="purchase_store_failed"
    )


def not_read(reason: str) -> BillingPurchaseStoreError:
    """Return the error for a store that could not be read: what it has may have been made."""
    return BillingPurchaseStoreError(
        f"The purchase could not be read: {reason}. Nothing was sent.",
        error="purchase_store_failed",
        outcome_unknown=True,
    )


def not_kept(error: BillingError) -> BillingPurchaseStoreError:
    """Return the error for a store that could not save what has happened already."""
    return BillingPurchaseStoreError(
        f"The purchase goes on, but how far it has come is not kept. {_without_outcome(error.message)}",
        error="purchase_store_failed",
        outcome_unknown=True,
    )


def _without_outcome(message: str) -> str:
    """Return what went wrong with the last request, without what it says of the money: an earlier one is open."""
    for outcome in (UNKNOWN_OUTCOME, " Nothing was charged.", " Nothing was sent.", " Nothing failed."):
        message = message.removesuffix(outcome)
    return message
