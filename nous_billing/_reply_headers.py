"""The headers of a reply, as results and errors carry them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ._printable import printable_value

# What portals and the proxies in front of them call it, the portal's own first.
_REQUEST_IDS = ("x-request-id", "request-id", "x-correlation-id", "x-vercel-id", "x-amzn-requestid", "cf-ray")
_LONGEST_ID = 200


class ReplyHeaders(Mapping[str, str]):
    """Headers of a reply: read-only, found by their names in any case. The repr has no values, which may be secret.

    >>> sent = {"Set-Cookie": "session=secret", "X-Request-Id": "req_1"}
    >>> headers = ReplyHeaders(sent)
    >>> headers["x-request-id"], "SET-COOKIE" in headers
    ('req_1', True)
    >>> headers
    ReplyHeaders(set-cookie, x-request-id)
    """

    # ``vars`` shows nothing then.
    __slots__ = ("_values",)

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        self._values = {name.lower(): value for name, value in (headers or {}).items()}

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self)})"


def request_id(headers: Mapping[str, str]) -> str | None:
    """Return the id that the portal, or a proxy in front of it, gave to a request, or None if it says none."""
    for name in _REQUEST_IDS:
        value = printable_value(headers.get(name, "")).strip()
        if value:
            return value[:_LONGEST_ID]
    return None
