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

T = TypeVar("T", bound="ConsentRequired")


@_attrs_define
class ConsentRequired:
    """The card asks for a confirmation on the portal, once.

    Example:
        {'error': 'consent_required', 'portalUrl': '/billing?topup=open'}

    Attributes:
        error (Literal['consent_required']):
        portal_url (str): Where a person can put it right, usually relative by design: the server does not know which
            deployment the client
            reached it at. Resolve it against the base URL that answered.
             Example: /billing?topup=open.
        message (str | Unset):
    """

    error: Literal["consent_required"]
    portal_url: str
    message: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        error = self.error

        portal_url = self.portal_url

        message = self.message

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "error": error,
                "portalUrl": portal_url,
            }
        )
        if message is not UNSET:
            field_dict["message"] = message

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        error = cast(Literal["consent_required"], d.pop("error"))
        if error != "consent_required":
            raise ValueError(
                f"error must match const 'consent_required', got '{error}'"
            )

        portal_url = d.pop("portalUrl")

        message = d.pop("message", UNSET)

        consent_required = cls(
            error=error,
            portal_url=portal_url,
            message=message,
        )

        consent_required.additional_properties = d
        return consent_required

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
