"""Asks a credential source, in a thread; what it returns is awaited for a client that can."""

from __future__ import annotations

from collections.abc import Awaitable
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, cast

from .._arguments import discard
from .._secrets import Secret, reveal
from ..credentials import AsyncCredentialSource, Credentials, CredentialSource
from ..protocol.caller import refuse_awaitable

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

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
        if not isawaitable(answer) or self.loop is None:
            return cast("Credentials", answer)
        awaiting = _wrapped(answer)
        try:
            return run_coroutine_threadsafe(awaiting, self.loop).result()
        except RuntimeError:
            # The loop was closed in the meantime.
            for abandoned in (awaiting, answer):
                discard(abandoned)
            raise


def _hidden(rejected: str | Secret | None) -> Any:
    return Secret(rejected) if isinstance(rejected, str) else rejected


async def _wrapped(answer: Awaitable[Credentials]) -> Credentials:
    return await answer
