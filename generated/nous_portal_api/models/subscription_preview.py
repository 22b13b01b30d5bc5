from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

from ..models.subscription_preview_effect_type_0 import (
    SubscriptionPreviewEffectType0,
    check_subscription_preview_effect_type_0,
)
from ..types import UNSET, AdditionalProperties, Unset


@dataclass(slots=True)
class SubscriptionPreview(AdditionalProperties):
    """What a change would do. An effect that is not in this list is to be read as `blocked`.

    Not settled: which fields are there with which effect; all but the effect are read as optional.

    Example:
        {'effect': 'charge_now', 'targetTierId': 'tier_plus', 'targetTierName': 'Plus', 'monthlyCreditsDelta': '11',
            'amountDueNowCents': 512}

    Attributes:
        effect (str | SubscriptionPreviewEffectType0):
        reason (None | str | Unset): Why it is blocked.
        current_tier_id (None | str | Unset):
        current_tier_name (None | str | Unset):
        target_tier_id (None | str | Unset):
        target_tier_name (None | str | Unset):
        monthly_credits_delta (None | str | Unset):
        amount_due_now_cents (int | None | Unset): What would be charged now, in whole cents. Null where nothing
            would, or where it cannot be told.
        effective_at (datetime.datetime | None | Unset):
    """

    effect: str | SubscriptionPreviewEffectType0
    reason: None | str | Unset = UNSET
    current_tier_id: None | str | Unset = UNSET
    current_tier_name: None | str | Unset = UNSET
    target_tier_id: None | str | Unset = UNSET
    target_tier_name: None | str | Unset = UNSET
    monthly_credits_delta: None | str | Unset = UNSET
    amount_due_now_cents: int | None | Unset = UNSET
    effective_at: datetime.datetime | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        effect: str
        if isinstance(self.effect, str):
            effect = self.effect
        else:
            effect = self.effect
        effective_at: None | str | Unset
        if isinstance(self.effective_at, Unset):
            effective_at = UNSET
        elif isinstance(self.effective_at, datetime.datetime):
            effective_at = self.effective_at.isoformat()
        else:
            effective_at = self.effective_at
        field_dict: dict[str, Any] = {**self.additional_properties, "effect": effect}
        if self.reason is not UNSET:
            field_dict["reason"] = self.reason
        if self.current_tier_id is not UNSET:
            field_dict["currentTierId"] = self.current_tier_id
        if self.current_tier_name is not UNSET:
            field_dict["currentTierName"] = self.current_tier_name
        if self.target_tier_id is not UNSET:
            field_dict["targetTierId"] = self.target_tier_id
        if self.target_tier_name is not UNSET:
            field_dict["targetTierName"] = self.target_tier_name
        if self.monthly_credits_delta is not UNSET:
            field_dict["monthlyCreditsDelta"] = self.monthly_credits_delta
        if self.amount_due_now_cents is not UNSET:
            field_dict["amountDueNowCents"] = self.amount_due_now_cents
        if effective_at is not UNSET:
            field_dict["effectiveAt"] = effective_at
        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)

        def _parse_effect(data: object) -> str | SubscriptionPreviewEffectType0:
            try:
                if not isinstance(data, str):
                    raise TypeError()
                effect_type_0 = check_subscription_preview_effect_type_0(data)

                return effect_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(str | SubscriptionPreviewEffectType0, data)

        effect = _parse_effect(d.pop("effect"))

        def _parse_effective_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                effective_at_type_0 = datetime.datetime.fromisoformat(data)

                return effective_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        effective_at = _parse_effective_at(d.pop("effectiveAt", UNSET))

        made = cls(
            effect=effect,
            reason=d.pop("reason", UNSET),
            current_tier_id=d.pop("currentTierId", UNSET),
            current_tier_name=d.pop("currentTierName", UNSET),
            target_tier_id=d.pop("targetTierId", UNSET),
            target_tier_name=d.pop("targetTierName", UNSET),
            monthly_credits_delta=d.pop("monthlyCreditsDelta", UNSET),
            amount_due_now_cents=d.pop("amountDueNowCents", UNSET),
            effective_at=effective_at,
        )
        made.additional_properties = d
        return made
