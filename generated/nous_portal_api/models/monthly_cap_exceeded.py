from __future__ import annotations

from collections.abc import Mapping
from typing import (
    Any,
    Literal,
    Self,
    TypeVar,
    cast,
)

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="MonthlyCapExceeded")


@_attrs_define
class MonthlyCapExceeded:
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
        portal_url (str): Where a person can put it right, usually relative by design: the server does not know which
            deployment the client
            reached it at. Resolve it against the base URL that answered.
             Example: /billing?topup=open.
        message (str | Unset):
    """

    error: Literal["monthly_cap_exceeded"]
    remaining_usd: str
    is_default_ceiling: bool
    portal_url: str
    message: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        error = self.error

        remaining_usd = self.remaining_usd

        is_default_ceiling = self.is_default_ceiling

        portal_url = self.portal_url

        message = self.message

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "error": error,
                "remainingUsd": remaining_usd,
                "isDefaultCeiling": is_default_ceiling,
                "portalUrl": portal_url,
            }
        )
        if message is not UNSET:
            field_dict["message"] = message

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        error = cast(Literal["monthly_cap_exceeded"], d.pop("error"))
        if error != "monthly_cap_exceeded":
            raise ValueError(
                f"error must match const 'monthly_cap_exceeded', got '{error}'"
            )

        remaining_usd = d.pop("remainingUsd")

        is_default_ceiling = d.pop("isDefaultCeiling")

        portal_url = d.pop("portalUrl")

        message = d.pop("message", UNSET)

        monthly_cap_exceeded = cls(
            error=error,
            remaining_usd=remaining_usd,
            is_default_ceiling=is_default_ceiling,
            portal_url=portal_url,
            message=message,
        )

        monthly_cap_exceeded.additional_properties = d
        return monthly_cap_exceeded

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
