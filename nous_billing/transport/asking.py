"""Asks a credential source, in a thread; what it returns is awaited for a client that can."""

from __future__ import annotations

from collections.abc import Awaitable
from concurrent.futures import wait
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, cast

from .._arguments import discard
from .._secrets import Secret, reveal
from ..credentials import AsyncCredentialSource, Credentials, CredentialSource
from ..protocol.caller import refuse_awaitable

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

# How often to look whether the event loop is still there.
_LOOK_SECONDS = 0.2

AnySource = CredentialSource | AsyncCredentialSource


class AskedSource:
    """The source of a client that cannot await."""

    def __init__(self, source: AnySource) -> None:
        self._source: Any = source

    def __getattr__(self, name: str) -> Any:
        # The fingerprint, if the source has one.
        return getattr(self.__dict__["_source"], name)

    def resolve(self, *, rejected: str | None = None) -> Credentials:
        # A traceback may show the variables of this frame.
        rejected = _hidden(rejected)
        answer: Credentials = self._source.resolve(rejected=reveal(rejected))
        refuse_awaitable("credentials", answer)
        return answer


class AwaitedSource(AskedSource):
    """The source of a client with an event loop."""

    def __init__(self, source: AnySource) -> None:
        super().__init__(source)
        self.loop: AbstractEventLoop | None = None

    def resolve(self, *, rejected: str | None = None) -> Credentials:
        from asyncio import run_coroutine_threadsafe

        rejected = _hidden(rejected)
        answer: Any = self._source.resolve(rejected=reveal(rejected))
        loop = self.loop
        if not isawaitable(answer) or loop is None:
            return cast("Credentials", answer)
        awaiting = _wrapped(answer)
        try:
            asked = run_coroutine_threadsafe(awaiting, loop)
        except RuntimeError:
            # The loop was closed in the meantime.
            for abandoned in (awaiting, answer):
                discard(abandoned)
            raise
        while not wait({asked}, _LOOK_SECONDS).done:
            # A loop that was stopped may go on, and the answer come, unless the calls are in another one now.
            if loop.is_closed() or not (loop.is_running() or loop is self.loop):
                raise RuntimeError("the event loop ended before the answer came")
        return asked.result()


def _hidden(rejected: str | Secret | None) -> Any:
    return Secret(rejected) if isinstance(rejected, str) else rejected


async def _wrapped(answer: Awaitable[Credentials]) -> Credentials:
    return await answer
