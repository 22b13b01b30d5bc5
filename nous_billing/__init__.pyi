"""Written by `make surface`."""

from ._reply_headers import ReplyHeaders as ReplyHeaders
from ._result import Result as Result
from ._secrets import SecretBytes as SecretBytes
from ._version import __version__ as __version__
from ._wire_types import ChargeId as ChargeId
from ._wire_types import Number as Number
from ._wire_types import PortalUrl as PortalUrl
from .async_client import AsyncBillingClient as AsyncBillingClient
from .auth.default_login import DefaultLogin as DefaultLogin
from .auth.device_login import DeviceCode as DeviceCode
from .auth.hermes_login import HermesLogin as HermesLogin
from .auth.login_storage import LoginStorage as LoginStorage
from .auth.stored_login import StoredLogin as StoredLogin
from .client import BillingClient as BillingClient
from .clock import DEFAULT_TIMEOUT as DEFAULT_TIMEOUT
from .clock import AsyncClock as AsyncClock
from .clock import Clock as Clock
from .credentials import BILLING_MANAGE_SCOPE as BILLING_MANAGE_SCOPE
from .credentials import AsyncCredentialSource as AsyncCredentialSource
from .credentials import Credentials as Credentials
from .credentials import CredentialSource as CredentialSource
from .credentials import StaticToken as StaticToken
from .errors import BillingAccessDenied as BillingAccessDenied
from .errors import BillingAuthError as BillingAuthError
from .errors import BillingChargeCancelled as BillingChargeCancelled
from .errors import BillingChargeTimeout as BillingChargeTimeout
from .errors import BillingChargeUnconfirmed as BillingChargeUnconfirmed
from .errors import BillingChargeUnsettled as BillingChargeUnsettled
from .errors import BillingConsentRequired as BillingConsentRequired
from .errors import BillingDisabled as BillingDisabled
from .errors import BillingDuplicateCharge as BillingDuplicateCharge
from .errors import BillingError as BillingError
from .errors import BillingIdempotencyConflict as BillingIdempotencyConflict
from .errors import BillingInvalidRequest as BillingInvalidRequest
from .errors import BillingLoginNotSaved as BillingLoginNotSaved
from .errors import BillingMonthlyCapExceeded as BillingMonthlyCapExceeded
from .errors import BillingNetworkError as BillingNetworkError
from .errors import BillingNoPaymentMethod as BillingNoPaymentMethod
from .errors import BillingPurchaseCancelled as BillingPurchaseCancelled
from .errors import BillingPurchaseInterrupted as BillingPurchaseInterrupted
from .errors import BillingPurchaseNotFound as BillingPurchaseNotFound
from .errors import BillingPurchaseStoreError as BillingPurchaseStoreError
from .errors import BillingPurchaseUncertain as BillingPurchaseUncertain
from .errors import BillingRateLimited as BillingRateLimited
from .errors import BillingRemoteSpendingRevoked as BillingRemoteSpendingRevoked
from .errors import BillingResponseError as BillingResponseError
from .errors import BillingRoleRequired as BillingRoleRequired
from .errors import BillingScopeRequired as BillingScopeRequired
from .errors import BillingServerError as BillingServerError
from .errors import BillingSessionRevoked as BillingSessionRevoked
from .errors import BillingStripeUnavailable as BillingStripeUnavailable
from .errors import BillingTimeout as BillingTimeout
from .errors import BillingUpgradeCapExceeded as BillingUpgradeCapExceeded
from .models import AutoReload as AutoReload
from .models import AutoReloadCard as AutoReloadCard
from .models import AutoTopUpSaved as AutoTopUpSaved
from .models import BillingState as BillingState
from .models import Bounds as Bounds
from .models import Card as Card
from .models import CardPaymentMethod as CardPaymentMethod
from .models import ChargeAccepted as ChargeAccepted
from .models import ChargeFailed as ChargeFailed
from .models import ChargePending as ChargePending
from .models import ChargeSettled as ChargeSettled
from .models import ChargeStatus as ChargeStatus
from .models import CurrentSubscription as CurrentSubscription
from .models import LinkPaymentMethod as LinkPaymentMethod
from .models import MonthlyCap as MonthlyCap
from .models import Organisation as Organisation
from .models import OtherPaymentMethod as OtherPaymentMethod
from .models import PendingChange as PendingChange
from .models import Subscription as Subscription
from .models import SubscriptionOrganisation as SubscriptionOrganisation
from .models import SubscriptionPreview as SubscriptionPreview
from .models import SubscriptionTier as SubscriptionTier
from .models import SubscriptionUpgrade as SubscriptionUpgrade
from .money import Amount as Amount
from .money import check_amount as check_amount
from .money import format_usd as format_usd
from .money import parse_usd as parse_usd
from .portal import DEFAULT_PORTAL_BASE_URL as DEFAULT_PORTAL_BASE_URL
from .portal import resolve_portal_base_url as resolve_portal_base_url
from .protocol.idempotency import check_idempotency_key as check_idempotency_key
from .protocol.idempotency import new_idempotency_key as new_idempotency_key
from .purchases.directory import PurchaseDirectory as PurchaseDirectory
from .purchases.leases import AsyncLeasingPurchaseStore as AsyncLeasingPurchaseStore
from .purchases.leases import LeasingPurchaseStore as LeasingPurchaseStore
from .purchases.leases import PurchaseLease as PurchaseLease
from .purchases.purchase import AsyncPurchaseStore as AsyncPurchaseStore
from .purchases.purchase import Purchase as Purchase
from .purchases.purchase import PurchaseDiscrepancy as PurchaseDiscrepancy
from .purchases.purchase import PurchaseStatus as PurchaseStatus
from .purchases.purchase import PurchaseStore as PurchaseStore
from .purchases.record import AsyncOnProgress as AsyncOnProgress
from .purchases.record import OnProgress as OnProgress

__all__ = [
    "BILLING_MANAGE_SCOPE",
    "DEFAULT_PORTAL_BASE_URL",
    "DEFAULT_TIMEOUT",
    "Amount",
    "AsyncBillingClient",
    "AsyncClock",
    "AsyncCredentialSource",
    "AsyncLeasingPurchaseStore",
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
    "BillingState",
    "BillingStripeUnavailable",
    "BillingTimeout",
    "BillingUpgradeCapExceeded",
    "Bounds",
    "Card",
    "CardPaymentMethod",
    "ChargeAccepted",
    "ChargeFailed",
    "ChargeId",
    "ChargePending",
    "ChargeSettled",
    "ChargeStatus",
    "Clock",
    "CredentialSource",
    "Credentials",
    "CurrentSubscription",
    "DefaultLogin",
    "DeviceCode",
    "HermesLogin",
    "LeasingPurchaseStore",
    "LinkPaymentMethod",
    "LoginStorage",
    "MonthlyCap",
    "Number",
    "OnProgress",
    "Organisation",
    "OtherPaymentMethod",
    "PendingChange",
    "PortalUrl",
    "Purchase",
    "PurchaseDirectory",
    "PurchaseDiscrepancy",
    "PurchaseLease",
    "PurchaseStatus",
    "PurchaseStore",
    "ReplyHeaders",
    "Result",
    "SecretBytes",
    "StaticToken",
    "StoredLogin",
    "Subscription",
    "SubscriptionOrganisation",
    "SubscriptionPreview",
    "SubscriptionTier",
    "SubscriptionUpgrade",
    "__version__",
    "check_amount",
    "check_idempotency_key",
    "format_usd",
    "new_idempotency_key",
    "parse_usd",
    "resolve_portal_base_url",
]
