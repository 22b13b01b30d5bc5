"""Requests through a client of httpx, or of httpx2, where the caller gave one. Neither library is loaded for that."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .._secrets import Secret, forget_variables
from ..protocol.exchange import Send
from ..protocol.replies import Failure, Reply
from . import given_client, httpx_pool
from . import sender as transport
from .endpoint import NotConnected
from .httpx_failures import NOT_SENT, failure_of, is_a

if TYPE_CHECKING:
    import httpx

HttpT = TypeVar("HttpT", "httpx.Client", "httpx.AsyncClient")


class _BaseSender(Generic[HttpT]):
    def __init__(self, http: HttpT) -> None:
        self._http: HttpT = http

    @property
    def is_closed(self) -> bool:
        return self._http.is_closed

    def close(self) -> None:
        """Leave the client to who gave it."""


class HttpxSender(_BaseSender["httpx.Client"]):
    def __init__(self, http: httpx.Client) -> None:
        given_client.check_client(http, "Client")
        super().__init__(http)

    def send(self, step: Send, seconds: float, now: Callable[[], float]) -> Reply | Failure:
        try:
            return self._send(step, seconds, now)
        except BaseException as error:
            forget_variables(error)
            raise

    def _send(self, step: Send, seconds: float, now: Callable[[], float]) -> Reply | Failure:
        attempt = _Attempt(self._http)
        deadline = time.monotonic() + seconds
        try:
            request = attempt.request(step, seconds, attempt.note)
            response = self._http.send(request, stream=True, auth=None, follow_redirects=False)
            try:
                return self._read(response, attempt, deadline, now())
            finally:
                response.close()
        except Exception as error:  # noqa: BLE001 - whatever the HTTP library raises becomes a typed error
            return attempt.answer(error, now())

    def _read(self, response: httpx.Response, attempt: _Attempt, deadline: float, received_at: float) -> Reply:
        reader = _reader(response, received_at, attempt.kept)
        try:
            if reader.wants_more():
                for chunk in response.iter_raw():
                    if time.monotonic() >= deadline:
                        return reader.reply(transport.timed_out(sent=True))
                    if not reader.wants_more(chunk):
                        break
        except Exception as error:  # noqa: BLE001 - the same; but the status has come, and says more
            return reader.reply(attempt.failure(error))
        return reader.reply()


class AsyncHttpxSender(_BaseSender["httpx.AsyncClient"]):
    def __init__(self, http: httpx.AsyncClient) -> None:
        given_client.check_client(http, "AsyncClient")
        super().__init__(http)

    async def send(self, step: Send, seconds: float, now: Callable[[], float]) -> Reply | Failure:
        try:
            return await self._send(step, seconds, now)
        except BaseException as error:
            forget_variables(error)
            raise

    async def _send(self, step: Send, seconds: float, now: Callable[[], float]) -> Reply | Failure:
        attempt = _Attempt(self._http)
        reader: transport.ReplyReader | None = None
        try:
            async with asyncio.timeout(seconds):
                request = attempt.request(step, seconds, attempt.anote)
                response = await self._http.send(request, stream=True, auth=None, follow_redirects=False)
                try:
                    reader = _reader(response, now(), attempt.kept)
                    if reader.wants_more():
                        async for chunk in response.aiter_raw():
                            if not reader.wants_more(chunk):
                                break
                finally:
                    await response.aclose()
        except Exception as error:  # noqa: BLE001 - whatever the HTTP library raises becomes a typed error
            answer = attempt.answer(error, now())
        else:
            return reader.reply()
        # Where the status has come it says more than the failure to read on.
        return answer if reader is None or isinstance(answer, Reply) else reader.reply(answer)


def _reader(response: httpx.Response, received_at: float, kept: bool | None) -> transport.ReplyReader:
    # A transport without a network, as tests have, hands over responses that are read already.
    body = response.content if response.is_stream_consumed else None
    reader = transport.ReplyReader(response.status_code, response.headers, received_at, body)
    reader.kept = kept
    return reader


class _Attempt:
    """One request, and how far it came, from what the library's own transport reports while it sends it."""

    def __init__(self, http: Any) -> None:
        self._http = http
        self._request: Any = None
        self._trace: object = None
        self._secrets: list[Secret] = []
        self._reported = False
        self._connected = False
        self._sent = False

    def request(self, step: Send, seconds: float, trace: Callable[[str, Mapping[str, Any]], object]) -> Any:
        mine = () if step.credentials is None else (step.credentials.secret,)
        self._secrets = [*mine, *(each for each in step.operation.headers.values() if isinstance(each, Secret))]
        timeout = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
        request = given_client.request(self._http, step, {"timeout": timeout, "trace": trace})
        if request.url.scheme == "http" and httpx_pool.has_proxy(self._http, request.url):
            raise NotConnected(httpx_pool.HAS_PROXY)
        httpx_pool.retire_idle(self._http, request.url, every=transport.moves_money(step))
        self._request, self._trace = request, trace
        return request

    def note(self, phase: str, info: Mapping[str, Any]) -> None:
        """Be told a phase, as the extension ``trace`` is."""
        refusal = httpx_pool.refusal(self._request.url, phase, info)
        if refusal is not None:
            error, stream = refusal
            if stream is not None:
                stream.close()
            raise error
        self._note(phase, info)

    async def anote(self, phase: str, info: Mapping[str, Any]) -> None:
        """Be told a phase, in a task."""
        refusal = httpx_pool.refusal(self._request.url, phase, info)
        if refusal is not None:
            error, stream = refusal
            if stream is not None:
                await stream.aclose()
            raise error
        self._note(phase, info)

    def _note(self, phase: str, info: Mapping[str, Any]) -> None:
        self._reported = True
        self._connected = self._connected or phase == "connection.connect_tcp.started"
        # A proxy is asked for a tunnel first; the request itself has not left then.
        if phase.endswith(".send_request_headers.started") and info["request"].method != b"CONNECT":
            self._sent = True
        # A header that it refuses it has not written.
        if phase.endswith(".send_request_headers.failed") and is_a(info["exception"], {"LocalProtocolError"}):
            self._sent = False

    @property
    def kept(self) -> bool | None:
        """Whether the connection had been used before, if the library's own transport says so."""
        return not self._connected if self._reported else None

    def answer(self, error: Exception, received_at: float) -> Reply | Failure:
        """Say what became of a request that failed before its reply was handed over.

        A hook that raises for a status keeps the reply back; the status is the portal's answer all the same.
        """
        kept_back: Any = getattr(error, "response", None) if is_a(error, {"HTTPStatusError"}) else None
        failure = self.failure(error)
        if kept_back is None or getattr(kept_back, "_request", None) is not self._request:
            return failure
        body: bytes | None = getattr(kept_back, "_content", None)
        reader = transport.ReplyReader(kept_back.status_code, kept_back.headers, received_at, body)
        reader.kept = self.kept
        return reader.reply(failure if body is None else None)

    def failure(self, error: Exception) -> Failure:
        """Say what became of a request that failed."""
        sent = self._may_be_sent(error)
        failure = failure_of(error, sent=sent, kept=not self._connected, secrets=self._secrets)
        return replace(failure, kept=self.kept)

    def _may_be_sent(self, error: Exception) -> bool:
        request = self._request
        # What was refused here, in the middle of a transport, went no further.
        if self._sent or request is None or isinstance(error, NotConnected):
            return self._sent
        own = httpx_pool.transport_for(self._http, request.url)
        if own is None or request.extensions.get("trace") != self._trace:
            # Somebody else's transport may report nothing, and may have tried more than once.
            return True
        # What a test answers with instead of the network is taken at its word.
        stands_in = httpx_pool.is_replaced(own) or httpx_pool.is_overridden(self._http)
        return not self._reported and stands_in and not is_a(error, NOT_SENT)
