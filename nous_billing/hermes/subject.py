"""What a person pays for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..protocol.operations import Operation


@dataclass(frozen=True, slots=True)
class Subject:
    """What a person confirmed.

    Attributes:
        name: For a person, such as ``"$100"``.
        code: For the memory of payments, such as ``"charge 100"``.
        operation: Makes the request for a key.
        is_answer: Whether a success says how the payment ended, or under which id it goes on.
    """

    name: str
    code: str
    operation: Callable[[str], Operation[dict[str, Any]]]
    is_answer: Callable[[dict[str, Any]], bool]
