from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ..types import AdditionalProperties


@dataclass(slots=True)
class MonthlyCap(AdditionalProperties):
    """How much may be spent in a calendar month. An organisation with no cap of its own has the default ceiling of
    1000
    dollars.

    Example:
        {'limitUsd': '1000', 'spentThisMonthUsd': '250', 'isDefaultCeiling': True}

    Attributes:
        limit_usd (None | str):
        spent_this_month_usd (str): US dollars as a decimal string with as many places as it needs.

            Not settled: the greatest length; 32 characters are far beyond any sum.
             Example: 142.5.
        is_default_ceiling (bool):
    """

    limit_usd: None | str
    spent_this_month_usd: str
    is_default_ceiling: bool

    def to_dict(self) -> dict[str, Any]:
        return {
            **self.additional_properties,
            "limitUsd": self.limit_usd,
            "spentThisMonthUsd": self.spent_this_month_usd,
            "isDefaultCeiling": self.is_default_ceiling,
        }

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        made = cls(
            limit_usd=d.pop("limitUsd"),
            spent_this_month_usd=d.pop("spentThisMonthUsd"),
            is_default_ceiling=d.pop("isDefaultCeiling"),
        )
        made.additional_properties = d
        return made
