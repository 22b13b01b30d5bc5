"""Requests through httpx: where the caller gave a client of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import httpx

from ..protocol.exchange import Send
from ..protocol.replies import Failure, Reply
from . import sender as transport

HttpT = TypeVar("HttpT", httpx.Client, httpx.AsyncClient)


class _BaseSender(Generic[HttpT]):
    def __init__(self, http: HttpT) -> None:
        self._http: HttpT = http

    @property
    def is_closed(self) -> bool:
        return self._http.is_closed

    def close(self) -> None:
        """Leave the client to who gave it."""


class HttpxSender(_BaseSender[httpx.Client]):
    def send(self, step: Send, seconds: float, now: Callable[[], float]) -> Reply | Failure:
        phases = _Phases()
        deadline = time.monotonic() + seconds
        try:
            request = _request(step, seconds, phases.note)
            response = self._http.send(request, stream=True, auth=None, follow_redirects=False)
            try:
                return self._read(response, phases, deadline, now())
            finally:
                response.close()
        except Exception as error:  # noqa: BLE001 - whatever the HTTP library raises becomes a typed error
            return phases.failure(error)

    def _read(self, response: httpx.Response, phases: _Phases, deadline: float, received_at: float) -> Reply:
        reader = _reader(response, received_at)
        try:
            if reader.wants_more():
                for chunk in response.iter_raw():
                    if time.monotonic() >= deadline:
                        return reader.reply(phases.timed_out())
                    if not reader.wants_more(chunk):
                        break
        except Exception as error:  # noqa: BLE001 - the same; but the status has come, and says more
            return reader.reply(phases.failure(error))
        return reader.reply()


class AsyncHttpxSender(_BaseSender[httpx.AsyncClient]):
    async def send(self, step: Send, seconds: float, now: Callable[[], float]) -> Reply | Failure:
        phases = _Phases()
        reader: transport.ReplyReader | None = None
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
        # Where the status has come it says more than the failure to read on.
        return failure if reader is None else reader.reply(failure)


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
    """Whether a request went out on a new connection, from what the HTTP library reports while it sends it.

    Somebody else's transport may report nothing: each request may have been sent.
    """

    def __init__(self) -> None:
        self._connected = False

    def note(self, phase: str, info: Mapping[str, Any]) -> None:
        """Be told a phase, as the extension ``trace`` is."""
        self._connected = self._connected or phase == "connection.connect_tcp.started"

    async def anote(self, phase: str, info: Mapping[str, Any]) -> None:
        """Be told a phase, in a task."""
        self.note(phase, info)

    def timed_out(self) -> Failure:
        return transport.timed_out(sent=True)

    def failure(self, error: Exception) -> Failure:
        return transport.failure_of(error, sent=True, kept=not self._connected)
