from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(slots=True)
class SubscriptionPreviewRequest:
    """The tier to ask about.

    Example:
        {'subscriptionTypeId': 'tier_plus'}

    Attributes:
        subscription_type_id (str): An opaque id of a tier. It differs from deployment to deployment.

            Not settled: its alphabet and its greatest length.
             Example: tier_plus.
    """

    subscription_type_id: str

    def to_dict(self) -> dict[str, Any]:
        return {"subscriptionTypeId": self.subscription_type_id}

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        return cls(subscription_type_id=d.pop("subscriptionTypeId"))
