"""Buy Nous Portal credits: decimal money, typed errors, never charged twice.

Importing this package loads nothing heavy; each name is loaded when it is first used.
"""

from __future__ import annotations

from ._version import __version__

# For a type checker it is True, whatever stands here; the typing module takes longer to load than all of this.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from .async_client import AsyncBillingClient
    from .auth.default_login import DefaultLogin
    from .auth.hermes_login import HermesLogin
    from .auth.oauth import DeviceCode
    from .auth.stored_login import StoredLogin
    from .client import BillingClient
    from .clock import DEFAULT_TIMEOUT, AsyncClock, Clock
    from .credentials import BILLING_MANAGE_SCOPE, Credentials, CredentialSource, StaticToken
    from .errors import (
        BillingAccessDenied,
        BillingAuthError,
        BillingChargeCancelled,
        BillingChargeTimeout,
        BillingChargeUnconfirmed,
        BillingChargeUnsettled,
        BillingConsentRequired,
        BillingDisabled,
        BillingDuplicateCharge,
        BillingError,
        BillingIdempotencyConflict,
        BillingInvalidRequest,
        BillingLoginNotSaved,
        BillingMonthlyCapExceeded,
        BillingNetworkError,
        BillingNoPaymentMethod,
        BillingPurchaseCancelled,
        BillingPurchaseInterrupted,
        BillingPurchaseStoreError,
        BillingPurchaseUncertain,
        BillingRateLimited,
        BillingRemoteSpendingRevoked,
        BillingResponseError,
        BillingRoleRequired,
        BillingScopeRequired,
        BillingServerError,
        BillingSessionRevoked,
        BillingStripeUnavailable,
        BillingTimeout,
    )
    from .models import (
        AutoReload,
        AutoReloadCard,
        AutoTopUpSaved,
        BillingState,
        Bounds,
        Card,
        ChargeAccepted,
        ChargeFailed,
        ChargeId,
        ChargePending,
        ChargeSettled,
        ChargeStatus,
        MonthlyCap,
        Number,
        Organisation,
        PortalUrl,
    )
    from .money import Amount, format_usd, parse_usd
    from .portal import DEFAULT_PORTAL_BASE_URL, resolve_portal_base_url
    from .protocol.idempotency import new_idempotency_key
    from .purchases.directory import PurchaseDirectory
    from .purchases.purchase import AsyncPurchaseStore, Purchase, PurchaseDiscrepancy, PurchaseStatus, PurchaseStore
    from .purchases.record import AsyncOnProgress, OnProgress

__all__ = [
    "BILLING_MANAGE_SCOPE",
    "DEFAULT_PORTAL_BASE_URL",
    "DEFAULT_TIMEOUT",
    "Amount",
    "AsyncBillingClient",
    "AsyncClock",
    "AsyncOnProgress",
    "AsyncPurchaseStore",
    "AutoReload",
    "AutoReloadCard",
    "AutoTopUpSaved",
    "BillingAccessDenied",
    "BillingAuthError",
    "BillingChargeCancelled",
    "BillingChargeTimeout",
    "BillingChargeUnconfirmed",
    "BillingChargeUnsettled",
    "BillingClient",
    "BillingConsentRequired",
    "BillingDisabled",
    "BillingDuplicateCharge",
    "BillingError",
    "BillingIdempotencyConflict",
    "BillingInvalidRequest",
    "BillingLoginNotSaved",
    "BillingMonthlyCapExceeded",
    "BillingNetworkError",
    "BillingNoPaymentMethod",
    "BillingPurchaseCancelled",
    "BillingPurchaseInterrupted",
    "BillingPurchaseStoreError",
    "BillingPurchaseUncertain",
    "BillingRateLimited",
    "BillingRemoteSpendingRevoked",
    "BillingResponseError",
    "BillingRoleRequired",
    "BillingScopeRequired",
    "BillingServerError",
    "BillingSessionRevoked",
    "BillingState",
    "BillingStripeUnavailable",
    "BillingTimeout",
    "Bounds",
    "Card",
    "ChargeAccepted",
    "ChargeFailed",
    "ChargeId",
    "ChargePending",
    "ChargeSettled",
    "ChargeStatus",
    "Clock",
    "CredentialSource",
    "Credentials",
    "DefaultLogin",
    "DeviceCode",
    "HermesLogin",
    "MonthlyCap",
    "Number",
    "OnProgress",
    "Organisation",
    "PortalUrl",
    "Purchase",
    "PurchaseDirectory",
    "PurchaseDiscrepancy",
    "PurchaseStatus",
    "PurchaseStore",
    "StaticToken",
    "StoredLogin",
    "__version__",
    "format_usd",
    "new_idempotency_key",
    "parse_usd",
    "resolve_portal_base_url",
]

_MODULES = {
    "async_client": ("AsyncBillingClient",),
    "auth.default_login": ("DefaultLogin",),
    "auth.hermes_login": ("HermesLogin",),
    "auth.oauth": ("DeviceCode",),
    "auth.stored_login": ("StoredLogin",),
    "client": ("BillingClient",),
    "clock": (
        "DEFAULT_TIMEOUT",
        "AsyncClock",
        "Clock",
    ),
    "credentials": (
        "BILLING_MANAGE_SCOPE",
        "CredentialSource",
        "Credentials",
        "StaticToken",
    ),
    "errors": (
        "BillingAccessDenied",
        "BillingAuthError",
        "BillingChargeCancelled",
        "BillingChargeTimeout",
        "BillingChargeUnconfirmed",
        "BillingChargeUnsettled",
        "BillingConsentRequired",
        "BillingDisabled",
        "BillingDuplicateCharge",
        "BillingError",
        "BillingIdempotencyConflict",
        "BillingInvalidRequest",
        "BillingLoginNotSaved",
        "BillingMonthlyCapExceeded",
        "BillingNetworkError",
        "BillingNoPaymentMethod",
        "BillingPurchaseCancelled",
        "BillingPurchaseInterrupted",
        "BillingPurchaseStoreError",
        "BillingPurchaseUncertain",
        "BillingRateLimited",
        "BillingRemoteSpendingRevoked",
        "BillingResponseError",
        "BillingRoleRequired",
        "BillingScopeRequired",
        "BillingServerError",
        "BillingSessionRevoked",
        "BillingStripeUnavailable",
        "BillingTimeout",
    ),
    "models": (
        "AutoReload",
        "AutoReloadCard",
        "AutoTopUpSaved",
        "BillingState",
        "Bounds",
        "Card",
        "ChargeAccepted",
        "ChargeFailed",
        "ChargeId",
        "ChargePending",
        "ChargeSettled",
        "ChargeStatus",
        "MonthlyCap",
        "Number",
        "Organisation",
        "PortalUrl",
    ),
    "money": (
        "Amount",
        "format_usd",
        "parse_usd",
    ),
    "portal": (
        "DEFAULT_PORTAL_BASE_URL",
        "resolve_portal_base_url",
    ),
    "protocol.idempotency": ("new_idempotency_key",),
    "purchases.directory": ("PurchaseDirectory",),
    "purchases.purchase": (
        "AsyncPurchaseStore",
        "Purchase",
        "PurchaseDiscrepancy",
        "PurchaseStatus",
        "PurchaseStore",
    ),
    "purchases.record": (
        "AsyncOnProgress",
        "OnProgress",
    ),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

if not TYPE_CHECKING:  # A type checker would take every unknown name for one that exists.

    def __getattr__(name: str) -> object:
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
