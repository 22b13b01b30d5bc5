# nous_portal_wire/models/auto_reload_card.py: made by scripts/generate.py
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from ..models.auto_reload_card_kind_type_0 import (
    AutoReloadCardKindType0,
    check_auto_reload_card_kind_type_0,
)
from ..types import UNSET, Unset
from ..types import define as _attrs_define
from ..types import field as _attrs_field

T = TypeVar("T", bound="AutoReloadCard")


@_attrs_define
class AutoReloadCard:
    """The card that auto-reload uses: `canonical`, the same as a charge; `none`; or `distinct`, another one, which then
    has a
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
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        kind: str
        if isinstance(self.kind, str):
            kind = self.kind
        else:
            kind = self.kind

        payment_method_id = self.payment_method_id

        brand: None | str | Unset
        if isinstance(self.brand, Unset):
            brand = UNSET
        else:
            brand = self.brand

        last4: None | str | Unset
        if isinstance(self.last4, Unset):
            last4 = UNSET
        else:
            last4 = self.last4

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "kind": kind,
            }
        )
        if payment_method_id is not UNSET:
            field_dict["paymentMethodId"] = payment_method_id
        if brand is not UNSET:
            field_dict["brand"] = brand
        if last4 is not UNSET:
            field_dict["last4"] = last4

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

        payment_method_id = d.pop("paymentMethodId", UNSET)

        def _parse_brand(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        brand = _parse_brand(d.pop("brand", UNSET))

        def _parse_last4(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        last4 = _parse_last4(d.pop("last4", UNSET))

        auto_reload_card = cls(
            kind=kind,
            payment_method_id=payment_method_id,
            brand=brand,
            last4=last4,
        )

        auto_reload_card.additional_properties = d
        return auto_reload_card

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
