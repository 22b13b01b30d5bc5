# nous_portal_wire/models/charge_settled.py: made by scripts/generate.py
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import (
    Any,
    Literal,
    Self,
    TypeVar,
    cast,
)

from ..types import define as _attrs_define
from ..types import field as _attrs_field

T = TypeVar("T", bound="ChargeSettled")


@_attrs_define
class ChargeSettled:
    """Paid. The balance has been raised.

    Example:
        {'status': 'settled', 'amountUsd': '50', 'settledAt': '2026-06-13T10:00:00Z'}

    Attributes:
        status (Literal['settled']):
        amount_usd (str): US dollars as a decimal string with as many places as it needs.

            Not settled: the greatest length; 32 characters are far beyond any sum.
             Example: 142.5.
        settled_at (datetime.datetime): When it settled, with an offset.

            Not settled: leap seconds and lower-case letters, which RFC 3339 also allows; none was seen.
    """

    status: Literal["settled"]
    amount_usd: str
    settled_at: datetime.datetime
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        status = self.status

        amount_usd = self.amount_usd

        settled_at = self.settled_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "status": status,
                "amountUsd": amount_usd,
                "settledAt": settled_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        status = cast(Literal["settled"], d.pop("status"))
        if status != "settled":
            raise ValueError(f"status must match const 'settled', got '{status}'")

        amount_usd = d.pop("amountUsd")

        settled_at = datetime.datetime.fromisoformat(d.pop("settledAt"))

        charge_settled = cls(
            status=status,
            amount_usd=amount_usd,
            settled_at=settled_at,
        )

        charge_settled.additional_properties = d
        return charge_settled

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
