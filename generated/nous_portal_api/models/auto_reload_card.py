from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

from ..models.auto_reload_card_kind_type_0 import AutoReloadCardKindType0, check_auto_reload_card_kind_type_0
from ..types import UNSET, AdditionalProperties, Unset


@dataclass(slots=True)
class AutoReloadCard(AdditionalProperties):
    """The card that auto-reload uses: `canonical`, the same as a charge; `none`; or `distinct`, another one, which
    then has a
    `paymentMethodId` and, where they are known, a `brand` and `last4`.

    Example:
        {'kind': 'distinct', 'paymentMethodId': 'pm_1', 'brand': 'visa', 'last4': '4242'}

    Attributes:
        kind (AutoReloadCardKindType0 | str):
        payment_method_id (str | Unset):
        brand (None | str | Unset):
        last4 (None | str | Unset):
    """

    kind: AutoReloadCardKindType0 | str
    payment_method_id: str | Unset = UNSET
    brand: None | str | Unset = UNSET
    last4: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        kind: str
        if isinstance(self.kind, str):
            kind = self.kind
        else:
            kind = self.kind
        field_dict: dict[str, Any] = {**self.additional_properties, "kind": kind}
        if self.payment_method_id is not UNSET:
            field_dict["paymentMethodId"] = self.payment_method_id
        if self.brand is not UNSET:
            field_dict["brand"] = self.brand
        if self.last4 is not UNSET:
            field_dict["last4"] = self.last4
        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)

        def _parse_kind(data: object) -> AutoReloadCardKindType0 | str:
            try:
                if not isinstance(data, str):
                    raise TypeError()
                kind_type_0 = check_auto_reload_card_kind_type_0(data)

                return kind_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(AutoReloadCardKindType0 | str, data)

        kind = _parse_kind(d.pop("kind"))

        made = cls(
            kind=kind,
            payment_method_id=d.pop("paymentMethodId", UNSET),
            brand=d.pop("brand", UNSET),
            last4=d.pop("last4", UNSET),
        )
        made.additional_properties = d
        return made
