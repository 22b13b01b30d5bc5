from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, cast

from ..types import AdditionalProperties


@dataclass(slots=True)
class ValidationFailed(AdditionalProperties):
    """The body is not what the contract asks for.

    Example:
        {'error': 'validation_failed', 'message': 'amountUsd must be a multiple of 0.01.'}

    Attributes:
        error (Literal['validation_failed']):
        message (str):
    """

    error: Literal["validation_failed"]
    message: str

    def to_dict(self) -> dict[str, Any]:
        return {**self.additional_properties, "error": self.error, "message": self.message}

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        error = cast(Literal["validation_failed"], d.pop("error"))
        if error != "validation_failed":
            raise ValueError(f"error must match const 'validation_failed', got '{error}'")
        made = cls(error=error, message=d.pop("message"))
        made.additional_properties = d
        return made
