from typing import Literal

ResolvedViaType0 = Literal["autoRefill", "customerDefault", "subPin"]

RESOLVED_VIA_TYPE_0_VALUES: set[ResolvedViaType0] = {"autoRefill", "customerDefault", "subPin"}


def check_resolved_via_type_0(value: str) -> ResolvedViaType0:
    if value in RESOLVED_VIA_TYPE_0_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {RESOLVED_VIA_TYPE_0_VALUES!r}")
