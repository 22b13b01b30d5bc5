"""Requests through httpx: where the caller gave a client of it, or the environment names a proxy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import httpx

from ..protocol.exchange import Send
from ..protocol.replies import Failure, Reply
from . import sender as transport
from .deadline import ClosingBackend, DeadlineBackend, InFlightRequest, current_request

HttpT = TypeVar("HttpT", httpx.Client, httpx.AsyncClient)

LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=transport.KEEP_SECONDS)

# A proxy would be handed the bearer token in clear.
NO_PROXY_FOR_LOOPBACK = {"all://localhost": None, "all://127.0.0.1": None, "all://[::1]": None}


def proxied_sender() -> HttpxSender:
    """Return a sender that uses the proxies of the environment.

    Raises:
        ImportError, ValueError, httpx.InvalidURL: They cannot be used.
    """
    client = httpx.Client(verify=transport.ssl_context(), limits=LIMITS, mounts=NO_PROXY_FOR_LOOPBACK)
    for pool in pools(client):
        pool._network_backend = DeadlineBackend(pool._network_backend)
    return HttpxSender(client, given=False)


def proxied_async_sender() -> AsyncHttpxSender:
    """As ``proxied_sender``, for a task."""
    client = httpx.AsyncClient(verify=transport.ssl_context(), limits=LIMITS, mounts=NO_PROXY_FOR_LOOPBACK)
    for pool in pools(client):
        pool._network_backend = ClosingBackend(pool._network_backend)
    return AsyncHttpxSender(client, given=False)


def pools(client: httpx.Client | httpx.AsyncClient) -> list[Any]:
    """Return the pools of an HTTP client, to give them a network backend.

    There is no public way to do so that keeps the proxies of the environment. A test fails when these attributes are
    gone.
    """
    transports: list[Any] = [client._transport, *client._mounts.values()]  # pyright: ignore[reportPrivateUsage]
    return [transport._pool for transport in transports if transport is not None]


class _BaseSender(Generic[HttpT]):
    def __init__(self, http: HttpT, *, given: bool) -> None:
        self._http: HttpT = http
        # Somebody else's transport may report nothing; its requests then may have been sent.
        self._reports = not given

    @property
    def is_closed(self) -> bool:
        return self._http.is_closed


class HttpxSender(_BaseSender[httpx.Client]):
    def send(self, step: Send, seconds: float, left: Callable[[], float], now: Callable[[], float]) -> Reply | Failure:
        phases = _Phases(reported=self._reports)
        token = current_request.set(InFlightRequest(time.monotonic() + seconds))
        try:
            request = _request(step, seconds, phases.note)
            response = self._http.send(request, stream=True, auth=None, follow_redirects=False)
            try:
                return self._read(response, phases, left, now())
            finally:
                response.close()
        except Exception as error:  # noqa: BLE001 - whatever the HTTP library raises becomes a typed error
            return phases.failure(error)
        finally:
            current_request.reset(token)

    def _read(self, response: httpx.Response, phases: _Phases, left: Callable[[], float], received_at: float) -> Reply:
        reader = _reader(response, received_at)
        try:
            if reader.wants_more():
                for chunk in response.iter_raw():
                    if not left():
                        return reader.reply(phases.timed_out())
                    if not reader.wants_more(chunk):
                        break
        except Exception as error:  # noqa: BLE001 - the same; but the status has come, and says more
            return reader.reply(phases.failure(error))
        return reader.reply()

    def close(self) -> None:
        self._http.close()


class AsyncHttpxSender(_BaseSender[httpx.AsyncClient]):
    async def send(self, step: Send, seconds: float, now: Callable[[], float]) -> Reply | Failure:
        phases = _Phases(reported=self._reports)
        reader: transport.ReplyReader | None = None
        token = current_request.set(InFlightRequest(time.monotonic() + seconds))
        try:
            request = _request(step, seconds, phases.anote)
            async with asyncio.timeout(seconds):
                response = await self._http.send(request, stream=True, auth=None, follow_redirects=False)
                try:
                    reader = _reader(response, now())
                    if reader.wants_more():
                        async for chunk in response.aiter_raw():
                            if not reader.wants_more(chunk):
                                break
                finally:
                    await response.aclose()
        except TimeoutError:
            failure = phases.timed_out()
        except Exception as error:  # noqa: BLE001 - whatever the HTTP library raises becomes a typed error
            failure = phases.failure(error)
        else:
            return reader.reply()
        finally:
            current_request.reset(token)
        # Where the status has come it says more than the failure to read on.
        return failure if reader is None else reader.reply(failure)

    async def aclose(self) -> None:
        await self._http.aclose()


def _request(step: Send, seconds: float, trace: Callable[[str, Mapping[str, Any]], object]) -> httpx.Request:
    return httpx.Request(
        step.operation.method,
        f"{step.base_url}{step.operation.path}",
        headers=transport.headers(step),
        content=step.operation.body,
        extensions={"timeout": httpx.Timeout(seconds).as_dict(), "trace": trace},
    )


def _reader(response: httpx.Response, received_at: float) -> transport.ReplyReader:
    # A transport without a network, as tests have, hands over responses that are read already.
    body = response.content if response.is_stream_consumed else None
    return transport.ReplyReader(response.status_code, response.headers, received_at, body)


class _Phases:
    """How far a request came, from what the HTTP library reports while it sends it."""

    def __init__(self, *, reported: bool) -> None:
        self._connected = False
        self._sent = not reported

    def note(self, phase: str, info: Mapping[str, Any]) -> None:
        """Be told a phase, as the extension ``trace`` is."""
        self._connected = self._connected or phase == "connection.connect_tcp.started"
        # A proxy is asked for a tunnel first; the request itself has not left then.
        if phase.endswith(".send_request_headers.started") and info["request"].method != b"CONNECT":
            self._sent = True

    async def anote(self, phase: str, info: Mapping[str, Any]) -> None:
        """Be told a phase, in a task."""
        self.note(phase, info)

    def timed_out(self) -> Failure:
        return transport.timed_out(sent=self._sent)

    def failure(self, error: Exception) -> Failure:
        return transport.failure_of(error, sent=self._sent, kept=not self._connected)
