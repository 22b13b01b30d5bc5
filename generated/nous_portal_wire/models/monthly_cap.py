# nous_portal_wire/models/monthly_cap.py: made by scripts/generate.py
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from ..types import define as _attrs_define
from ..types import field as _attrs_field

T = TypeVar("T", bound="MonthlyCap")


@_attrs_define
class MonthlyCap:
    """How much may be spent in a calendar month. An organisation with no cap of its own has the default ceiling of 1000
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
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        limit_usd: None | str
        limit_usd = self.limit_usd

        spent_this_month_usd = self.spent_this_month_usd

        is_default_ceiling = self.is_default_ceiling

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "limitUsd": limit_usd,
                "spentThisMonthUsd": spent_this_month_usd,
                "isDefaultCeiling": is_default_ceiling,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)

        def _parse_limit_usd(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        limit_usd = _parse_limit_usd(d.pop("limitUsd"))

        spent_this_month_usd = d.pop("spentThisMonthUsd")

        is_default_ceiling = d.pop("isDefaultCeiling")

        monthly_cap = cls(
            limit_usd=limit_usd,
            spent_this_month_usd=spent_this_month_usd,
            is_default_ceiling=is_default_ceiling,
        )

        monthly_cap.additional_properties = d
        return monthly_cap

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
