from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(slots=True)
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
        return {"enabled": self.enabled, "threshold": self.threshold, "topUpAmount": self.top_up_amount}

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        return cls(enabled=d.pop("enabled"), threshold=d.pop("threshold"), top_up_amount=d.pop("topUpAmount"))
