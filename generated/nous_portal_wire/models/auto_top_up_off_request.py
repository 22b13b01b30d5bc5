# nous_portal_wire/models/auto_top_up_off_request.py: made by scripts/generate.py
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from ..types import define as _attrs_define

T = TypeVar("T", bound="AutoTopUpOffRequest")


@_attrs_define
class AutoTopUpOffRequest:
    """Switches auto-reload off, which is always possible: `0` stands for an amount that was never set.

    Example:
        {'enabled': False, 'threshold': 0, 'topUpAmount': 0}

    Attributes:
        enabled (bool):
        threshold (float):
        top_up_amount (float):
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

        auto_top_up_off_request = cls(
            enabled=enabled,
            threshold=threshold,
            top_up_amount=top_up_amount,
        )

        return auto_top_up_off_request
