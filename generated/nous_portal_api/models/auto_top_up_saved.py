from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ..types import AdditionalProperties


@dataclass(slots=True)
class AutoTopUpSaved(AdditionalProperties):
    """The settings were saved.

    Example:
        {'ok': True}

    Attributes:
        ok (bool):
    """

    ok: bool

    def to_dict(self) -> dict[str, Any]:
        return {**self.additional_properties, "ok": self.ok}

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        made = cls(ok=d.pop("ok"))
        made.additional_properties = d
        return made
