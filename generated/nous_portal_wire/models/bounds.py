# nous_portal_wire/models/bounds.py: made by scripts/generate.py
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from ..types import define as _attrs_define
from ..types import field as _attrs_field

T = TypeVar("T", bound="Bounds")


@_attrs_define
class Bounds:
    """The smallest and the greatest amount of one charge.

    Example:
        {'minUsd': '10', 'maxUsd': '10000'}

    Attributes:
        min_usd (str): US dollars as a decimal string with as many places as it needs.

            Not settled: the greatest length; 32 characters are far beyond any sum.
             Example: 142.5.
        max_usd (str): US dollars as a decimal string with as many places as it needs.

            Not settled: the greatest length; 32 characters are far beyond any sum.
             Example: 142.5.
    """

    min_usd: str
    max_usd: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        min_usd = self.min_usd

        max_usd = self.max_usd

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "minUsd": min_usd,
                "maxUsd": max_usd,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        min_usd = d.pop("minUsd")

        max_usd = d.pop("maxUsd")

        bounds = cls(
            min_usd=min_usd,
            max_usd=max_usd,
        )

        bounds.additional_properties = d
        return bounds

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
