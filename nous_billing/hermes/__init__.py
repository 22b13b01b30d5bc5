"""A drop-in replacement for Hermes's billing module: the same names, arguments and results, on this SDK.

Hermes only has to replace its module by ``from nous_billing.hermes import *``. Results are plain dicts as the portal
sent them, which any JSON encoder takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from ..clock import DEFAULT_TIMEOUT
from ..credentials import BILLING_MANAGE_SCOPE
from ..errors import (
    BillingAuthError,
    BillingError,
    BillingRateLimited,
    BillingRemoteSpendingRevoked,
    BillingScopeRequired,
    BillingSessionRevoked,
    BillingStripeUnavailable,
    BillingUpgradeCapExceeded,
)
from ..errors import BillingRateLimited as BillingTransient
from ..portal import DEFAULT_PORTAL_BASE_URL, portal_link
from .links import link_base_url

if TYPE_CHECKING:
    from ..money import Amount
    from .calls import HermesClient as _HermesClient

__all__ = [
    "BILLING_MANAGE_SCOPE",
    "DEFAULT_PORTAL_BASE_URL",
    "DEFAULT_TIMEOUT",
    "BillingAuthError",
    "BillingError",
    "BillingRateLimited",
    "BillingRemoteSpendingRevoked",
    "BillingScopeRequired",
    "BillingSessionRevoked",
    "BillingStripeUnavailable",
    "BillingTransient",
    "BillingUpgradeCapExceeded",
    "_absolutize_portal_url",
    "delete_subscription_pending_change",
    "get_billing_state",
    "get_charge_status",
    "get_subscription_state",
    "invalidate_cached_token",
    "patch_auto_top_up",
    "post_charge",
    "post_subscription_preview",
    "post_subscription_upgrade",
    "put_subscription_pending_change",
    "resolve_portal_base_url",
]


def get_billing_state(*, timeout: float = DEFAULT_TIMEOUT) -> dict[str, Any]:
    """Read the billing state. Needs no scope.

    Args:
        timeout: Seconds for the whole call.

    Raises:
        BillingError: See ``nous_billing.errors``.
    """
    return _client().call(timeout, "get_billing_state")


def patch_auto_top_up(
    *, enabled: bool, threshold: float | str, top_up_amount: float | str, timeout: float = DEFAULT_TIMEOUT
) -> dict[str, Any]:
    """Configure auto-reload. Needs ``billing:manage``.

    Args:
        enabled: Whether to reload at all; anything else is taken for its truth.
        threshold: Dollars below which the balance is reloaded; may be 0 to switch it off.
        top_up_amount: Dollars that it is reloaded to; may be 0 to switch it off.
        timeout: Seconds for the whole call.

    Raises:
        BillingError: See ``nous_billing.errors``.
    """
    return _client().call(timeout, "patch_auto_top_up", bool(enabled), threshold, top_up_amount)


def post_charge(*, amount_usd: Amount, idempotency_key: str, timeout: float = DEFAULT_TIMEOUT) -> dict[str, Any]:
    """Buy credits. Needs ``billing:manage``. Returns ``{"chargeId": …}``: accepted, not paid.

    Sent again with the same key while the outcome is unknown and time is left. If that does not help, the next charge
    of the same amount for the same organisation within ten minutes goes out with this key first, whatever its own key
    is, and returns this charge. The log (``nous_billing``) says so. All processes of a profile of Hermes know of it.

    Args:
        amount_usd: Dollars, in whole cents.
        idempotency_key: One for each purchase that a person confirmed.
        timeout: Seconds for the whole call.

    Raises:
        BillingError: See ``nous_billing.errors``. If ``outcome_unknown`` is True, the charge may have been made.
    """
    return _client().charge(amount_usd, idempotency_key, timeout)


def get_charge_status(charge_id: str, *, timeout: float = DEFAULT_TIMEOUT) -> dict[str, Any]:
    """Poll a charge. Needs ``billing:manage``. Returns ``{"status": …}``; an unknown id is pending for ever.

    Args:
        charge_id: The ``chargeId`` of an accepted charge.
        timeout: Seconds for the whole call.

    Raises:
        BillingError: See ``nous_billing.errors``.
    """
    return _client().call(timeout, "get_charge_status", charge_id)


def get_subscription_state(*, timeout: float = DEFAULT_TIMEOUT) -> dict[str, Any]:
    """Read the subscription and the tiers. Needs no scope.

    Args:
        timeout: Seconds for the whole call.

    Raises:
        BillingError: See ``nous_billing.errors``.
    """
    return _client().call(timeout, "get_subscription")


def post_subscription_preview(*, subscription_type_id: str, timeout: float = DEFAULT_TIMEOUT) -> dict[str, Any]:
    """Ask what a change to a tier would do. Needs ``billing:manage``. Changes nothing.

    Args:
        subscription_type_id: The id of a tier.
        timeout: Seconds for the whole call.

    Raises:
        BillingError: See ``nous_billing.errors``.
    """
    return _client().call(timeout, "preview_subscription_change", subscription_type_id)


def put_subscription_pending_change(
    *, subscription_type_id: str | None = None, cancel: bool = False, timeout: float = DEFAULT_TIMEOUT
) -> dict[str, Any]:
    """Schedule a lower tier, or the end of the subscription, for the end of the period. Needs ``billing:manage``.

    Args:
        subscription_type_id: The id of a tier, unless ``cancel``.
        cancel: Whether to end the subscription.
        timeout: Seconds for the whole call.

    Raises:
        BillingError: See ``nous_billing.errors``.
    """
    tier = None if cancel else subscription_type_id or ""
    return _client().call(timeout, "set_pending_subscription_change", tier)


def delete_subscription_pending_change(*, timeout: float = DEFAULT_TIMEOUT) -> dict[str, Any]:
    """Keep the subscription as it is: nothing is scheduled any more. Needs ``billing:manage``.

    Args:
        timeout: Seconds for the whole call.

    Raises:
        BillingError: See ``nous_billing.errors``.
    """
    return _client().call(timeout, "delete_pending_subscription_change")


def post_subscription_upgrade(
    *, subscription_type_id: str, idempotency_key: str, timeout: float = DEFAULT_TIMEOUT
) -> dict[str, Any]:
    """Upgrade now and charge the card. Needs ``billing:manage``. Repeated, and remembered, as by ``post_charge``.

    Args:
        subscription_type_id: The id of a tier.
        idempotency_key: One for each upgrade that a person confirmed.
        timeout: Seconds for the whole call.

    Raises:
        BillingError: See ``nous_billing.errors``. If ``outcome_unknown`` is True, the upgrade may have been made.
    """
    return _client().upgrade(subscription_type_id, idempotency_key, timeout)


def invalidate_cached_token() -> None:
    """Forget the token that is kept between polls. Call it after a logout, a new login or a step-up."""
    _client().forget_token()


def resolve_portal_base_url(state: Mapping[str, Any] | None = None) -> str:
    """Return the portal's base URL for links, without a trailing slash. Never raises.

    The first of: ``HERMES_PORTAL_BASE_URL``, ``NOUS_PORTAL_BASE_URL``, the portal of the stored login, the production
    portal. A stored portal that may not be given a token is ignored.

    Args:
        state: A stored login. None: the login of the active profile.
    """
    return link_base_url(_client().stored_login() if state is None else state)


def _absolutize_portal_url(portal_url: str | None) -> str | None:
    """Return a link of a reply as an absolute URL at the portal of the login; None if it is not safe to open."""
    return portal_link(resolve_portal_base_url(), portal_url)


@cache
def _client() -> _HermesClient:
    # The modules of a client are loaded with the first call: Hermes also imports this one to catch its errors.
    from .calls import HermesClient

    return HermesClient()


def __getattr__(name: str) -> Any:
    if name != "_HermesClient":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .calls import HermesClient

    return HermesClient
