from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, cast

from ..types import UNSET, AdditionalProperties, Unset


@dataclass(slots=True)
class UpgradeCapExceeded(AdditionalProperties):
    """The organisation has had its 5 upgrades of the day. Not a payment failure.

    Example:
        {'error': 'upgrade_cap_exceeded'}

    Attributes:
        error (Literal['upgrade_cap_exceeded']):
        message (str | Unset):
    """

    error: Literal["upgrade_cap_exceeded"]
    message: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        field_dict: dict[str, Any] = {**self.additional_properties, "error": self.error}
        if self.message is not UNSET:
            field_dict["message"] = self.message
        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        error = cast(Literal["upgrade_cap_exceeded"], d.pop("error"))
        if error != "upgrade_cap_exceeded":
            raise ValueError(f"error must match const 'upgrade_cap_exceeded', got '{error}'")
        made = cls(error=error, message=d.pop("message", UNSET))
        made.additional_properties = d
        return made
