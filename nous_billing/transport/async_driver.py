"""Performs the steps of a flow in a task. A module of its own, so that a thread need not load asyncio."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, TypeVar

from .._reporting import Listener
from .._threads import start
from ..clock import AsyncClock, SystemClock
from ..credentials import Credentials
from ..errors import BillingError, BillingInvalidRequest
from ..protocol.exchange import CallUser, Flow, Resolve, RunBlocking, Send, Step
from ..protocol.replies import Failure, Reply
from . import intercepted_senders
from . import sender as transport
from .asking import AnySource, AwaitedSource
from .base_driver import BaseDriver
from .driver import RENEWING, check_network, not_loaded, unusable_clock
from .watching import Watched

if TYPE_CHECKING:
    from ssl import SSLContext

    import httpx

    from .proxies import ProxySetting

T = TypeVar("T")


class AsyncDriver(BaseDriver[transport.AsyncSender, AsyncClock]):
    """Performs steps in the running task."""

    def __init__(
        self,
        http_client: httpx.AsyncClient | None,
        clock: AsyncClock,
        source: AnySource,
        *,
        ssl_context: SSLContext | None = None,
        proxy: ProxySetting = None,
        listener: Listener | None = None,
        application: str | None = None,
    ) -> None:
        if getattr(type(clock), "sleep", None) is SystemClock.sleep:
            raise unusable_clock("is awaited, as that of AsyncSystemClock is")
        proxy = check_network(http_client, ssl_context, proxy)
        given = None if http_client is None else _given_async_sender(http_client)
        intercept = partial(intercepted_senders.async_sender, ssl_context, proxy)
        self._source = AwaitedSource(source)
        self._working: set[asyncio.Task[object]] = set()
        make = partial(_new_async_sender, ssl_context, proxy)
        super().__init__(given, make, intercept, clock, self._source, listener, application)

    async def aclose(self) -> None:
        """Close the connections. An HTTP client that the caller gave stays open."""
        self._close()

    async def run(self, flow: Flow[T], headers: Mapping[str, str] | None = None) -> T:
        """Run a flow to its end.

        Args:
            headers: The caller's own, to be sent with each request.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            flow.close()
            raise BillingInvalidRequest(
                "An AsyncBillingClient needs asyncio: await its methods in a coroutine that asyncio.run runs, or use a "
                "BillingClient. Nothing was sent.",
                error="no_event_loop",
            ) from None
        with self._call(headers) as added:
            return await self._run(flow, added)

    async def _run(self, flow: Flow[T], added: Mapping[str, str]) -> T:
        advance = partial(next, flow)
        while True:
            try:
                step = advance()
            except StopIteration as end:
                result: T = end.value
                return result
            try:
                advance = partial(flow.send, await self._perform(step, added))
            except BillingError as error:
                advance = partial(flow.throw, error)

    async def _perform(self, step: Step, added: Mapping[str, str]) -> object:
        if isinstance(step, Resolve):
            return self._kept(step) or await self._resolve(step)
        if isinstance(step, Send):
            with Watched(step, added, self._clock) as watched:
                return watched.ended(await self._send(watched.step))
        if isinstance(step, RunBlocking):
            return await self._worked(step)
        if isinstance(step, CallUser):
            asked = step.question()
            answer = await asked if isawaitable(asked) else asked
            if step.changes_login:
                self.memo.forget()
            return answer
        slept: object = self._clock.sleep(step.seconds)
        if isawaitable(slept):
            # A clock for tests may pass the time at once.
            await slept
        return None

    async def _worked(self, step: RunBlocking[object]) -> object:
        """Have work done to its end, even if the task is cancelled: an accepted charge must not be lost by that."""
        working = asyncio.create_task(_work(step))
        # An event loop has no reference of its own to a task.
        self._working.add(working)
        working.add_done_callback(self._forget)
        await asyncio.wait({working})
        return working.result()

    def _forget(self, working: asyncio.Task[object]) -> None:
        self._working.discard(working)
        with suppress(asyncio.CancelledError):
            # Or the event loop would log an error that nobody is left to be told.
            working.exception()

    async def _resolve(self, step: Resolve) -> Credentials | Failure:
        self._source.loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._left(step)):
                while (others := self._asked_by_others()) is not None:
                    # Not its error, which is for the call that began it.
                    await asyncio.gather(asyncio.wrap_future(others), return_exceptions=True)
                    kept = self._kept(step)
                    if kept is not None:
                        return kept
                return await asyncio.wrap_future(self._resolving(step))
        except TimeoutError:
            return RENEWING

    async def _send(self, step: Send) -> Reply | Failure:
        # A forked child that goes on with its parent's loop must not go on with its connections.
        owner = os.getpid(), asyncio.get_running_loop()
        sender = self._ready(owner)
        if sender is None:
            try:
                async with asyncio.timeout(self._left(step)):
                    sender = self._publish(owner, await asyncio.wrap_future(self._made(owner)))
            except TimeoutError:
                return transport.TOO_LATE
            except (ImportError, OSError) as error:
                return not_loaded(error)
        left = self._left(step)
        if not left:
            return transport.TOO_LATE
        return await sender.send(step, left, self._clock.time)


async def _work(step: RunBlocking[object]) -> object:
    done = await asyncio.wrap_future(start(step.work, name="nous-billing-work", daemon=False))
    return await done if isawaitable(done) else done


def _given_async_sender(http_client: httpx.AsyncClient) -> transport.AsyncSender:
    from .httpx_senders import AsyncHttpxSender

    return AsyncHttpxSender(http_client)


def _new_async_sender(ssl_context: SSLContext | None, proxy: ProxySetting) -> transport.AsyncSender:
    from .async_socket_sender import AsyncSocketSender

    return AsyncSocketSender(ssl_context, proxy)
