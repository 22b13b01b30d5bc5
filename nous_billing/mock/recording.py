"""The requests that the portal received."""

from dataclasses import dataclass

_SECRET_HEADERS = {"authorization", "proxy-authorization", "cookie", "x-nous-refresh-token"}


@dataclass
class RecordedRequest:
    """A request as it arrived. `path` is quoted as it arrived, and includes the query.

    `operation` is None where the contract has none; `status` is None as long as no reply was sent.
    """

    operation: str | None
    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""
    status: int | None = None

    @property
    def shown_headers(self) -> dict[str, str]:
        """The headers without secrets."""
        return {name: "***" if name in _SECRET_HEADERS else value for name, value in self.headers.items()}

    def __repr__(self) -> str:
        return (
            f"RecordedRequest(operation={self.operation!r}, method={self.method!r}, path={self.path!r}, "
            f"headers={self.shown_headers!r}, body=<{len(self.body)} bytes>, status={self.status!r})"
        )
