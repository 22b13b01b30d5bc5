"""The error codes and statuses of the contract, and the class and message of each."""

from __future__ import annotations

from .. import errors
from ..errors import BillingError

# By code: its status (or a tuple of several), its class, and the message for a reply that has none.
REFUSALS: dict[str, tuple[int | tuple[int, ...], type[BillingError], str]] = {
    "invalid_token": (401, errors.BillingAuthError, "The portal does not accept this login. Log in again."),
    "session_revoked": (401, errors.BillingSessionRevoked, "The portal has ended this login. Log in again."),
    "insufficient_scope": (
        403,
        errors.BillingScopeRequired,
        "This login may not manage billing. Log in again and allow remote spending.",
    ),
    "remote_spending_revoked": (
        403,
        errors.BillingRemoteSpendingRevoked,
        "Remote spending was revoked for this terminal. Connect it again on the portal.",
    ),
    "role_required": (403, errors.BillingRoleRequired, "Only an admin of the organisation can do this. Ask an admin."),
    "org_access_denied": (
        403,
        errors.BillingAccessDenied,
        "This login has no organisation that it may manage. Log in again and choose one.",
    ),
    "cli_billing_disabled": (
        403,
        errors.BillingDisabled,
        "Billing from a terminal is switched off here. An admin can switch it on at the portal.",
    ),
    "no_payment_method": (
        403,
        errors.BillingNoPaymentMethod,
        "No saved card can be charged. Set up a saved card on the portal.",
    ),
    "monthly_cap_exceeded": (
        403,
        errors.BillingMonthlyCapExceeded,
        "This would exceed the organisation's monthly cap. An admin can raise the cap on the portal.",
    ),
    "consent_required": (403, errors.BillingConsentRequired, "The card must be confirmed once on the portal."),
    "card_paused": (403, errors.BillingNoPaymentMethod, "The saved card is paused. Choose a card on the portal."),
    "card_expired": (403, errors.BillingNoPaymentMethod, "The saved card has expired. Save another one on the portal."),
    "card_mismatch": (
        403,
        errors.BillingNoPaymentMethod,
        "The saved card is not the one that was confirmed. Confirm the card on the portal.",
    ),
    "auto_top_up_disabled_failures": (
        403,
        errors.BillingAccessDenied,
        "Auto-reload was switched off after failed payments. Check the card on the portal.",
    ),
    "subscription_mutation_rejected": (
        (403, 409),
        errors.BillingAccessDenied,
        "This change of the subscription is not possible. See the subscription on the portal.",
    ),
    "preview_rejected": (
        (403, 409),
        errors.BillingAccessDenied,
        "There is no preview of this change. See the subscription on the portal.",
    ),
    "validation_failed": (
        400,
        errors.BillingInvalidRequest,
        "The portal refused the request as invalid. Check its arguments.",
    ),
    "amount_out_of_bounds": (
        400,
        errors.BillingInvalidRequest,
        "The amount is below the minimum or above the maximum of one charge. The billing state has both.",
    ),
    "idempotency_key_required": (400, errors.BillingInvalidRequest, "This request needs an idempotency key."),
    "idempotency_conflict": (
        409,
        errors.BillingIdempotencyConflict,
        "This idempotency key was already used for something else. Each purchase needs its own key.",
    ),
    "rate_limited": (
        429,
        errors.BillingRateLimited,
        "Too many requests. Try again later. No payment failed.",
    ),
    "upgrade_cap_exceeded": (
        429,
        errors.BillingUpgradeCapExceeded,
        "The organisation has had its upgrades of the day. Try again tomorrow. Nothing was charged.",
    ),
    "temporarily_unavailable": (
        503,
        errors.BillingRateLimited,
        "The portal cannot check the request right now. Try again shortly. Nothing was charged.",
    ),
    "stripe_unavailable": (
        503,
        errors.BillingStripeUnavailable,
        "The payment processor is down. Try again shortly. Nothing was charged.",
    ),
}
# For a code that is unknown, or that comes with another status.
CLASSES: dict[int, type[BillingError]] = {
    400: errors.BillingInvalidRequest,
    401: errors.BillingAuthError,
    403: errors.BillingAccessDenied,
    409: errors.BillingIdempotencyConflict,
    429: errors.BillingRateLimited,
    503: errors.BillingRateLimited,
}


def statuses(code: str) -> tuple[int, ...]:
    """Return the statuses that a code of the table comes with."""
    known = REFUSALS[code][0]
    return known if isinstance(known, tuple) else (known,)


def is_documented(status: int | None, code: str | None) -> bool:
    """Whether the contract has this code with this status: only then is it surely the portal's own answer."""
    return code in REFUSALS and status in statuses(code)
