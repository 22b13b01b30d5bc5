# nous_portal_wire/models/auto_top_up_request.py: made by scripts/generate.py
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from ..types import define as _attrs_define

T = TypeVar("T", bound="AutoTopUpRequest")


@_attrs_define
class AutoTopUpRequest:
    """The auto-reload settings. Any other key (`maxMonthlySpend`, a payment method) is `400`. Terminal screens also ask
    that
    `topUpAmount` be greater than `threshold`: it is what the balance is reloaded **to**.

        Example:
            {'enabled': True, 'threshold': 20, 'topUpAmount': 100}

        Attributes:
            enabled (bool):
            threshold (float): US dollars as a JSON number, in whole cents.

                Not settled: the server's own greatest number. `1000000` is a hundred times the highest bound seen, and stops a
                slip of the
                hand.
                 Example: 50.
            top_up_amount (float): US dollars as a JSON number, in whole cents.

                Not settled: the server's own greatest number. `1000000` is a hundred times the highest bound seen, and stops a
                slip of the
                hand.
                 Example: 50.
    """

    enabled: bool
    threshold: float
    top_up_amount: float

    def to_dict(self) -> dict[str, Any]:
        enabled = self.enabled

        threshold = self.threshold

        top_up_amount = self.top_up_amount

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "enabled": enabled,
                "threshold": threshold,
                "topUpAmount": top_up_amount,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        enabled = d.pop("enabled")

        threshold = d.pop("threshold")

        top_up_amount = d.pop("topUpAmount")

        auto_top_up_request = cls(
            enabled=enabled,
            threshold=threshold,
            top_up_amount=top_up_amount,
        )

        return auto_top_up_request
