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

T = TypeVar("T", bound="IdempotencyKeyRequired")


@_attrs_define
class IdempotencyKeyRequired:
    """The `Idempotency-Key` header is missing or blank.

    Example:
        {'error': 'idempotency_key_required'}

    Attributes:
        error (Literal['idempotency_key_required']):
        message (str | Unset):
    """

    error: Literal["idempotency_key_required"]
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
        error = cast(Literal["idempotency_key_required"], d.pop("error"))
        if error != "idempotency_key_required":
            raise ValueError(
                f"error must match const 'idempotency_key_required', got '{error}'"
            )

        message = d.pop("message", UNSET)

        idempotency_key_required = cls(
            error=error,
            message=message,
        )

        idempotency_key_required.additional_properties = d
        return idempotency_key_required

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
