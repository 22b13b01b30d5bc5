from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(slots=True)
class ChargeRequest:
    """A purchase. The amount must also lie within the `bounds` of the billing state.

    Example:
        {'amountUsd': 50}

    Attributes:
        amount_usd (float): US dollars as a JSON number, in whole cents: at most two decimal places (`x-decimal-
            places`). There is no `multipleOf`, because
            validators that divide binary floats would refuse amounts such as `19.99` by it.

            Not settled: the server's own greatest number. `1000000` is a hundred times the highest bound seen, and
            stops a slip of the
            hand.
             Example: 50.
    """

    amount_usd: float

    def to_dict(self) -> dict[str, Any]:
        return {"amountUsd": self.amount_usd}

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        return cls(amount_usd=d.pop("amountUsd"))
