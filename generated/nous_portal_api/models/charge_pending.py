from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, cast

from ..types import AdditionalProperties


@dataclass(slots=True)
class ChargePending(AdditionalProperties):
    """Not settled yet, or an unknown or foreign id.

    Example:
        {'status': 'pending'}

    Attributes:
        status (Literal['pending']):
    """

    status: Literal["pending"]

    def to_dict(self) -> dict[str, Any]:
        return {**self.additional_properties, "status": self.status}

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        status = cast(Literal["pending"], d.pop("status"))
        if status != "pending":
            raise ValueError(f"status must match const 'pending', got '{status}'")
        made = cls(status=status)
        made.additional_properties = d
        return made
