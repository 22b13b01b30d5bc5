"""What the result of every call carries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ._reply_headers import ReplyHeaders, request_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A reply of the portal that was read.

    Attributes:
        raw: The decoded JSON, unknown fields included; its numbers are ``int`` and ``Decimal``.
        headers: The headers of the reply, found by their names in any case. They count in no comparison.
    """

    raw: dict[str, Any] = field(default_factory=dict[str, Any], repr=False, hash=False)
    headers: ReplyHeaders = field(default_factory=ReplyHeaders, repr=False, compare=False)

    @property
    def request_id(self) -> str | None:
        """The id of the request at the portal, or None if the reply has none. Tell it to the portal's support."""
        return request_id(self.headers)
