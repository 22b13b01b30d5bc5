"""A drop-in replacement for Hermes's billing module: the same names, arguments and results, on this SDK.

Hermes only has to replace its module by ``from nous_billing.hermes import *``. Results are plain dicts as the portal
sent them, with fractions as ``Decimal``.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from ..client import BillingClient
from ..clock import DEFAULT_TIMEOUT
from ..credentials import BILLING_MANAGE_SCOPE
from ..errors import BillingAuthError, BillingError, BillingRateLimited, BillingScopeRequired
from ..portal import DEFAULT_PORTAL_BASE_URL, resolve_portal_base_url
from ..protocol import operations
from ..protocol.operations import Operation

__all__ = [
    "BILLING_MANAGE_SCOPE",
    "DEFAULT_PORTAL_BASE_URL",
    "DEFAULT_TIMEOUT",
    "BillingAuthError",
    "BillingError",
    "BillingRateLimited",
    "BillingScopeRequired",
    "get_billing_state",
    "get_charge_status",
    "invalidate_cached_token",
    "patch_auto_top_up",
    "post_charge",
    "resolve_portal_base_url",
]


def get_billing_state(*, timeout: float = DEFAULT_TIMEOUT) -> dict[str, Any]:
    """Read the billing state. Needs no scope.

    Args:
        timeout: Seconds for the whole call.

    Raises:
        BillingError: See ``nous_billing.errors``.
    """
    return _client().call(operations.get_billing_state(), timeout)


def patch_auto_top_up(
    *, enabled: bool, threshold: float | str, top_up_amount: float | str, timeout: float = DEFAULT_TIMEOUT
) -> dict[str, Any]:
    """Configure auto-reload. Needs ``billing:manage``.

    Args:
        enabled: Whether to reload at all; anything else is taken for its truth.
        threshold: Dollars below which the balance is reloaded.
        top_up_amount: Dollars that it is reloaded to.
        timeout: Seconds for the whole call.

    Raises:
        BillingError: See ``nous_billing.errors``.
    """
    return _client().call(operations.patch_auto_top_up(bool(enabled), threshold, top_up_amount), timeout)


def post_charge(*, amount_usd: float | str, idempotency_key: str, timeout: float = DEFAULT_TIMEOUT) -> dict[str, Any]:
    """Buy credits. Needs ``billing:manage``. Returns ``{"chargeId": …}``: accepted, not paid.

    Args:
        amount_usd: Dollars, in whole cents.
        idempotency_key: One for each purchase that a person confirmed; sent again unchanged with each repetition.
        timeout: Seconds for the whole call.

    Raises:
        BillingError: See ``nous_billing.errors``.
    """
    return _client().call(operations.post_charge(amount_usd, idempotency_key), timeout)


def get_charge_status(charge_id: str, *, timeout: float = DEFAULT_TIMEOUT) -> dict[str, Any]:
    """Poll a charge. Needs ``billing:manage``. Returns ``{"status": …}``; an unknown id is pending for ever.

    Args:
        charge_id: The ``chargeId`` of an accepted charge.
        timeout: Seconds for the whole call.

    Raises:
        BillingError: See ``nous_billing.errors``.
    """
    return _client().call(operations.get_charge_status(charge_id), timeout)


def invalidate_cached_token() -> None:
    """Forget the token that is kept between polls. Call it after a logout, a new login or a step-up."""
    _client().forget_token()


class _HermesClient(BillingClient):
    def call(self, operation: Operation[Any], timeout: float) -> dict[str, Any]:
        return self._driver.run(self._exchange(replace(operation, result=dict[str, Any]), timeout))

    def forget_token(self) -> None:
        self._driver.memo.forget()


@cache
def _client() -> _HermesClient:
    return _HermesClient()
