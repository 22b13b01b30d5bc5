"""The HTTP client that a caller gave: whether it can be used, and what of its own goes along with a request."""

from __future__ import annotations

from typing import Any, Literal

from .._arguments import kind_of
from .._secrets import reveal
from ..errors import BillingInvalidRequest
from ..protocol.exchange import Send
from . import sender as transport

LIBRARIES = ("httpx", "httpx2")

# Who asks, for what, and how a request and its reply are framed; and every name that begins like the last one.
_OURS = frozenset(
    {"accept", "authorization", "connection", "cookie", "expect", "host", "idempotency-key"}
    | {"keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
_CONTENT = "content-"


def check_client(http: object, kind: Literal["Client", "AsyncClient"]) -> None:
    """Refuse what is no client of httpx or httpx2, and one for tasks where one for threads is needed, or vice versa.

    Raises:
        BillingInvalidRequest: ``error`` is ``"invalid_http_client"``.
    """
    # By name: neither library is loaded for this, and a test may have replaced the class.
    ancestors = {(each.__module__.partition(".")[0], each.__qualname__) for each in type(http).__mro__}
    if ancestors.isdisjoint((library, kind) for library in LIBRARIES):
        # A client of the other kind has the same name but for its module.
        library = "" if isinstance(http, type) else f"{type(http).__module__}.".removeprefix("builtins.")
        raise BillingInvalidRequest(
            f"http_client must be an httpx.{kind} or an httpx2.{kind} here, not {library}{kind_of(http)}.",
            error="invalid_http_client",
        )


def request(http: Any, step: Send, extensions: dict[str, Any]) -> Any:
    """Make the request of a step, with the headers and the parameters of the client that do not touch ours."""
    operation = step.operation
    url = f"{step.base_url}{operation.path}"
    framing = {} if operation.body is None else {"Content-Length": str(len(reveal(operation.body)))}
    if transport.moves_money(step):
        framing["Connection"] = "close"
    made = http.build_request(
        operation.method,
        url,
        headers={**transport.headers(step), **framing},
        content=reveal(operation.body),
        extensions=extensions,
    )
    theirs = [name for name in (*http.headers, "cookie") if name in _OURS or name.startswith(_CONTENT)]
    ours = {name.lower() for name in (*transport.headers(step), *framing)}
    for name in theirs:
        if name not in ours:
            made.headers.pop(name, None)
    if http.params:
        # The library puts them in the place of the operation's own.
        made.url = _with_parameters(type(made.url)(url), http.params)
    made.headers["Host"] = made.url.netloc.decode("ascii")
    return made


def _with_parameters(url: Any, parameters: Any) -> Any:
    """Add the client's parameters, but for those whose names the operation uses; its own query stays as it is."""
    for name in url.params:
        parameters = parameters.remove(name)
    query = [each for each in (url.query, str(parameters).encode("ascii")) if each]
    return url.copy_with(query=b"&".join(query)) if parameters else url
