"""The portal as an ASGI application: its routes, and the record of each request."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib.parse import quote, unquote

from starlette.convertors import StringConvertor, register_url_convertor
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .endpoint import RECORD, Endpoint, read_body
from .recording import RecordedRequest
from .replies import Reply
from .traffic import Traffic
from .wire import send_reply

HTML = "text/html; charset=utf-8"

_NOT_FOUND = Reply(404, "<!doctype html><title>404</title><h1>This page could not be found.</h1>", media_type=HTML)
_logger = logging.getLogger("nous_billing.mock")


class _QuotedConvertor(StringConvertor):
    """A parameter in a path that is still quoted: a quoted slash does not end it."""

    regex = "[^/]*"

    def convert(self, value: str) -> str:
        return unquote(value)


register_url_convertor("quoted", _QuotedConvertor())


def build_app(
    traffic: Traffic,
    endpoints: Iterable[tuple[str, str, Endpoint]],
    pages: Mapping[str, Callable[[], Reply]],
    cors_origins: Sequence[str] = (),
) -> ASGIApp:
    """The application of these endpoints, each behind its method and path, and of fixed replies to GET by path.

    Scripts of pages of other origins may use it only if their origin is named, or `"*"`.
    """
    paths: dict[str, dict[str, ASGIApp]] = {path: {"GET": _Page(page)} for path, page in pages.items()}
    for method, path, endpoint in endpoints:
        paths.setdefault(path, {})[method] = endpoint
    # What has fewer parameters, or more text around them, is the closer match.
    ordered = sorted(paths, key=lambda path: (path.count("{"), -len(path)))
    routes = [Route(_pattern(path), _Path(traffic, paths[path])) for path in ordered]
    app: ASGIApp = Router(routes, redirect_slashes=False, default=_Path(traffic, {}))
    if cors_origins:
        any_of = ["*"]
        app = CORSMiddleware(app, cors_origins, any_of, any_of, expose_headers=["Retry-After"])
    return _Observed(app)


def _pattern(path: str) -> str:
    return quote(path, safe="/{}").replace("}", ":quoted}")


def _quoted(raw_path: bytes) -> str:
    """The path with each segment quoted in one way, however the client quoted it."""
    return "/".join(quote(unquote(segment), safe="") for segment in raw_path.decode("latin-1").split("/"))


class _Observed:
    """Records each request, and logs one line for it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        query = b"?" + scope["query_string"] if scope["query_string"] else b""
        path = (scope["raw_path"] + query).decode("latin-1")
        record = RecordedRequest(None, scope["method"], path, _headers(scope))
        scope[RECORD] = record

        async def observed(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
            await send(message)

        started = time.perf_counter()
        try:
            await self._app({**scope, "path": _quoted(scope["raw_path"])}, receive, observed)
        finally:
            status = "no reply" if record.status is None else record.status
            _logger.info("%s %s %s %.0f ms", record.method, path, status, (time.perf_counter() - started) * 1000)


class _Path:
    """One path: an endpoint for each method, or none at all."""

    def __init__(self, traffic: Traffic, endpoints: Mapping[str, ASGIApp]) -> None:
        self._traffic = traffic
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method: str = scope["method"]
        record: RecordedRequest = scope[RECORD]
        if method == "HEAD" and method not in self._endpoints and "GET" in self._endpoints:
            method, scope, send = "GET", {**scope, "method": "GET"}, _without_body(send)
        if method in self._endpoints:
            await self._endpoints[method](scope, receive, send)
            return
        body = await read_body(receive)
        if body is not None:
            record.body = body
            with self._traffic.lock:
                self._traffic.requests.append(record)
            reply = _NOT_FOUND
            if self._endpoints:
                allowed = ", ".join(self._allowed())
                message = f"This path does not take {method}, but {allowed}."
                reply = Reply(405, {"error": "method_not_allowed", "message": message}, {"Allow": allowed})
                if method == "OPTIONS":
                    reply = Reply(204, headers={"Allow": allowed})
            await send_reply(reply, send)

    def _allowed(self) -> list[str]:
        head = {"HEAD"} if "GET" in self._endpoints else set[str]()
        return sorted({*self._endpoints, *head, "OPTIONS"})


def _without_body(send: Send) -> Send:
    async def send_head(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return send_head


class _Page:
    """A reply that is always the same."""

    def __init__(self, page: Callable[[], Reply]) -> None:
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send_reply(self._page(), send)


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
