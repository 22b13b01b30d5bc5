"""The portal as an ASGI application: its routes, and the way of a request through it."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from starlette.convertors import PathConvertor, register_url_convertor
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .contract import ContractViolation, Operation
from .endpoint import RECORD, Endpoint, read_body
from .openapi import Json
from .page import render
from .recording import RecordedRequest
from .replies import Reply
from .wire import send_reply

if TYPE_CHECKING:
    from .portal import MockPortal

OAUTH_PATHS = {"oauth_token": "/api/oauth/token", "oauth_device_code": "/api/oauth/device/code"}

_HTML = "text/html; charset=utf-8"
_NOT_FOUND = Reply(404, "<!doctype html><title>404</title><h1>This page could not be found.</h1>", media_type=_HTML)
_logger = logging.getLogger("nous_billing.mock")


class _RestConvertor(PathConvertor):
    """All that is left of a path: a quoted slash or line break belongs to a last parameter."""

    regex = "(?s:.*)"


register_url_convertor("rest_of_path", _RestConvertor())

Handler = TypeVar("Handler", bound=Callable[..., Reply])


def handler(function: Handler) -> Handler:
    """Mark a method of the portal as the handler of the operation of its name."""
    function.__dict__["handles_operation"] = True
    return function


def build_app(portal: "MockPortal", document: Json, contract: list[Operation]) -> ASGIApp:
    """Bind each operation of the contract to the portal's handler of its name. One too many or too few is an error."""
    names = {operation.id for operation in contract}
    handlers = {
        name
        for base in type(portal).__mro__
        for name, value in vars(base).items()
        if hasattr(value, "handles_operation")
    }
    if handlers != names:
        raise ContractViolation(
            f"Operations without a handler: {sorted(names - handlers)}. "
            f"Handlers without an operation: {sorted(handlers - names)}."
        )
    paths: dict[str, dict[str, Endpoint]] = {}
    for operation in contract:
        path = f"{operation.path[:-1]}:rest_of_path}}" if operation.path.endswith("}") else operation.path
        endpoint = Endpoint(portal, operation.id, getattr(portal, operation.id), operation)
        paths.setdefault(path, {})[operation.method] = endpoint
    for name, path in OAUTH_PATHS.items():
        paths[path] = {"POST": Endpoint(portal, name, getattr(portal.oauth, name))}
    page = Reply(200, render(document), media_type=_HTML)
    pages = {"/openapi.json": Reply(200, document), "/": page, "/docs": page}
    routes = [Route(path, _Path(portal, endpoints)) for path, endpoints in paths.items()]
    routes += [Route(path, _Path(portal, {"GET": _Page(reply)})) for path, reply in pages.items()]
    return _Observed(Router(routes, redirect_slashes=False, default=_Path(portal, None)))


class _Observed:
    """Keeps a record of each request, and logs one line for it."""

    def __init__(self, router: ASGIApp) -> None:
        self._router = router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._router(scope, receive, send)
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
            await self._router(scope, receive, observed)
        finally:
            status = "no reply" if record.status is None else record.status
            _logger.info("%s %s %s %.0f ms", record.method, path, status, (time.perf_counter() - started) * 1000)


class _Path:
    """What stands at one path: an endpoint for each method, or nothing at all."""

    def __init__(self, portal: "MockPortal", endpoints: "Mapping[str, ASGIApp] | None") -> None:
        self._portal = portal
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._endpoints and scope["method"] in self._endpoints:
            await self._endpoints[scope["method"]](scope, receive, send)
            return
        body = await read_body(receive)
        if body is not None:
            scope[RECORD].body = body
            with self._portal.lock:
                self._portal.requests.append(scope[RECORD])
            reply = _NOT_FOUND
            if self._endpoints:
                reply = Reply(405, {"error": "method_not_allowed"}, {"Allow": ", ".join(self._endpoints)})
            await send_reply(reply, send)


class _Page:
    """The contract, for people or for programs."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send_reply(self._reply, send)


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
