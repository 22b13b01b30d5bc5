"""Both clients behind one face, so that one test body speaks for the two."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import httpx
import pytest

from nous_billing import AsyncBillingClient, BillingClient, BillingError, Credentials
from nous_billing.mock import MockClock
from tests.documented import call
from tests.plain import NO_ROOTS
from tests.registry import KEY

# A call may take this much longer than its deadline: two cores, and other tests beside it.
TOLERANCE = 0.75


class Kind:
    """The synchronous client, or the asynchronous one run to completion call by call on one event loop."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_async = name == "async"
        self._runner = asyncio.Runner()
        self._clients: list[Any] = []
        self._https: list[Any] = []

    def client(self, credentials: Any = None, **arguments: Any) -> Any:
        """Make a client; it is closed after the test."""
        client: Any
        if self.is_async:
            client = _Awaited(AsyncBillingClient(credentials, **arguments), self.run)
        else:
            client = BillingClient(credentials, **arguments)
        self._clients.append(client)
        return client

    def http_client(self, **arguments: Any) -> Any:
        """Make an HTTP client to hand to ``client``; it is closed after the test."""
        arguments.setdefault("verify", NO_ROOTS)
        return self.keep(httpx.AsyncClient(**arguments) if self.is_async else httpx.Client(**arguments))

    def keep(self, http: Any) -> Any:
        """Close an HTTP client after the test."""
        self._https.append(http)
        return http

    def clock(self, portal_clock: MockClock | None = None) -> Any:
        """Make a clock whose sleeps take no time, and move the portal's clock too."""
        return (AwaitedMovedClock if self.is_async else MovedClock)(portal_clock)

    def run(self, awaitable: Any) -> Any:
        """Run what a client, or an HTTP client, returned to its end."""
        return self._runner.run(_wrapped(awaitable)) if self.is_async else awaitable

    def together(self, client: Any, count: int, method: str, *args: Any) -> list[Any]:
        """Make the same call so many times at once."""
        if not self.is_async:
            with ThreadPoolExecutor(count) as pool:
                return list(pool.map(lambda _: getattr(client, method)(*args), range(count)))

        async def gathered() -> list[Any]:
            return await asyncio.gather(*(getattr(client.awaited, method)(*args) for _ in range(count)))

        answers: list[Any] = self.run(gathered())
        return answers

    def at_once(self, client: Any, *calls: Callable[[Any], Any]) -> list[Any]:
        """Make different calls at once, each with the client; a ``BillingError`` is an outcome like another."""
        if not self.is_async:
            ready = Barrier(len(calls))

            def called(call: Callable[[Any], Any]) -> Any:
                ready.wait(10)
                try:
                    return call(client)
                except BillingError as error:
                    return error

            with ThreadPoolExecutor(len(calls)) as pool:
                return list(pool.map(called, calls))

        async def gathered() -> list[Any]:
            return await asyncio.gather(*(call(client.awaited) for call in calls), return_exceptions=True)

        outcomes: list[Any] = self.run(gathered())
        return outcomes

    def step_up(self, login: Any, on_code: Callable[[Any], None]) -> Callable[[], Any]:
        """Return what ``buy_credits`` asks where the scope is missing."""
        return lambda: (login.astep_up if self.is_async else login.step_up)(on_code)

    def close(self) -> None:
        """Close all that was made."""
        for client in self._clients:
            client.close()
        for http in self._https:
            self.run(http.aclose() if self.is_async else http.close())
        self._runner.close()


async def _wrapped(awaitable: Any) -> Any:
    return await awaitable


class _Awaited:
    def __init__(self, client: AsyncBillingClient, run: Callable[[Any], Any]) -> None:
        self.awaited = client
        self._run = run

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.awaited, "aclose" if name == "close" else name)
        return lambda *args, **kwargs: self._run(method(*args, **kwargs))

    def __enter__(self) -> Any:
        self._run(self.awaited.__aenter__())
        return self

    def __exit__(self, *error: Any) -> None:
        self._run(self.awaited.__aexit__(*error))

    def __repr__(self) -> str:
        return repr(self.awaited)


class MovedClock:
    """Real time plus what was slept; a sleep takes none and is kept in ``sleeps``."""

    def __init__(self, portal_clock: MockClock | None = None) -> None:
        self.sleeps: list[float] = []
        self._portal_clock = portal_clock
        self._offset = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self._offset

    def time(self) -> float:
        return time.time() + self._offset

    def advance(self, seconds: float) -> None:
        self._offset += seconds
        if self._portal_clock is not None:
            self._portal_clock.advance(seconds)

    def sleep(self, seconds: float) -> Any:
        self.sleeps.append(seconds)
        self.advance(seconds)


class AwaitedMovedClock(MovedClock):
    """The same for a task."""

    async def sleep(self, seconds: float) -> None:
        super().sleep(seconds)


class Source:
    """Credentials from a list, the next one with each question; the last one stays. Keeps what it was asked."""

    def __init__(self, tokens: Iterable[str], portal_base_url: str | None = None) -> None:
        self._tokens = list(tokens)
        self._portal_base_url = portal_base_url
        self.rejected: list[str | None] = []

    def resolve(self, *, rejected: str | None = None) -> Credentials:
        self.rejected.append(rejected)
        token = self._tokens.pop(0) if len(self._tokens) > 1 else self._tokens[0]
        return Credentials(token, self._portal_base_url)


def failure(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return the ``BillingError`` that a call raises."""
    with pytest.raises(BillingError) as caught:
        call(*args, **kwargs)
    return caught.value


def read(client: Any, **kwargs: Any) -> Any:
    return call(client, "get_billing_state", **kwargs)


def charge(client: Any, amount: Any = "50.25", key: Any = KEY, **kwargs: Any) -> Any:
    return call(client, "post_charge", amount_usd=amount, idempotency_key=key, **kwargs)


def save(client: Any, **kwargs: Any) -> Any:
    return call(client, "patch_auto_top_up", **kwargs)


def poll(client: Any, **kwargs: Any) -> Any:
    return call(client, "get_charge_status", **kwargs)
