from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ..types import AdditionalProperties


@dataclass(slots=True)
class ChargeAccepted(AdditionalProperties):
    """The charge was accepted. It is not paid until its status is `settled`.

    Example:
        {'chargeId': 'ch_3PqXyZ'}

    Attributes:
        charge_id (str): An opaque id that the portal made.

            Not settled: its alphabet and its greatest length.
             Example: ch_3PqXyZ.
    """

    charge_id: str

    def to_dict(self) -> dict[str, Any]:
        return {**self.additional_properties, "chargeId": self.charge_id}

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        made = cls(charge_id=d.pop("chargeId"))
        made.additional_properties = d
        return made
