from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ..types import AdditionalProperties


@dataclass(slots=True)
class SubscriptionTier(AdditionalProperties):
    """A tier. One that is not enabled can be kept, but no longer chosen.

    Example:
        {'tierId': 'tier_plus', 'name': 'Plus', 'tierOrder': 2, 'dollarsPerMonthDisplay': '20', 'monthlyCredits':
            '22', 'isCurrent': True, 'isEnabled': True}

    Attributes:
        tier_id (str): An opaque id of a tier. It differs from deployment to deployment.

            Not settled: its alphabet and its greatest length.
             Example: tier_plus.
        name (str):
        tier_order (int): A higher one is an upgrade.
        dollars_per_month_display (str): US dollars as a decimal string with as many places as it needs.

            Not settled: the greatest length; 32 characters are far beyond any sum.
             Example: 142.5.
        monthly_credits (str): US dollars as a decimal string with as many places as it needs.

            Not settled: the greatest length; 32 characters are far beyond any sum.
             Example: 142.5.
        is_current (bool):
        is_enabled (bool):
    """

    tier_id: str
    name: str
    tier_order: int
    dollars_per_month_display: str
    monthly_credits: str
    is_current: bool
    is_enabled: bool

    def to_dict(self) -> dict[str, Any]:
        return {
            **self.additional_properties,
            "tierId": self.tier_id,
            "name": self.name,
            "tierOrder": self.tier_order,
            "dollarsPerMonthDisplay": self.dollars_per_month_display,
            "monthlyCredits": self.monthly_credits,
            "isCurrent": self.is_current,
            "isEnabled": self.is_enabled,
        }

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        made = cls(
            tier_id=d.pop("tierId"),
            name=d.pop("name"),
            tier_order=d.pop("tierOrder"),
            dollars_per_month_display=d.pop("dollarsPerMonthDisplay"),
            monthly_credits=d.pop("monthlyCredits"),
            is_current=d.pop("isCurrent"),
            is_enabled=d.pop("isEnabled"),
        )
        made.additional_properties = d
        return made
