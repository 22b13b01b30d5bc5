from typing import Literal

CardResolvedViaType0 = Literal["autoRefill", "customerDefault", "subPin"]

CARD_RESOLVED_VIA_TYPE_0_VALUES: set[CardResolvedViaType0] = {"autoRefill", "customerDefault", "subPin"}


def check_card_resolved_via_type_0(value: str) -> CardResolvedViaType0:
    if value in CARD_RESOLVED_VIA_TYPE_0_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {CARD_RESOLVED_VIA_TYPE_0_VALUES!r}")
