"""Faults on demand: how a portal, or a proxy in front of it, fails."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

# As HTTP has them: what is sent otherwise breaks the connection.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
_VALUE = re.compile(r"(?![ \t])[^\x00-\x08\n-\x1f\x7f]*(?<![ \t])")
_PAGE = "<!doctype html><html><head><title>Nous Portal</title></head><body><h1>Nous Portal</h1></body></html>"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What the client gets instead of the reply. `acts` says whether the operation takes effect first."""

    kind: Literal["reply", "stall", "drop", "drip", "raw", "late", "twice"]
    acts: bool = False
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    delay: float = 0.0
    part: Literal["headers", "body"] = "body"

    @classmethod
    def reply(
        cls,
        status: int,
        body: Any = b"",
        headers: Mapping[str, str] | None = None,
        *,
        acts: bool = False,
        delay: float = 0.0,
    ) -> "Fault":
        """Any final status, registered or not, with any body and headers, after `delay` seconds.

        A body of bytes or text is sent unchanged, anything else as JSON. The content type is JSON unless `headers` has
        another. For a wrong length or an impossible status see `raw`.
        """
        if not 200 <= status <= 599:
            raise ValueError("Only Fault.raw can show a status outside 200 to 599.")
        named = {name.lower(): value for name, value in (headers or {}).items()}
        if {"content-length", "transfer-encoding"} & set(named):
            raise ValueError("Only Fault.raw can show a length of its own.")
        for name, value in named.items():
            if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
                raise ValueError(f"Only Fault.raw can show a header such as {name!r}: {value!r}.")
        if isinstance(body, str):
            body = body.encode()
        elif not isinstance(body, bytes):
            try:
                body = json.dumps(body).encode()
            except RecursionError:
                raise ValueError("The body is nested too deeply.") from None
        return cls(
            kind="reply",
            acts=acts,
            status=status,
            headers={"content-type": "application/json", **named},
            body=body,
            delay=delay,
        )

    @classmethod
    def html(cls, status: int = 200, *, acts: bool = False) -> "Fault":
        """A web page, as from a proxy or from a deployment without the route."""
        return cls.reply(status, _PAGE, {"content-type": "text/html; charset=utf-8"}, acts=acts)

    @classmethod
    def unavailable(cls, error: str = "temporarily_unavailable", *, retry_after: int | str = 60) -> "Fault":
        """503: a backend is down, or, with `stripe_unavailable`, the payment processor. Nothing was charged."""
        body = {"error": error, "message": "Try again in a moment."}
        return cls.reply(503, body, {"retry-after": str(retry_after)})

    @classmethod
    def stall(cls, *, acts: bool = False) -> "Fault":
        """No reply until the client closes the connection or the server stops."""
        return cls(kind="stall", acts=acts)

    @classmethod
    def drop(cls, *, acts: bool = False) -> "Fault":
        """The connection is dropped without a reply."""
        return cls(kind="drop", acts=acts)

    @classmethod
    def drip(cls, delay: float = 0.1, part: Literal["headers", "body"] = "body", *, acts: bool = True) -> "Fault":
        """The reply byte by byte, `delay` seconds apart: its headers and then the body at once, or only its body.

        Without `acts` the reply is `503 temporarily_unavailable`.
        """
        return cls(kind="drip", acts=acts, delay=delay, part=part)

    @classmethod
    def late(cls, delay: float, *, acts: bool = True) -> "Fault":
        """The reply after `delay` seconds. The operation takes effect before them.

        Without `acts` the reply is `503 temporarily_unavailable`.
        """
        return cls(kind="late", acts=acts, delay=delay)

    @classmethod
    def twice(cls, second: bytes = b"", *, acts: bool = True) -> "Fault":
        """The reply, and right behind it on the same connection a second one: these bytes, or the same reply again.

        Without `acts` the reply is `503 temporarily_unavailable`.
        """
        return cls(kind="twice", acts=acts, body=second)

    @classmethod
    def raw(cls, data: bytes, *, acts: bool = False) -> "Fault":
        """These bytes instead of an HTTP reply, then the end of the connection."""
        return cls(kind="raw", acts=acts, body=data)

    @property
    def shows_reply(self) -> bool:
        """Whether the client gets the reply itself."""
        return self.kind in {"drip", "late", "twice"}

    def shown_status(self, status: int) -> int | None:
        """The status that the client gets, where that of the reply is `status`. None without an HTTP reply."""
        if self.shows_reply:
            return status
        return self.status if self.kind == "reply" else None


class FaultQueue:
    """The faults that wait for their call, first in, first out."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Fault, str | None]] = []

    def put(self, fault: Fault, operation: str | None, times: int) -> None:
        """Show the fault at the next calls of the operation, or of any."""
        self._waiting.extend([(fault, operation)] * times)

    def clear(self) -> None:
        """Forget those that still wait."""
        self._waiting.clear()

    def take(self, operation: str) -> Fault | None:
        """The next fault of the operation, if one waits."""
        for index, (fault, name) in enumerate(self._waiting):
            if name in (None, operation):
                del self._waiting[index]
                return fault
        return None
