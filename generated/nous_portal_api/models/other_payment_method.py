from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ..types import AdditionalProperties


@dataclass(slots=True)
class OtherPaymentMethod(AdditionalProperties):
    """A kind that this contract does not know yet. Its fields are its own.

    Example:
        {'kind': 'bank_debit'}

    Attributes:
        kind (str):
    """

    kind: str

    def to_dict(self) -> dict[str, Any]:
        return {**self.additional_properties, "kind": self.kind}

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        made = cls(kind=d.pop("kind"))
        made.additional_properties = d
        return made
