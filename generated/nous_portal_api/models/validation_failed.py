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

T = TypeVar("T", bound="ValidationFailed")


@_attrs_define
class ValidationFailed:
    """The body is not what the contract asks for.

    Example:
        {'error': 'validation_failed', 'message': 'amountUsd must be a multiple of 0.01.'}

    Attributes:
        error (Literal['validation_failed']):
        message (str):
    """

    error: Literal["validation_failed"]
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
        error = cast(Literal["validation_failed"], d.pop("error"))
        if error != "validation_failed":
            raise ValueError(
                f"error must match const 'validation_failed', got '{error}'"
            )

        message = d.pop("message")

        validation_failed = cls(
            error=error,
            message=message,
        )

        validation_failed.additional_properties = d
        return validation_failed

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
