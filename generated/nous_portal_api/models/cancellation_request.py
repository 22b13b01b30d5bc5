from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, cast


@dataclass(slots=True)
class CancellationRequest:
    """No subscription after the end of the period.

    Example:
        {'type': 'cancellation'}

    Attributes:
        type_ (Literal['cancellation']):
    """

    type_: Literal["cancellation"]

    def to_dict(self) -> dict[str, Any]:
        return {"type": self.type_}

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        type_ = cast(Literal["cancellation"], d.pop("type"))
        if type_ != "cancellation":
            raise ValueError(f"type must match const 'cancellation', got '{type_}'")
        return cls(type_=type_)
