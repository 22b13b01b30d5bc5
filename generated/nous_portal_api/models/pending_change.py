from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ..types import UNSET, AdditionalProperties, Unset


@dataclass(slots=True)
class PendingChange(AdditionalProperties):
    """What is pending after a change of it: a change of the tier has `changeType` and `targetTierName`, a cancellation
    and its
    withdrawal have `cancelAtPeriodEnd`.

    Not settled: the values of `rail` and `changeType`, and what else is always there; it is read as optional.

    Example:
        {'rail': 'stripe', 'changeType': 'downgrade', 'targetTierName': 'Basic', 'message': 'Your plan changes on
            July 1.'}

    Attributes:
        rail (str):
        message (None | str | Unset):
        change_type (None | str | Unset):
        target_tier_name (None | str | Unset):
        cancel_at_period_end (bool | None | Unset):
    """

    rail: str
    message: None | str | Unset = UNSET
    change_type: None | str | Unset = UNSET
    target_tier_name: None | str | Unset = UNSET
    cancel_at_period_end: bool | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        field_dict: dict[str, Any] = {**self.additional_properties, "rail": self.rail}
        if self.message is not UNSET:
            field_dict["message"] = self.message
        if self.change_type is not UNSET:
            field_dict["changeType"] = self.change_type
        if self.target_tier_name is not UNSET:
            field_dict["targetTierName"] = self.target_tier_name
        if self.cancel_at_period_end is not UNSET:
            field_dict["cancelAtPeriodEnd"] = self.cancel_at_period_end
        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        made = cls(
            rail=d.pop("rail"),
            message=d.pop("message", UNSET),
            change_type=d.pop("changeType", UNSET),
            target_tier_name=d.pop("targetTierName", UNSET),
            cancel_at_period_end=d.pop("cancelAtPeriodEnd", UNSET),
        )
        made.additional_properties = d
        return made
