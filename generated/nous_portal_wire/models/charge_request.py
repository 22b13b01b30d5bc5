# nous_portal_wire/models/charge_request.py: made by scripts/generate.py
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from ..types import define as _attrs_define

T = TypeVar("T", bound="ChargeRequest")


@_attrs_define
class ChargeRequest:
    """A purchase. The amount must also lie within the `bounds` of the billing state.

    Example:
        {'amountUsd': 50}

    Attributes:
        amount_usd (float): US dollars as a JSON number, in whole cents.

            Not settled: the server's own greatest number. `1000000` is a hundred times the highest bound seen, and stops a
            slip of the
            hand.
             Example: 50.
    """

    amount_usd: float

    def to_dict(self) -> dict[str, Any]:
        amount_usd = self.amount_usd

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "amountUsd": amount_usd,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        amount_usd = d.pop("amountUsd")

        charge_request = cls(
            amount_usd=amount_usd,
        )

        return charge_request
