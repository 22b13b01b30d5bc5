"""The models of requests and responses, each loaded when it is first used."""

TYPE_CHECKING = False

if TYPE_CHECKING:
    from .amount_out_of_bounds import AmountOutOfBounds
    from .auto_reload import AutoReload
    from .auto_reload_card import AutoReloadCard
    from .auto_reload_card_kind_type_0 import AutoReloadCardKindType0
    from .auto_top_up_disabled_failures import AutoTopUpDisabledFailures
    from .auto_top_up_off_request import AutoTopUpOffRequest
    from .auto_top_up_request import AutoTopUpRequest
    from .auto_top_up_saved import AutoTopUpSaved
    from .billing_state import BillingState
    from .bounds import Bounds
    from .cancellation_request import CancellationRequest
    from .card import Card
    from .card_expired import CardExpired
    from .card_mismatch import CardMismatch
    from .card_paused import CardPaused
    from .card_payment_method import CardPaymentMethod
    from .charge_accepted import ChargeAccepted
    from .charge_failed import ChargeFailed
    from .charge_failed_reason_type_0 import ChargeFailedReasonType0
    from .charge_other_status import ChargeOtherStatus
    from .charge_pending import ChargePending
    from .charge_request import ChargeRequest
    from .charge_settled import ChargeSettled
    from .cli_billing_disabled import CliBillingDisabled
    from .cli_billing_disabled_code_type_0 import CliBillingDisabledCodeType0
    from .consent_required import ConsentRequired
    from .current_subscription import CurrentSubscription
    from .idempotency_conflict import IdempotencyConflict
    from .idempotency_key_required import IdempotencyKeyRequired
    from .insufficient_scope import InsufficientScope
    from .invalid_token import InvalidToken
    from .link_payment_method import LinkPaymentMethod
    from .monthly_cap import MonthlyCap
    from .monthly_cap_exceeded import MonthlyCapExceeded
    from .no_payment_method import NoPaymentMethod
    from .org_access_denied import OrgAccessDenied
    from .organisation import Organisation
    from .other_payment_method import OtherPaymentMethod
    from .pending_change import PendingChange
    from .preview_rejected import PreviewRejected
    from .rate_limited import RateLimited
    from .recovery_type_0 import RecoveryType0
    from .remote_spending_revoked import RemoteSpendingRevoked
    from .remote_spending_revoked_actor_type_0 import RemoteSpendingRevokedActorType0
    from .resolved_via_type_0 import ResolvedViaType0
    from .role_required import RoleRequired
    from .role_type_0 import RoleType0
    from .session_revoked import SessionRevoked
    from .stripe_unavailable import StripeUnavailable
    from .subscription import Subscription
    from .subscription_context_type_0 import SubscriptionContextType0
    from .subscription_mutation_rejected import SubscriptionMutationRejected
    from .subscription_organisation import SubscriptionOrganisation
    from .subscription_preview import SubscriptionPreview
    from .subscription_preview_effect_type_0 import SubscriptionPreviewEffectType0
    from .subscription_preview_request import SubscriptionPreviewRequest
    from .subscription_tier import SubscriptionTier
    from .subscription_upgrade import SubscriptionUpgrade
    from .subscription_upgrade_request import SubscriptionUpgradeRequest
    from .subscription_upgrade_status_type_0 import SubscriptionUpgradeStatusType0
    from .temporarily_unavailable import TemporarilyUnavailable
    from .tier_change_request import TierChangeRequest
    from .upgrade_cap_exceeded import UpgradeCapExceeded
    from .validation_failed import ValidationFailed

__all__ = (
    "AmountOutOfBounds",
    "AutoReload",
    "AutoReloadCard",
    "AutoReloadCardKindType0",
    "AutoTopUpDisabledFailures",
    "AutoTopUpOffRequest",
    "AutoTopUpRequest",
    "AutoTopUpSaved",
    "BillingState",
    "Bounds",
    "CancellationRequest",
    "Card",
    "CardExpired",
    "CardMismatch",
    "CardPaused",
    "CardPaymentMethod",
    "ChargeAccepted",
    "ChargeFailed",
    "ChargeFailedReasonType0",
    "ChargeOtherStatus",
    "ChargePending",
    "ChargeRequest",
    "ChargeSettled",
    "CliBillingDisabled",
    "CliBillingDisabledCodeType0",
    "ConsentRequired",
    "CurrentSubscription",
    "IdempotencyConflict",
    "IdempotencyKeyRequired",
    "InsufficientScope",
    "InvalidToken",
    "LinkPaymentMethod",
    "MonthlyCap",
    "MonthlyCapExceeded",
    "NoPaymentMethod",
    "OrgAccessDenied",
    "Organisation",
    "OtherPaymentMethod",
    "PendingChange",
    "PreviewRejected",
    "RateLimited",
    "RecoveryType0",
    "RemoteSpendingRevoked",
    "RemoteSpendingRevokedActorType0",
    "ResolvedViaType0",
    "RoleRequired",
    "RoleType0",
    "SessionRevoked",
    "StripeUnavailable",
    "Subscription",
    "SubscriptionContextType0",
    "SubscriptionMutationRejected",
    "SubscriptionOrganisation",
    "SubscriptionPreview",
    "SubscriptionPreviewEffectType0",
    "SubscriptionPreviewRequest",
    "SubscriptionTier",
    "SubscriptionUpgrade",
    "SubscriptionUpgradeRequest",
    "SubscriptionUpgradeStatusType0",
    "TemporarilyUnavailable",
    "TierChangeRequest",
    "UpgradeCapExceeded",
    "ValidationFailed",
)

_MODULE_OF = {
    "AmountOutOfBounds": "amount_out_of_bounds",
    "AutoReload": "auto_reload",
    "AutoReloadCard": "auto_reload_card",
    "AutoReloadCardKindType0": "auto_reload_card_kind_type_0",
    "AutoTopUpDisabledFailures": "auto_top_up_disabled_failures",
    "AutoTopUpOffRequest": "auto_top_up_off_request",
    "AutoTopUpRequest": "auto_top_up_request",
    "AutoTopUpSaved": "auto_top_up_saved",
    "BillingState": "billing_state",
    "Bounds": "bounds",
    "CancellationRequest": "cancellation_request",
    "Card": "card",
    "CardExpired": "card_expired",
    "CardMismatch": "card_mismatch",
    "CardPaused": "card_paused",
    "CardPaymentMethod": "card_payment_method",
    "ChargeAccepted": "charge_accepted",
    "ChargeFailed": "charge_failed",
    "ChargeFailedReasonType0": "charge_failed_reason_type_0",
    "ChargeOtherStatus": "charge_other_status",
    "ChargePending": "charge_pending",
    "ChargeRequest": "charge_request",
    "ChargeSettled": "charge_settled",
    "CliBillingDisabled": "cli_billing_disabled",
    "CliBillingDisabledCodeType0": "cli_billing_disabled_code_type_0",
    "ConsentRequired": "consent_required",
    "CurrentSubscription": "current_subscription",
    "IdempotencyConflict": "idempotency_conflict",
    "IdempotencyKeyRequired": "idempotency_key_required",
    "InsufficientScope": "insufficient_scope",
    "InvalidToken": "invalid_token",
    "LinkPaymentMethod": "link_payment_method",
    "MonthlyCap": "monthly_cap",
    "MonthlyCapExceeded": "monthly_cap_exceeded",
    "NoPaymentMethod": "no_payment_method",
    "OrgAccessDenied": "org_access_denied",
    "Organisation": "organisation",
    "OtherPaymentMethod": "other_payment_method",
    "PendingChange": "pending_change",
    "PreviewRejected": "preview_rejected",
    "RateLimited": "rate_limited",
    "RecoveryType0": "recovery_type_0",
    "RemoteSpendingRevoked": "remote_spending_revoked",
    "RemoteSpendingRevokedActorType0": "remote_spending_revoked_actor_type_0",
    "ResolvedViaType0": "resolved_via_type_0",
    "RoleRequired": "role_required",
    "RoleType0": "role_type_0",
    "SessionRevoked": "session_revoked",
    "StripeUnavailable": "stripe_unavailable",
    "Subscription": "subscription",
    "SubscriptionContextType0": "subscription_context_type_0",
    "SubscriptionMutationRejected": "subscription_mutation_rejected",
    "SubscriptionOrganisation": "subscription_organisation",
    "SubscriptionPreview": "subscription_preview",
    "SubscriptionPreviewEffectType0": "subscription_preview_effect_type_0",
    "SubscriptionPreviewRequest": "subscription_preview_request",
    "SubscriptionTier": "subscription_tier",
    "SubscriptionUpgrade": "subscription_upgrade",
    "SubscriptionUpgradeRequest": "subscription_upgrade_request",
    "SubscriptionUpgradeStatusType0": "subscription_upgrade_status_type_0",
    "TemporarilyUnavailable": "temporarily_unavailable",
    "TierChangeRequest": "tier_change_request",
    "UpgradeCapExceeded": "upgrade_cap_exceeded",
    "ValidationFailed": "validation_failed",
}

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
