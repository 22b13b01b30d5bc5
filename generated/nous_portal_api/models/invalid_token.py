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

T = TypeVar("T", bound="InvalidToken")


@_attrs_define
class InvalidToken:
    """The bearer is missing, malformed or expired.

    Example:
        {'error': 'invalid_token', 'message': 'The token has expired.'}

    Attributes:
        error (Literal['invalid_token']):
        message (str | Unset):
    """

    error: Literal["invalid_token"]
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
        error = cast(Literal["invalid_token"], d.pop("error"))
        if error != "invalid_token":
            raise ValueError(f"error must match const 'invalid_token', got '{error}'")

        message = d.pop("message", UNSET)

        invalid_token = cls(
            error=error,
            message=message,
        )

        invalid_token.additional_properties = d
        return invalid_token

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
