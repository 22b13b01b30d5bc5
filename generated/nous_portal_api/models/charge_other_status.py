from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ..types import AdditionalProperties


@dataclass(slots=True)
class ChargeOtherStatus(AdditionalProperties):
    """A status that this contract does not know yet. Read it as `pending`.

    Example:
        {'status': 'refunding'}

    Attributes:
        status (str):
    """

    status: str

    def to_dict(self) -> dict[str, Any]:
        return {**self.additional_properties, "status": self.status}

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        made = cls(status=d.pop("status"))
        made.additional_properties = d
        return made
