# nous_portal_wire/models/charge_accepted.py: made by scripts/generate.py
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from ..types import define as _attrs_define
from ..types import field as _attrs_field

T = TypeVar("T", bound="ChargeAccepted")


@_attrs_define
class ChargeAccepted:
    """The charge was accepted. It is not paid until its status is `settled`.

    Example:
        {'chargeId': 'ch_3PqXyZ'}

    Attributes:
        charge_id (str): An opaque id that the portal made.

            Not settled: its alphabet and its greatest length.
             Example: ch_3PqXyZ.
    """

    charge_id: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        charge_id = self.charge_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "chargeId": charge_id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        charge_id = d.pop("chargeId")

        charge_accepted = cls(
            charge_id=charge_id,
        )

        charge_accepted.additional_properties = d
        return charge_accepted

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
