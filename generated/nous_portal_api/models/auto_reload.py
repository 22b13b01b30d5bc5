from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from ..types import UNSET, AdditionalProperties, Unset

if TYPE_CHECKING:
    from ..models.auto_reload_card import AutoReloadCard


@dataclass(slots=True)
class AutoReload(AdditionalProperties):
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

    def to_dict(self) -> dict[str, Any]:
        card: dict[str, Any] | Unset = UNSET
        if not isinstance(self.card, Unset):
            card = self.card.to_dict()
        field_dict: dict[str, Any] = {
            **self.additional_properties,
            "enabled": self.enabled,
            "thresholdUsd": self.threshold_usd,
            "reloadToUsd": self.reload_to_usd,
        }
        if card is not UNSET:
            field_dict["card"] = card
        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.auto_reload_card import AutoReloadCard

        d = dict(src_dict)
        _card = d.pop("card", UNSET)
        card: AutoReloadCard | Unset
        if isinstance(_card, Unset):
            card = UNSET
        else:
            card = AutoReloadCard.from_dict(_card)

        made = cls(
            enabled=d.pop("enabled"), threshold_usd=d.pop("thresholdUsd"), reload_to_usd=d.pop("reloadToUsd"), card=card
        )
        made.additional_properties = d
        return made
