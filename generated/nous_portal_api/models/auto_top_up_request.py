from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(slots=True)
class AutoTopUpRequest:
    """The auto-reload settings. Any other key (`maxMonthlySpend`, a payment method) is `400`. Terminal screens also
    ask that
    `topUpAmount` be greater than `threshold`: it is what the balance is reloaded **to**.

    Example:
        {'enabled': True, 'threshold': 20, 'topUpAmount': 100}

    Attributes:
        enabled (bool):
        threshold (float): US dollars as a JSON number, in whole cents: at most two decimal places (`x-decimal-
            places`). There is no `multipleOf`, because
            validators that divide binary floats would refuse amounts such as `19.99` by it.

            Not settled: the server's own greatest number. `1000000` is a hundred times the highest bound seen, and
            stops a slip of the
            hand.
             Example: 50.
        top_up_amount (float): US dollars as a JSON number, in whole cents: at most two decimal places (`x-decimal-
            places`). There is no `multipleOf`, because
            validators that divide binary floats would refuse amounts such as `19.99` by it.

            Not settled: the server's own greatest number. `1000000` is a hundred times the highest bound seen, and
            stops a slip of the
            hand.
             Example: 50.
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
