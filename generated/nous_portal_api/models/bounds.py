from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ..types import AdditionalProperties


@dataclass(slots=True)
class Bounds(AdditionalProperties):
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

    def to_dict(self) -> dict[str, Any]:
        return {**self.additional_properties, "minUsd": self.min_usd, "maxUsd": self.max_usd}

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        made = cls(min_usd=d.pop("minUsd"), max_usd=d.pop("maxUsd"))
        made.additional_properties = d
        return made
