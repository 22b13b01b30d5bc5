"""Clients of both HTTP libraries, to be given, for threads and for tasks."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import httpx
import httpx2
import pytest

from nous_billing import StaticToken
from tests.plain import NO_ROOTS

LIBRARIES = {"httpx": httpx, "httpx2": httpx2}
both_libraries = pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)


def given(kind: Any, library: ModuleType, url: str, *, token: str = "token-1", timeout: float = 5, **http: Any) -> Any:
    """Return a billing client that was given an HTTP client, made of these arguments."""
    made = getattr(library, "AsyncClient" if kind.is_async else "Client")(**{"verify": NO_ROOTS, **http})
    return kind.client(StaticToken(token), base_url=url, timeout=timeout, http_client=kind.keep(made))


def hook(kind: Any, act: Any) -> Any:
    """Return a hook of an HTTP client that does something; one for tasks is awaited."""

    async def awaited(event: Any) -> None:
        act(event)

    return awaited if kind.is_async else act


def transport(kind: Any, library: Any, act: Any, inner: Any = None) -> Any:
    """Return a transport that is none of the library's.

    ``act`` is handed the request and what sends it over the network, awaited or not, and returns a response or raises.
    That is the library's transport, unless another is given.
    """
    inner = inner or getattr(library, "AsyncHTTPTransport" if kind.is_async else "HTTPTransport")()

    class Sync(library.BaseTransport):  # type: ignore[misc]
        def handle_request(self, request: Any) -> Any:
            return act(request, inner.handle_request)

        def close(self) -> None:
            inner.close()

    class Async(library.AsyncBaseTransport):  # type: ignore[misc]
        async def handle_async_request(self, request: Any) -> Any:
            return await act(request, inner.handle_async_request)

        async def aclose(self) -> None:
            await inner.aclose()

    return Async() if kind.is_async else Sync()
