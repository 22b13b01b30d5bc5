"""The drivers: they carry out the steps of a flow with an HTTP client and a clock, and know no rule."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from inspect import isawaitable
from typing import Any, Generic, TypeVar

import httpx

from . import deadline, transport
from .clock import AsyncClock, BaseClock, Clock
from .credentials import CredentialMemo, Credentials, CredentialSource
from .errors import BillingError, BillingInvalidRequest, BillingNetworkError
from .flow import Ask, Block, Flow, Resolve, Send, Step
from .replies import Failure, Reply
from .threads import ProcessLock, start

T = TypeVar("T")
HttpT = TypeVar("HttpT", httpx.Client, httpx.AsyncClient)
ClockT = TypeVar("ClockT", bound=BaseClock)

_RENEWING = Failure("the credentials were still being renewed when the time was up", sent=False, timed_out=True)


class BaseDriver(Generic[HttpT, ClockT]):
    """What both drivers have: an HTTP client, made when it is first needed, and credentials."""

    def __init__(self, http_client: HttpT | None, clock: ClockT, source: CredentialSource) -> None:
        self.memo: CredentialMemo = CredentialMemo(source, clock)
        self._clock = clock
        self._lock = ProcessLock()
        self._given_http: HttpT | None = http_client
        self._own_http: tuple[object, HttpT] | None = None
        self._closed = False

    def _http(self, owner: object, make: Callable[[], HttpT]) -> HttpT:
        """Return the HTTP client of a process or an event loop; connections cannot be shared between two of them."""
        with self._lock:
            self._check_open()
            if self._given_http is not None:
                return self._given_http
            if self._own_http is not None and self._own_http[0] == owner:
                return self._own_http[1]
            # What is raised quotes the address of the proxy, which may have a password in it.
            with suppress(ImportError, ValueError, httpx.InvalidURL):
                self._own_http = (owner, make())
                return self._own_http[1]
            raise BillingNetworkError(
                "The proxy of the environment cannot be used: mend HTTPS_PROXY, HTTP_PROXY or ALL_PROXY. "
                "Nothing was sent.",
                error="network_error",
            )

    def _check_open(self) -> None:
        if self._closed or (self._given_http is not None and self._given_http.is_closed):
            raise BillingInvalidRequest("This client was closed. Make a new one.", error="client_closed")

    def _resolving(self, step: Resolve) -> Future[Credentials]:
        """Have the credentials resolved in a thread: who waits may give up, but a refresh that has begun must end."""
        self._check_open()
        rejected = None if step.rejected is None else step.rejected.access_token
        return start(partial(self.memo.resolve, rejected), name="nous-billing-credentials", daemon=True)

    def _kept(self, step: Resolve) -> Credentials | None:
        return self.memo.fresh() if step.rejected is None else None

    def _release(self, owner: object) -> HttpT | None:
        """Take no more calls, and hand over the HTTP client that its owner is to close; another's is gone already."""
        with self._lock:
            self._closed = True
            own, self._own_http = self._own_http, None
        return own[1] if own is not None and own[0] == owner else None

    def _phases(self) -> transport.Phases:
        return transport.Phases(reported=self._given_http is None)

    def _left(self, step: Resolve | Send) -> float:
        return max(step.deadline - self._clock.monotonic(), 0.0)


class Driver(BaseDriver[httpx.Client, Clock]):
    """Carries steps out in the calling thread."""

    def close(self) -> None:
        """Close the connections, but for an HTTP client that was given."""
        http = self._release(os.getpid())
        if http is not None:
            http.close()

    def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end."""
        advance = partial(next, flow)
        while True:
            try:
                step = advance()
            except StopIteration as end:
                result: T = end.value
                return result
            try:
                advance = partial(flow.send, self._perform(step))
            except BillingError as error:
                advance = partial(flow.throw, error)

    def _perform(self, step: Step) -> Any:
        if isinstance(step, Resolve):
            return self._kept(step) or self._resolve(step)
        if isinstance(step, Send):
            return self._send(step)
        if isinstance(step, Block):
            return step.work()
        if isinstance(step, Ask):
            answer = step.question()
            # It may have changed the login, in a source that has no way to say so.
            self.memo.forget()
            return answer
        return self._clock.sleep(step.seconds)

    def _resolve(self, step: Resolve) -> Credentials | Failure:
        try:
            return self._resolving(step).result(self._left(step))
        except TimeoutError:
            return _RENEWING

    def _send(self, step: Send) -> Reply | Failure:
        phases = self._phases()
        left = self._left(step)
        if not left:
            return transport.TOO_LATE
        http = self._http(os.getpid(), _new_client)
        token = deadline.deadline.set(time.monotonic() + left)
        try:
            request = transport.build_request(step, left, phases.note)
            response = http.send(request, stream=True, auth=None, follow_redirects=False)
            try:
                return self._read(response, step, phases)
            finally:
                response.close()
        except Exception as error:  # noqa: BLE001 - whatever the HTTP library raises becomes a typed error
            return phases.failure(error)
        finally:
            deadline.deadline.reset(token)

    def _read(self, response: httpx.Response, step: Send, phases: transport.Phases) -> Reply:
        reader = transport.ReplyReader(response, self._clock.time())
        try:
            if reader.wants_more():
                for chunk in response.iter_raw():
                    if not self._left(step):
                        return reader.reply(phases.timed_out())
                    if not reader.wants_more(chunk):
                        break
        except Exception as error:  # noqa: BLE001 - the same; but the status has come, and says more
            return reader.reply(phases.failure(error))
        return reader.reply()


class AsyncDriver(BaseDriver[httpx.AsyncClient, AsyncClock]):
    """Carries steps out in the running task."""

    async def aclose(self) -> None:
        """Close the connections, but for an HTTP client that was given."""
        http = self._release(asyncio.get_running_loop())
        if http is not None:
            await http.aclose()

    async def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end."""
        advance = partial(next, flow)
        while True:
            try:
                step = advance()
            except StopIteration as end:
                result: T = end.value
                return result
            try:
                advance = partial(flow.send, await self._perform(step))
            except BillingError as error:
                advance = partial(flow.throw, error)

    async def _perform(self, step: Step) -> Any:
        if isinstance(step, Resolve):
            return self._kept(step) or await self._resolve(step)
        if isinstance(step, Send):
            return await self._send(step)
        if isinstance(step, Block):
            return await asyncio.wrap_future(start(step.work, name="nous-billing-work", daemon=False))
        if isinstance(step, Ask):
            asked = step.question()
            answer = await asked if isawaitable(asked) else asked
            self.memo.forget()
            return answer
        return await self._clock.sleep(step.seconds)

    async def _resolve(self, step: Resolve) -> Credentials | Failure:
        try:
            async with asyncio.timeout(self._left(step)):
                return await asyncio.wrap_future(self._resolving(step))
        except TimeoutError:
            return _RENEWING

    async def _send(self, step: Send) -> Reply | Failure:
        phases = self._phases()
        left = self._left(step)
        if not left:
            return transport.TOO_LATE
        http = self._http(asyncio.get_running_loop(), _new_async_client)
        reader: transport.ReplyReader | None = None
        try:
            request = transport.build_request(step, left, phases.anote)
            async with asyncio.timeout(left):
                response = await http.send(request, stream=True, auth=None, follow_redirects=False)
                try:
                    reader = transport.ReplyReader(response, self._clock.time())
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


def _new_client() -> httpx.Client:
    client = httpx.Client(
        verify=transport.ssl_context(), limits=transport.LIMITS, mounts=transport.NO_PROXY_FOR_LOOPBACK
    )
    deadline.observe_deadline(client)
    return client


def _new_async_client() -> httpx.AsyncClient:
    client = httpx.AsyncClient(
        verify=transport.ssl_context(), limits=transport.LIMITS, mounts=transport.NO_PROXY_FOR_LOOPBACK
    )
    deadline.close_cut_handshakes(client)
    return client
