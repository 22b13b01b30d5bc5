from typing import Literal

ChargeFailedReasonType0 = Literal[
    "authentication_required", "card_declined", "payment_method_expired", "processing_error"
]

CHARGE_FAILED_REASON_TYPE_0_VALUES: set[ChargeFailedReasonType0] = {
    "authentication_required",
    "card_declined",
    "payment_method_expired",
    "processing_error",
}


def check_charge_failed_reason_type_0(value: str) -> ChargeFailedReasonType0:
    if value in CHARGE_FAILED_REASON_TYPE_0_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {CHARGE_FAILED_REASON_TYPE_0_VALUES!r}")
