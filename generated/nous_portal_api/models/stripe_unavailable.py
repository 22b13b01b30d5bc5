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

T = TypeVar("T", bound="StripeUnavailable")


@_attrs_define
class StripeUnavailable:
    """The payment processor is down. Nothing was charged.

    Example:
        {'error': 'stripe_unavailable'}

    Attributes:
        error (Literal['stripe_unavailable']):
        message (str | Unset):
    """

    error: Literal["stripe_unavailable"]
    message: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        error = self.error

        message = self.message

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "error": error,
            }
        )
        if message is not UNSET:
            field_dict["message"] = message

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        error = cast(Literal["stripe_unavailable"], d.pop("error"))
        if error != "stripe_unavailable":
            raise ValueError(
                f"error must match const 'stripe_unavailable', got '{error}'"
            )

        message = d.pop("message", UNSET)

        stripe_unavailable = cls(
            error=error,
            message=message,
        )

        stripe_unavailable.additional_properties = d
        return stripe_unavailable

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
