"""The errors for a purchase whose outcome is unknown, or could not be saved."""

from __future__ import annotations

from copy import copy
from datetime import UTC, datetime
from typing import TypeVar

from ..errors import (
    BillingChargeTimeout,
    BillingDuplicateCharge,
    BillingError,
    BillingIdempotencyConflict,
    BillingPurchaseNotFound,
    BillingPurchaseStoreError,
    BillingPurchaseUncertain,
)
from ..protocol.replies import without_outcome
from . import sentences
from .purchase import Purchase

_TO_SEE_THE_END = (
    "To see it, continue this purchase with the same amount and the same key: that charges nothing. A new key could "
    "charge twice."
)


def uncertain(purchase: Purchase, last_error: BillingError | None, *, is_too_old: bool) -> BillingPurchaseUncertain:
    """Return the error for a purchase that may have been made.

    Args:
        last_error: The last error of the purchase, or None.
        is_too_old: Whether the portal may have forgotten the key.
    """
    if purchase.other_charge_ids:
        return duplicate_charge(purchase, last_error)
    what = _what(purchase)
    if purchase.charge_id is None:
        known = f"It is not known whether {what} was charged."
    else:
        known = f"{what} was accepted as charge {purchase.charge_id}; how that ended is not known yet."
    if not is_too_old:
        advice = (
            "To find out, continue this purchase with the same amount and the same key: that charges at most once. A "
            "new key could charge twice."
        )
    elif purchase.charge_id is None:
        advice = "Look at the billing page before you buy anything again: the portal may no longer know the key."
    else:
        known = (
            f"{what} was accepted as charge {purchase.charge_id}, and it can no longer be found out here how that "
            "ended."
        )
        advice = (
            "Look at the billing page before you buy anything again, and remove this purchase from the store once you "
            "have seen there how it ended."
        )
    return _uncertain(BillingPurchaseUncertain, purchase, last_error, known, advice, is_too_old=is_too_old)


def duplicate_charge(purchase: Purchase, last_error: BillingError | None = None) -> BillingDuplicateCharge:
    """Return the error for a key for which the portal made more than one charge."""
    charge_ids = (str(purchase.charge_id), *purchase.other_charge_ids)
    error = _uncertain(
        BillingDuplicateCharge,
        purchase,
        last_error,
        sentences.duplicated(_what(purchase), charge_ids, purchase.status if purchase.has_ended else None),
        "Look at the billing page, and ask the portal's support for a refund if you paid twice. Do not buy again.",
        error="duplicate_charge",
    )
    error.charge_ids = charge_ids
    return error


def ended(purchase: Purchase) -> BillingPurchaseUncertain:
    """Return the error for a charge that has ended, if the call was interrupted before it could say how."""
    if purchase.other_charge_ids:
        return duplicate_charge(purchase)
    return _uncertain(
        BillingPurchaseUncertain, purchase, None, f"The purchase of {_what(purchase)} has ended.", _TO_SEE_THE_END
    )


def not_shown(purchase: Purchase, last_error: BillingError) -> BillingPurchaseUncertain:
    """Return the error for a charge that has ended, if it is unknown whether this login may see it."""
    return _uncertain(
        BillingPurchaseUncertain,
        purchase,
        last_error,
        f"The purchase of {_what(purchase)} has ended. Only a login of its organisation may see the result, and the "
        "organisation of this login could not be read.",
        _TO_SEE_THE_END,
    )


def _what(purchase: Purchase) -> str:
    return sentences.subject(purchase.amount_usd, purchase.organisation_name)


def _reason(last_error: BillingError | None, is_too_old: bool) -> str:
    if isinstance(last_error, BillingIdempotencyConflict) and last_error.status is not None:
        # Its own message claims that the key belongs to another purchase, which is not known here.
        return "The portal then refused the key (HTTP 409)."
    if last_error is None:
        return ""
    if is_too_old and isinstance(last_error, BillingChargeTimeout):
        # That error says that it may still settle, which is no longer likely.
        if last_error.last_error is None:
            return "The portal reports it as pending, as it does for a charge that it does not know."
        last_error = last_error.last_error
    return without_outcome(last_error.message)


UncertainT = TypeVar("UncertainT", bound=BillingPurchaseUncertain)


def _uncertain(
    kind: type[UncertainT],
    purchase: Purchase,
    last_error: BillingError | None,
    known: str,
    advice: str,
    *,
    is_too_old: bool = False,
    error: str = "purchase_uncertain",
) -> UncertainT:
    # Without a revision only an earlier call can have charged, and its record, with the date, was not read.
    started = f", started {_in_utc(purchase.started_at)}" if purchase.revision else ""
    return kind(
        " ".join(filter(None, (known, _reason(last_error, is_too_old), advice, f"(Key {purchase.key}{started}.)"))),
        key=purchase.key,
        amount_usd=purchase.amount_usd,
        charge_id=purchase.charge_id,
        last_error=last_error,
        portal_url=purchase.portal_url,
        is_too_old=is_too_old,
        error=error,
    )


def _in_utc(moment: datetime) -> str:
    # A store may return a moment in any time zone.
    try:
        return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except OverflowError:
        return moment.isoformat(" ", "minutes")


def not_saved(reason: str) -> BillingPurchaseStoreError:
    """Return the error for a store that could not save."""
    return BillingPurchaseStoreError(
        f"The purchase could not be saved: {reason}. Nothing was sent.", error="purchase_store_failed"
    )


def not_read(reason: str) -> BillingPurchaseStoreError:
    """Return the error for a store that could not be read: the purchase in it may have been made."""
    return BillingPurchaseStoreError(
        f"The purchase could not be read: {reason}. Nothing was sent.",
        error="purchase_store_failed",
        outcome_unknown=True,
    )


def not_found(key: str) -> BillingPurchaseNotFound:
    """Return the error for a key that a store does not have. Another store may: that says nothing of a charge."""
    return BillingPurchaseNotFound(
        f"The store has no purchase with the key {key}, so it is not known here whether one was made. This call sent "
        "nothing.",
        error="purchase_not_found",
        outcome_unknown=True,
    )


def not_kept(error: BillingError) -> BillingPurchaseStoreError:
    """Return the error for progress that the store could not save."""
    return BillingPurchaseStoreError(
        f"The purchase goes on, but the store does not have its progress. {without_outcome(error.message)}",
        error="purchase_store_failed",
        outcome_unknown=True,
    )


def of_one_request(error: BillingError) -> BillingError:
    """Return an error of one request without its claim that nothing was charged: another request may have charged."""
    message = error.message if error.outcome_unknown else without_outcome(error.message)
    if message == error.message:
        return error
    told = copy(error)
    told.message, told.args = message, (message, *error.args[1:])
    return told
