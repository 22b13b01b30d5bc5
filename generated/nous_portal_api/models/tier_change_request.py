from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, cast


@dataclass(slots=True)
class TierChangeRequest:
    """Another tier at the end of the period.

    Example:
        {'type': 'tier_change', 'subscriptionTypeId': 'tier_basic'}

    Attributes:
        type_ (Literal['tier_change']):
        subscription_type_id (str): An opaque id of a tier. It differs from deployment to deployment.

            Not settled: its alphabet and its greatest length.
             Example: tier_plus.
    """

    type_: Literal["tier_change"]
    subscription_type_id: str

    def to_dict(self) -> dict[str, Any]:
        return {"type": self.type_, "subscriptionTypeId": self.subscription_type_id}

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        type_ = cast(Literal["tier_change"], d.pop("type"))
        if type_ != "tier_change":
            raise ValueError(f"type must match const 'tier_change', got '{type_}'")
        return cls(type_=type_, subscription_type_id=d.pop("subscriptionTypeId"))
