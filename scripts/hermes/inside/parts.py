"""What a case is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Held = dict[str, bool]
"""What was looked at, and whether it held."""

Part = Callable[[], Held]
"""What a person does in one world; it runs in a process of its own."""


class Case(Protocol):
    def parts(self) -> tuple[Part, ...]:
        """Return the parts. What two of them look at must hold in both."""
        ...


class Parts:
    """A case that is given its parts."""

    def __init__(self, *parts: Part) -> None:
        self._parts = parts

    def parts(self) -> tuple[Part, ...]:
        return self._parts
