from typing import Literal

AutoReloadCardKindType0 = Literal["canonical", "distinct", "none"]

AUTO_RELOAD_CARD_KIND_TYPE_0_VALUES: set[AutoReloadCardKindType0] = {"canonical", "distinct", "none"}


def check_auto_reload_card_kind_type_0(value: str) -> AutoReloadCardKindType0:
    if value in AUTO_RELOAD_CARD_KIND_TYPE_0_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {AUTO_RELOAD_CARD_KIND_TYPE_0_VALUES!r}")
