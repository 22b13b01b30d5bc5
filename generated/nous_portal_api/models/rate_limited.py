from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, cast

from ..types import UNSET, AdditionalProperties, Unset


@dataclass(slots=True)
class RateLimited(AdditionalProperties):
    """Too many charges in an hour. Not a payment failure.

    Example:
        {'error': 'rate_limited'}

    Attributes:
        error (Literal['rate_limited']):
        message (str | Unset):
    """

    error: Literal["rate_limited"]
    message: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        field_dict: dict[str, Any] = {**self.additional_properties, "error": self.error}
        if self.message is not UNSET:
            field_dict["message"] = self.message
        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        error = cast(Literal["rate_limited"], d.pop("error"))
        if error != "rate_limited":
            raise ValueError(f"error must match const 'rate_limited', got '{error}'")
        made = cls(error=error, message=d.pop("message", UNSET))
        made.additional_properties = d
        return made
