from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, cast

from ..types import AdditionalProperties


@dataclass(slots=True)
class ChargeSettled(AdditionalProperties):
    """Paid. The balance has been raised.

    Example:
        {'status': 'settled', 'amountUsd': '50', 'settledAt': '2026-06-13T10:00:00Z'}

    Attributes:
        status (Literal['settled']):
        amount_usd (str): US dollars as a decimal string with as many places as it needs.

            Not settled: the greatest length; 32 characters are far beyond any sum.
             Example: 142.5.
        settled_at (datetime.datetime): A date and time with an offset.

            Not settled: leap seconds and lower-case letters, which RFC 3339 also allows; none was seen.
             Example: 2026-06-13T10:00:00Z.
    """

    status: Literal["settled"]
    amount_usd: str
    settled_at: datetime.datetime

    def to_dict(self) -> dict[str, Any]:
        settled_at = self.settled_at.isoformat()
        return {
            **self.additional_properties,
            "status": self.status,
            "amountUsd": self.amount_usd,
            "settledAt": settled_at,
        }

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        status = cast(Literal["settled"], d.pop("status"))
        if status != "settled":
            raise ValueError(f"status must match const 'settled', got '{status}'")
        settled_at = datetime.datetime.fromisoformat(d.pop("settledAt"))

        made = cls(status=status, amount_usd=d.pop("amountUsd"), settled_at=settled_at)
        made.additional_properties = d
        return made
