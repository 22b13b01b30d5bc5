"""The errors for a purchase that is definitely refused: nothing was charged."""

from __future__ import annotations

from typing import Protocol

from .._printable import printable_value, shortened
from ..errors import BillingError, BillingIdempotencyConflict, BillingInvalidRequest, BillingScopeRequired
from ..models import Bounds, SubscriptionOrganisation
from ..money import format_usd
from .purchase import Purchase


class NamedOrganisation(Protocol):
    """An organisation of any reply."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


def conflict(purchase: Purchase, error: BillingError | None = None) -> BillingIdempotencyConflict:
    """Return the error for a key that is used for two amounts, found by the portal or in the store."""
    return BillingIdempotencyConflict(
        f"The key {purchase.key} was already used for another amount. Each purchase that a person confirms needs its "
        "own key: this is a bug in the calling program. Nothing more was charged.",
        status=error.status if error else None,
        error="idempotency_conflict",
        payload=error.payload if error else None,
        headers=error.headers if error else None,
    )


def wrong_organisation(begun: Purchase, now: Purchase) -> BillingInvalidRequest:
    """Return the error for a login that is for another organisation or portal than the purchase."""
    places = [
        f"{_named(each.organisation_name, each.organisation_id)} at {each.portal_base_url}" for each in (begun, now)
    ]
    return BillingInvalidRequest(
        f"This purchase was started for {places[0]}, but the login is now for {places[1]}. To continue it, log in for "
        "the organisation and portal that it was started for.",
        error="wrong_organisation",
    )


def other_than_confirmed(what: str, confirmed_id: str, now: NamedOrganisation) -> BillingInvalidRequest:
    """Return the error for a login that is for another organisation than the caller named.

    Args:
        what: What was confirmed, such as ``"purchase"``.
    """
    return BillingInvalidRequest(
        f"This {what} was confirmed for the organisation {shortened(confirmed_id)}, but the login is now for "
        f"{_named(now.name, now.id)}. Log in for the confirmed organisation. Nothing was sent.",
        error="wrong_organisation",
    )


def other_than_shown(shown: NamedOrganisation, now: NamedOrganisation) -> BillingInvalidRequest:
    """Return the error for a login that is for another organisation than the one last shown."""
    read = "subscription" if isinstance(shown, SubscriptionOrganisation) else "billing state"
    return BillingInvalidRequest(
        f"This client last read the {read} of {_named(shown.name, shown.id)}, but the login is now for "
        f"{_named(now.name, now.id)}. Read the {read} again and let the person confirm, or pass the "
        "confirmed organisation as organisation_id. Nothing was sent.",
        error="wrong_organisation",
    )


def _named(name: str, id: str) -> str:
    return f"{printable_value(str(name or ''))} ({shortened(id)})"


def out_of_bounds(purchase: Purchase, bounds: Bounds) -> BillingInvalidRequest:
    """Return the error for an amount that the portal would refuse."""
    return BillingInvalidRequest(
        f"amount_usd must be between {format_usd(bounds.min_usd)} and {format_usd(bounds.max_usd)} here, not "
        f"{format_usd(purchase.amount_usd)}. Nothing was sent.",
        error="amount_out_of_bounds",
    )


def scope_missing(purchase: Purchase, refusal: BillingScopeRequired, *, may_manage: bool, asked: bool) -> BillingError:
    """Return the error for a login that may not buy. The portal's own message, about a scope, is not for a person.

    Args:
        may_manage: Whether the person's role or capability lets them buy.
        asked: Whether the person was asked to allow it.
    """
    if not may_manage:
        message = f"Only an admin of {purchase.organisation_name} can buy credits. Ask an admin."
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
        headers=refusal.headers,
    )
