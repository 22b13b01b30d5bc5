# nous_portal_wire/models/card.py: made by scripts/generate.py
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from ..models.card_resolved_via_type_0 import (
    CardResolvedViaType0,
    check_card_resolved_via_type_0,
)
from ..types import UNSET, Unset
from ..types import define as _attrs_define
from ..types import field as _attrs_field

T = TypeVar("T", bound="Card")


@_attrs_define
class Card:
    """The card that a charge would use. A Link wallet comes as brand `Link` with an empty `last4`.

    Example:
        {'brand': 'visa', 'last4': '4242', 'resolvedVia': 'subPin'}

    Attributes:
        brand (str):
        last4 (str):
        resolved_via (CardResolvedViaType0 | str | Unset): How the portal chose this card.
    """

    brand: str
    last4: str
    resolved_via: CardResolvedViaType0 | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        brand = self.brand

        last4 = self.last4

        resolved_via: str | Unset
        if isinstance(self.resolved_via, Unset):
            resolved_via = UNSET
        elif isinstance(self.resolved_via, str):
            resolved_via = self.resolved_via
        else:
            resolved_via = self.resolved_via

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "brand": brand,
                "last4": last4,
            }
        )
        if resolved_via is not UNSET:
            field_dict["resolvedVia"] = resolved_via

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        brand = d.pop("brand")

        last4 = d.pop("last4")

        def _parse_resolved_via(data: object) -> CardResolvedViaType0 | str | Unset:
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                resolved_via_type_0 = check_card_resolved_via_type_0(data)

                return resolved_via_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(CardResolvedViaType0 | str | Unset, data)

        resolved_via = _parse_resolved_via(d.pop("resolvedVia", UNSET))

        card = cls(
            brand=brand,
            last4=last4,
            resolved_via=resolved_via,
        )

        card.additional_properties = d
        return card

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
