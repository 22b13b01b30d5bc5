"""The models of requests and responses, each loaded when it is first used."""

TYPE_CHECKING = False

if TYPE_CHECKING:
    from .amount_out_of_bounds import AmountOutOfBounds
    from .auto_reload import AutoReload
    from .auto_reload_card import AutoReloadCard
    from .auto_reload_card_kind_type_0 import AutoReloadCardKindType0
    from .auto_top_up_off_request import AutoTopUpOffRequest
    from .auto_top_up_request import AutoTopUpRequest
    from .auto_top_up_saved import AutoTopUpSaved
    from .billing_state import BillingState
    from .bounds import Bounds
    from .card import Card
    from .card_resolved_via_type_0 import CardResolvedViaType0
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
    from .idempotency_conflict import IdempotencyConflict
    from .idempotency_key_required import IdempotencyKeyRequired
    from .insufficient_scope import InsufficientScope
    from .invalid_token import InvalidToken
    from .monthly_cap import MonthlyCap
    from .monthly_cap_exceeded import MonthlyCapExceeded
    from .no_payment_method import NoPaymentMethod
    from .org_access_denied import OrgAccessDenied
    from .organisation import Organisation
    from .rate_limited import RateLimited
    from .recovery_type_0 import RecoveryType0
    from .remote_spending_revoked import RemoteSpendingRevoked
    from .remote_spending_revoked_actor_type_0 import RemoteSpendingRevokedActorType0
    from .role_required import RoleRequired
    from .role_type_0 import RoleType0
    from .session_revoked import SessionRevoked
    from .stripe_unavailable import StripeUnavailable
    from .temporarily_unavailable import TemporarilyUnavailable
    from .validation_failed import ValidationFailed

__all__ = (
    "AmountOutOfBounds",
    "AutoReload",
    "AutoReloadCard",
    "AutoReloadCardKindType0",
    "AutoTopUpOffRequest",
    "AutoTopUpRequest",
    "AutoTopUpSaved",
    "BillingState",
    "Bounds",
    "Card",
    "CardResolvedViaType0",
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
    "IdempotencyConflict",
    "IdempotencyKeyRequired",
    "InsufficientScope",
    "InvalidToken",
    "MonthlyCap",
    "MonthlyCapExceeded",
    "NoPaymentMethod",
    "OrgAccessDenied",
    "Organisation",
    "RateLimited",
    "RecoveryType0",
    "RemoteSpendingRevoked",
    "RemoteSpendingRevokedActorType0",
    "RoleRequired",
    "RoleType0",
    "SessionRevoked",
    "StripeUnavailable",
    "TemporarilyUnavailable",
    "ValidationFailed",
)

_MODULE_OF = {
    "AmountOutOfBounds": "amount_out_of_bounds",
    "AutoReload": "auto_reload",
    "AutoReloadCard": "auto_reload_card",
    "AutoReloadCardKindType0": "auto_reload_card_kind_type_0",
    "AutoTopUpOffRequest": "auto_top_up_off_request",
    "AutoTopUpRequest": "auto_top_up_request",
    "AutoTopUpSaved": "auto_top_up_saved",
    "BillingState": "billing_state",
    "Bounds": "bounds",
    "Card": "card",
    "CardResolvedViaType0": "card_resolved_via_type_0",
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
    "IdempotencyConflict": "idempotency_conflict",
    "IdempotencyKeyRequired": "idempotency_key_required",
    "InsufficientScope": "insufficient_scope",
    "InvalidToken": "invalid_token",
    "MonthlyCap": "monthly_cap",
    "MonthlyCapExceeded": "monthly_cap_exceeded",
    "NoPaymentMethod": "no_payment_method",
    "OrgAccessDenied": "org_access_denied",
    "Organisation": "organisation",
    "RateLimited": "rate_limited",
    "RecoveryType0": "recovery_type_0",
    "RemoteSpendingRevoked": "remote_spending_revoked",
    "RemoteSpendingRevokedActorType0": "remote_spending_revoked_actor_type_0",
    "RoleRequired": "role_required",
    "RoleType0": "role_type_0",
    "SessionRevoked": "session_revoked",
    "StripeUnavailable": "stripe_unavailable",
    "TemporarilyUnavailable": "temporarily_unavailable",
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
