from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

from ..models.subscription_upgrade_status_type_0 import (
    SubscriptionUpgradeStatusType0,
    check_subscription_upgrade_status_type_0,
)
from ..types import UNSET, AdditionalProperties, Unset


@dataclass(slots=True)
class SubscriptionUpgrade(AdditionalProperties):
    """How an upgrade ended. `requires_action` and `payment_failed` are finished by a person at the `recoveryUrl`. With
    a status that
    is not in this list it is not known whether money moved.

    Example:
        {'status': 'upgraded', 'targetTierId': 'tier_plus', 'targetTierName': 'Plus'}

    Attributes:
        status (str | SubscriptionUpgradeStatusType0):
        target_tier_id (None | str | Unset):
        target_tier_name (None | str | Unset):
        reason (None | str | Unset):
        recovery_url (str | Unset): Where a person can put it right, usually relative by design: the server does not
            know which deployment the client
            reached it at. Resolve it against the base URL that answered.
             Example: /billing?topup=open.
    """

    status: str | SubscriptionUpgradeStatusType0
    target_tier_id: None | str | Unset = UNSET
    target_tier_name: None | str | Unset = UNSET
    reason: None | str | Unset = UNSET
    recovery_url: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        status: str
        if isinstance(self.status, str):
            status = self.status
        else:
            status = self.status
        field_dict: dict[str, Any] = {**self.additional_properties, "status": status}
        if self.target_tier_id is not UNSET:
            field_dict["targetTierId"] = self.target_tier_id
        if self.target_tier_name is not UNSET:
            field_dict["targetTierName"] = self.target_tier_name
        if self.reason is not UNSET:
            field_dict["reason"] = self.reason
        if self.recovery_url is not UNSET:
            field_dict["recoveryUrl"] = self.recovery_url
        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)

        def _parse_status(data: object) -> str | SubscriptionUpgradeStatusType0:
            try:
                if not isinstance(data, str):
                    raise TypeError()
                status_type_0 = check_subscription_upgrade_status_type_0(data)

                return status_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(str | SubscriptionUpgradeStatusType0, data)

        status = _parse_status(d.pop("status"))

        made = cls(
            status=status,
            target_tier_id=d.pop("targetTierId", UNSET),
            target_tier_name=d.pop("targetTierName", UNSET),
            reason=d.pop("reason", UNSET),
            recovery_url=d.pop("recoveryUrl", UNSET),
        )
        made.additional_properties = d
        return made
