"""Buy Nous Portal credits: decimal money, typed errors, never charged twice.

Importing this package loads nothing heavy; each name is loaded when it is first used.
"""

from ._version import __version__ as __version__

# The public names, by module. `make surface` writes them into __init__.pyi, for editors and type checkers.
_MODULES = {
    "_reply_headers": ("ReplyHeaders",),
    "_result": ("Result",),
    "_secrets": ("SecretBytes",),
    "_wire_types": (
        "ChargeId",
        "Number",
        "PortalUrl",
    ),
    "async_client": ("AsyncBillingClient",),
    "auth.default_login": ("DefaultLogin",),
    "auth.device_login": ("DeviceCode",),
    "auth.hermes_login": ("HermesLogin",),
    "auth.login_storage": ("LoginStorage",),
    "auth.stored_login": ("StoredLogin",),
    "client": ("BillingClient",),
    "clock": (
        "DEFAULT_TIMEOUT",
        "AsyncClock",
        "Clock",
    ),
    "credentials": (
        "BILLING_MANAGE_SCOPE",
        "AsyncCredentialSource",
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
        "BillingPurchaseNotFound",
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
        "BillingUpgradeCapExceeded",
    ),
    "models": (
        "AutoReload",
        "AutoReloadCard",
        "AutoTopUpSaved",
        "BillingState",
        "Bounds",
        "Card",
        "CardPaymentMethod",
        "ChargeAccepted",
        "ChargeFailed",
        "ChargePending",
        "ChargeSettled",
        "ChargeStatus",
        "CurrentSubscription",
        "LinkPaymentMethod",
        "MonthlyCap",
        "Organisation",
        "OtherPaymentMethod",
        "PendingChange",
        "Subscription",
        "SubscriptionOrganisation",
        "SubscriptionPreview",
        "SubscriptionTier",
        "SubscriptionUpgrade",
    ),
    "money": (
        "Amount",
        "check_amount",
        "format_usd",
        "parse_usd",
    ),
    "portal": (
        "DEFAULT_PORTAL_BASE_URL",
        "resolve_portal_base_url",
    ),
    "protocol.idempotency": (
        "check_idempotency_key",
        "new_idempotency_key",
    ),
    "purchases.directory": ("PurchaseDirectory",),
    "purchases.leases": (
        "AsyncLeasingPurchaseStore",
        "LeasingPurchaseStore",
        "PurchaseLease",
    ),
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

__all__ = sorted(["__version__", *_MODULE_OF])  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
