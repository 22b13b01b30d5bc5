"""Requests and replies, without HTTP's framing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PORTAL_URL = "/billing?topup=open"
_NO_BODY = {204, 205, 304}


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as it arrived. Header names are lower case; path parameters and the query are unquoted."""

    base_url: str
    path_params: Mapping[str, str]
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """A reply: a status, a body, headers, and the body's media type, or None for no body at all.

    JSON is encoded from any value. Of any other media type the body is text or bytes. A 204 never has a body.
    """

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    media_type: str | None = "application/json"

    def __post_init__(self) -> None:
        if self.status in _NO_BODY:
            object.__setattr__(self, "media_type", None)

    @property
    def is_json(self) -> bool:
        """Whether the body is JSON."""
        return self.media_type is not None and names_json(self.media_type)

    def encoded(self) -> bytes:
        """The body as bytes."""
        if self.media_type is None:
            return b""
        if self.is_json:
            return json.dumps(self.body, separators=(",", ":"), ensure_ascii=False).encode()
        return self.body if isinstance(self.body, bytes) else str(self.body).encode()


def names_json(media_type: str) -> bool:
    """Whether a media type is JSON's, such as `application/json` or `application/problem+json`."""
    name = media_type.partition(";")[0].strip().lower()
    return name == "application/json" or name.endswith("+json")


class Refusal(Exception):
    """Ends a handler with an error reply."""

    def __init__(self, status: int, error: str, message: str, *, retry_after: int | None = None, **extra: Any) -> None:
        super().__init__(message)
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        self.reply: Reply = Reply(status, {"error": error, "message": message, **extra}, headers)

    @classmethod
    def denied(cls, error: str, message: str, **extra: Any) -> "Refusal":
        """A gate's 403, with the link where a person can fix it."""
        return cls(403, error, message, portalUrl=PORTAL_URL, **extra)


class ReplyLost(Exception):
    """Ends a handler that took effect, but whose reply never reaches the client."""

    def __init__(self, reply: Reply) -> None:
        super().__init__("The reply was lost.")
        self.reply: Reply = reply
