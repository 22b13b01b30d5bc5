from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

from ..types import UNSET, AdditionalProperties, Unset


@dataclass(slots=True)
class CurrentSubscription(AdditionalProperties):
    """The plan of the organisation. It has one pending change at most.

    Example:
        {'tierId': 'tier_plus', 'tierName': 'Plus', 'monthlyCredits': '22', 'creditsRemaining': '7.25',
            'cycleEndsAt': '2026-07-01T00:00:00Z', 'cancelAtPeriodEnd': False}

    Attributes:
        tier_id (str): An opaque id of a tier. It differs from deployment to deployment.

            Not settled: its alphabet and its greatest length.
             Example: tier_plus.
        tier_name (str):
        monthly_credits (str): US dollars as a decimal string with as many places as it needs.

            Not settled: the greatest length; 32 characters are far beyond any sum.
             Example: 142.5.
        credits_remaining (None | str): What is left of them in this period.

            Not settled: whether it can be null; it is read so.
        cycle_ends_at (datetime.datetime): A date and time with an offset.

            Not settled: leap seconds and lower-case letters, which RFC 3339 also allows; none was seen.
             Example: 2026-06-13T10:00:00Z.
        cancel_at_period_end (bool):
        pending_downgrade_tier_name (None | str | Unset):
        pending_downgrade_at (datetime.datetime | None | Unset):
        cancellation_effective_at (datetime.datetime | None | Unset):
    """

    tier_id: str
    tier_name: str
    monthly_credits: str
    credits_remaining: None | str
    cycle_ends_at: datetime.datetime
    cancel_at_period_end: bool
    pending_downgrade_tier_name: None | str | Unset = UNSET
    pending_downgrade_at: datetime.datetime | None | Unset = UNSET
    cancellation_effective_at: datetime.datetime | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        cycle_ends_at = self.cycle_ends_at.isoformat()
        pending_downgrade_at: None | str | Unset
        if isinstance(self.pending_downgrade_at, Unset):
            pending_downgrade_at = UNSET
        elif isinstance(self.pending_downgrade_at, datetime.datetime):
            pending_downgrade_at = self.pending_downgrade_at.isoformat()
        else:
            pending_downgrade_at = self.pending_downgrade_at
        cancellation_effective_at: None | str | Unset
        if isinstance(self.cancellation_effective_at, Unset):
            cancellation_effective_at = UNSET
        elif isinstance(self.cancellation_effective_at, datetime.datetime):
            cancellation_effective_at = self.cancellation_effective_at.isoformat()
        else:
            cancellation_effective_at = self.cancellation_effective_at
        field_dict: dict[str, Any] = {
            **self.additional_properties,
            "tierId": self.tier_id,
            "tierName": self.tier_name,
            "monthlyCredits": self.monthly_credits,
            "creditsRemaining": self.credits_remaining,
            "cycleEndsAt": cycle_ends_at,
            "cancelAtPeriodEnd": self.cancel_at_period_end,
        }
        if self.pending_downgrade_tier_name is not UNSET:
            field_dict["pendingDowngradeTierName"] = self.pending_downgrade_tier_name
        if pending_downgrade_at is not UNSET:
            field_dict["pendingDowngradeAt"] = pending_downgrade_at
        if cancellation_effective_at is not UNSET:
            field_dict["cancellationEffectiveAt"] = cancellation_effective_at
        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        cycle_ends_at = datetime.datetime.fromisoformat(d.pop("cycleEndsAt"))

        def _parse_pending_downgrade_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                pending_downgrade_at_type_0 = datetime.datetime.fromisoformat(data)

                return pending_downgrade_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        pending_downgrade_at = _parse_pending_downgrade_at(d.pop("pendingDowngradeAt", UNSET))

        def _parse_cancellation_effective_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                cancellation_effective_at_type_0 = datetime.datetime.fromisoformat(data)

                return cancellation_effective_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        cancellation_effective_at = _parse_cancellation_effective_at(d.pop("cancellationEffectiveAt", UNSET))

        made = cls(
            tier_id=d.pop("tierId"),
            tier_name=d.pop("tierName"),
            monthly_credits=d.pop("monthlyCredits"),
            credits_remaining=d.pop("creditsRemaining"),
            cycle_ends_at=cycle_ends_at,
            cancel_at_period_end=d.pop("cancelAtPeriodEnd"),
            pending_downgrade_tier_name=d.pop("pendingDowngradeTierName", UNSET),
            pending_downgrade_at=pending_downgrade_at,
            cancellation_effective_at=cancellation_effective_at,
        )
        made.additional_properties = d
        return made
