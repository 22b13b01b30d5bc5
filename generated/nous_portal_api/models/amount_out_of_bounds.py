from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, cast

from ..types import AdditionalProperties


@dataclass(slots=True)
class AmountOutOfBounds(AdditionalProperties):
    """The amount lies outside the `bounds` of the billing state.

    Example:
        {'error': 'amount_out_of_bounds', 'message': 'The amount must be between 10 and 10000 dollars.'}

    Attributes:
        error (Literal['amount_out_of_bounds']):
        message (str):
    """

    error: Literal["amount_out_of_bounds"]
    message: str

    def to_dict(self) -> dict[str, Any]:
        return {**self.additional_properties, "error": self.error, "message": self.message}

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        error = cast(Literal["amount_out_of_bounds"], d.pop("error"))
        if error != "amount_out_of_bounds":
            raise ValueError(f"error must match const 'amount_out_of_bounds', got '{error}'")
        made = cls(error=error, message=d.pop("message"))
        made.additional_properties = d
        return made
