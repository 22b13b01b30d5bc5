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

T = TypeVar("T", bound="AmountOutOfBounds")


@_attrs_define
class AmountOutOfBounds:
    """The amount lies outside the `bounds` of the billing state.

    Example:
        {'error': 'amount_out_of_bounds', 'message': 'The amount must be between 10 and 10000 dollars.'}

    Attributes:
        error (Literal['amount_out_of_bounds']):
        message (str):
    """

    error: Literal["amount_out_of_bounds"]
    message: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        error = self.error

        message = self.message

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "error": error,
                "message": message,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        error = cast(Literal["amount_out_of_bounds"], d.pop("error"))
        if error != "amount_out_of_bounds":
            raise ValueError(
                f"error must match const 'amount_out_of_bounds', got '{error}'"
            )

        message = d.pop("message")

        amount_out_of_bounds = cls(
            error=error,
            message=message,
        )

        amount_out_of_bounds.additional_properties = d
        return amount_out_of_bounds

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
