"""Faults on demand: what a portal, or a proxy in front of it, does on a bad day."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

_PAGE = "<!doctype html><html><head><title>Nous Portal</title></head><body><h1>Nous Portal</h1></body></html>"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is shown in place of the reply. `acts` says whether the operation takes effect first."""

    kind: Literal["reply", "stall", "drop", "drip", "raw"]
    acts: bool = False
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    delay: float = 0.0
    part: Literal["headers", "body"] = "body"

    @classmethod
    def reply(
        cls, status: int, body: Any = b"", headers: Mapping[str, str] | None = None, *, acts: bool = False
    ) -> "Fault":
        """Any final status, body and headers. A body of bytes or text goes out as it is, anything else as JSON.

        The content type is JSON unless `headers` say otherwise. For a wrong length or an impossible status see `raw`.
        """
        if not 200 <= status <= 599:
            raise ValueError("Only Fault.raw can show a status outside 200 to 599.")
        named = {name.lower(): value for name, value in (headers or {}).items()}
        if {"content-length", "transfer-encoding"} & set(named):
            raise ValueError("Only Fault.raw can show a length of its own.")
        if isinstance(body, str):
            body = body.encode()
        elif not isinstance(body, bytes):
            body = json.dumps(body).encode()
        return cls(
            kind="reply", acts=acts, status=status, headers={"content-type": "application/json", **named}, body=body
        )

    @classmethod
    def html(cls, status: int = 200, *, acts: bool = False) -> "Fault":
        """A web page, as a proxy sends it or a deployment without the route."""
        return cls.reply(status, _PAGE, {"content-type": "text/html; charset=utf-8"}, acts=acts)

    @classmethod
    def unavailable(cls, error: str = "temporarily_unavailable", *, retry_after: int | str = 60) -> "Fault":
        """503: a backend is down, or, with `stripe_unavailable`, the payment processor. Nothing was charged."""
        body = {"error": error, "message": "Try again in a moment."}
        return cls.reply(503, body, {"retry-after": str(retry_after)})

    @classmethod
    def stall(cls, *, acts: bool = False) -> "Fault":
        """No reply, until the client goes away or the server stops."""
        return cls(kind="stall", acts=acts)

    @classmethod
    def drop(cls, *, acts: bool = False) -> "Fault":
        """The connection is dropped without a reply."""
        return cls(kind="drop", acts=acts)

    @classmethod
    def drip(cls, delay: float = 0.1, part: Literal["headers", "body"] = "body", *, acts: bool = True) -> "Fault":
        """The reply byte by byte, `delay` seconds apart: its headers and then the body at once, or its body only.

        Without `acts` what drips is a `503 temporarily_unavailable`.
        """
        return cls(kind="drip", acts=acts, delay=delay, part=part)

    @classmethod
    def raw(cls, data: bytes, *, acts: bool = False) -> "Fault":
        """These bytes on the wire in place of an HTTP reply, then the end of the connection."""
        return cls(kind="raw", acts=acts, body=data)

    def shown_status(self, status: int) -> int | None:
        """The status that goes out in place of, or with, the reply's own."""
        return {"reply": self.status, "drip": status}.get(self.kind)


class FaultQueue:
    """The faults that wait for their call, first come first served."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Fault, str | None]] = []

    def put(self, fault: Fault, operation: str | None, times: int) -> None:
        """Let the next calls of the operation, or of any, meet the fault."""
        self._waiting.extend([(fault, operation)] * times)

    def take(self, operation: str) -> Fault | None:
        """The fault that a call of the operation meets."""
        for index, (fault, name) in enumerate(self._waiting):
            if name in (None, operation):
                del self._waiting[index]
                return fault
        return None
