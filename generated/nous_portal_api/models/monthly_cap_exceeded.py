from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, cast

from ..types import UNSET, AdditionalProperties, Unset


@dataclass(slots=True)
class MonthlyCapExceeded(AdditionalProperties):
    """The charge would exceed the monthly cap.

    Example:
        {'error': 'monthly_cap_exceeded', 'remainingUsd': '12.5', 'isDefaultCeiling': True, 'portalUrl':
            '/billing?topup=open'}

    Attributes:
        error (Literal['monthly_cap_exceeded']):
        remaining_usd (str): US dollars as a decimal string with as many places as it needs.

            Not settled: the greatest length; 32 characters are far beyond any sum.
             Example: 142.5.
        is_default_ceiling (bool):
        portal_url (str): Where a person can put it right, usually relative by design: the server does not know
            which deployment the client
            reached it at. Resolve it against the base URL that answered.
             Example: /billing?topup=open.
        message (str | Unset):
    """

    error: Literal["monthly_cap_exceeded"]
    remaining_usd: str
    is_default_ceiling: bool
    portal_url: str
    message: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        field_dict: dict[str, Any] = {
            **self.additional_properties,
            "error": self.error,
            "remainingUsd": self.remaining_usd,
            "isDefaultCeiling": self.is_default_ceiling,
            "portalUrl": self.portal_url,
        }
        if self.message is not UNSET:
            field_dict["message"] = self.message
        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        error = cast(Literal["monthly_cap_exceeded"], d.pop("error"))
        if error != "monthly_cap_exceeded":
            raise ValueError(f"error must match const 'monthly_cap_exceeded', got '{error}'")
        made = cls(
            error=error,
            remaining_usd=d.pop("remainingUsd"),
            is_default_ceiling=d.pop("isDefaultCeiling"),
            portal_url=d.pop("portalUrl"),
            message=d.pop("message", UNSET),
        )
        made.additional_properties = d
        return made
