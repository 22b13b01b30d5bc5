# nous_portal_wire/models/auto_reload.py: made by scripts/generate.py
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from ..types import UNSET, Unset
from ..types import define as _attrs_define
from ..types import field as _attrs_field

if TYPE_CHECKING:
    from ..models.auto_reload_card import AutoReloadCard


T = TypeVar("T", bound="AutoReload")


@_attrs_define
class AutoReload:
    """Auto-reload: when the balance falls below the threshold it is reloaded **to** the second sum.

    Example:
        {'enabled': True, 'thresholdUsd': '20', 'reloadToUsd': '100', 'card': {'kind': 'canonical'}}

    Attributes:
        enabled (bool):
        threshold_usd (None | str):
        reload_to_usd (None | str):
        card (AutoReloadCard | Unset): The card that auto-reload uses: `canonical`, the same as a charge; `none`; or
            `distinct`, another one, which then has a
            `paymentMethodId` and, where they are known, a `brand` and `last4`.
             Example: {'kind': 'distinct', 'paymentMethodId': 'pm_1', 'brand': 'visa', 'last4': '4242'}.
    """

    enabled: bool
    threshold_usd: None | str
    reload_to_usd: None | str
    card: AutoReloadCard | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        enabled = self.enabled

        threshold_usd: None | str
        threshold_usd = self.threshold_usd

        reload_to_usd: None | str
        reload_to_usd = self.reload_to_usd

        card: dict[str, Any] | Unset = UNSET
        if not isinstance(self.card, Unset):
            card = self.card.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "enabled": enabled,
                "thresholdUsd": threshold_usd,
                "reloadToUsd": reload_to_usd,
            }
        )
        if card is not UNSET:
            field_dict["card"] = card

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.auto_reload_card import AutoReloadCard

        d = dict(src_dict)
        enabled = d.pop("enabled")

        def _parse_threshold_usd(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        threshold_usd = _parse_threshold_usd(d.pop("thresholdUsd"))

        def _parse_reload_to_usd(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        reload_to_usd = _parse_reload_to_usd(d.pop("reloadToUsd"))

        _card = d.pop("card", UNSET)
        card: AutoReloadCard | Unset
        if isinstance(_card, Unset):
            card = UNSET
        else:
            card = AutoReloadCard.from_dict(_card)

        auto_reload = cls(
            enabled=enabled,
            threshold_usd=threshold_usd,
            reload_to_usd=reload_to_usd,
            card=card,
        )

        auto_reload.additional_properties = d
        return auto_reload

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
