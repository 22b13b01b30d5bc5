"""What comes in and what goes out, before and after HTTP."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PORTAL_URL = "/billing?topup=open"


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request as a handler sees it. Header names are lower case; path parameters are unquoted."""

    base_url: str
    path_params: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """A reply: a status, a body that is encoded as its media type asks for, and headers."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    media_type: str = "application/json"

    def encoded(self) -> bytes:
        """The body as it goes over the wire."""
        if self.media_type == "application/json":
            return json.dumps(self.body, separators=(",", ":"), ensure_ascii=False).encode()
        return str(self.body).encode()


class Refusal(Exception):
    """Ends a handler with an error reply."""

    def __init__(self, status: int, error: str, message: str, *, retry_after: int | None = None, **extra: Any) -> None:
        super().__init__(message)
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        self.reply: Reply = Reply(status, {"error": error, "message": message, **extra}, headers)

    @classmethod
    def denied(cls, error: str, message: str, **extra: Any) -> "Refusal":
        """A gate's 403, which says where a person can put it right."""
        return cls(403, error, message, portalUrl=PORTAL_URL, **extra)


class ReplyLost(Exception):
    """Ends a handler that has acted, but whose reply never reaches the client."""
