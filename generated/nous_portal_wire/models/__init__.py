# nous_portal_wire/models/__init__.py: made by scripts/generate.py
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
from .monthly_cap import MonthlyCap
from .organisation import Organisation
from .role_type_0 import RoleType0

__all__ = (
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
    "MonthlyCap",
    "Organisation",
    "RoleType0",
)
