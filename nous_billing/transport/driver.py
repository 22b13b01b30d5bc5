"""What carries out the steps of a flow, with a sender and a clock; it knows no rule. For a task see async_drivers."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from .._threads import ForkSafeLock, start
from ..clock import BaseClock, Clock
from ..credentials import CredentialMemo, Credentials, CredentialSource
from ..errors import BillingError, BillingInvalidRequest, BillingNetworkError
from ..protocol.exchange import CallUser, Flow, Resolve, RunBlocking, Send, Step
from ..protocol.replies import Failure, Reply
from . import sender as transport

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
SenderT = TypeVar("SenderT", transport.Sender, transport.AsyncSender)
ClockT = TypeVar("ClockT", bound=BaseClock)

RENEWING = Failure("the credentials were still being renewed when the time was up", sent=False, timed_out=True)


class BaseDriver(Generic[SenderT, ClockT]):
    """What both drivers have: what sends their requests, made when it is first needed, and credentials."""

    def __init__(self, given: SenderT | None, clock: ClockT, source: CredentialSource) -> None:
        self.memo: CredentialMemo = CredentialMemo(source, clock)
        self._clock = clock
        self._lock = ForkSafeLock()
        self._given: SenderT | None = given
        self._own: tuple[object, SenderT] | None = None
        self._closed = False

    def _sender(self, owner: object, make: Callable[[], SenderT]) -> SenderT:
        """Return the sender of a process or an event loop; connections cannot be shared between two of them."""
        with self._lock.current:
            self._check_open()
            if self._given is not None:
                return self._given
            if self._own is None or self._own[0] != owner:
                self._own = (owner, make())
            return self._own[1]

    def _check_open(self) -> None:
        if self._closed or (self._given is not None and self._given.is_closed):
            raise BillingInvalidRequest("This client was closed. Make a new one.", error="client_closed")

    def _resolving(self, step: Resolve) -> Future[Credentials]:
        """Have the credentials resolved in a thread: who waits may give up, but a refresh that has begun must end."""
        self._check_open()
        rejected = None if step.rejected is None else step.rejected.access_token
        return start(partial(self.memo.resolve, rejected), name="nous-billing-credentials", daemon=True)

    def _kept(self, step: Resolve) -> Credentials | None:
        return self.memo.fresh() if step.rejected is None else None

    def _release(self, owner: object) -> SenderT | None:
        """Take no more calls, and hand over the sender that its owner is to close; another's is gone already."""
        with self._lock.current:
            self._closed = True
            own, self._own = self._own, None
        return own[1] if own is not None and own[0] == owner else None

    def _left(self, step: Resolve | Send) -> float:
        return max(step.deadline - self._clock.monotonic(), 0.0)


class Driver(BaseDriver[transport.Sender, Clock]):
    """Carries steps out in the calling thread."""

    def __init__(self, http_client: httpx.Client | None, clock: Clock, source: CredentialSource) -> None:
        super().__init__(None if http_client is None else _given_sender(http_client), clock, source)

    def close(self) -> None:
        """Close the connections, but for an HTTP client that was given."""
        sender = self._release(os.getpid())
        if sender is not None:
            sender.close()

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

    def _perform(self, step: Step) -> object:
        if isinstance(step, Resolve):
            return self._kept(step) or self._resolve(step)
        if isinstance(step, Send):
            return self._send(step)
        if isinstance(step, RunBlocking):
            return step.work()
        if isinstance(step, CallUser):
            answer = step.question()
            if step.changes_login:
                # A source may have no way to say so.
                self.memo.forget()
            return answer
        self._clock.sleep(step.seconds)
        return None

    def _resolve(self, step: Resolve) -> Credentials | Failure:
        try:
            return self._resolving(step).result(self._left(step))
        except TimeoutError:
            return RENEWING

    def _send(self, step: Send) -> Reply | Failure:
        # To make one, with its TLS context, takes a part of the time.
        sender = self._sender(os.getpid(), _new_sender)
        left = self._left(step)
        if not left:
            return transport.TOO_LATE
        return sender.send(step, left, lambda: self._left(step), self._clock.time)


# What loads httpx is loaded where it is needed.


def _given_sender(http_client: httpx.Client) -> transport.Sender:
    from .httpx_senders import HttpxSender

    return HttpxSender(http_client, given=True)


def _new_sender() -> transport.Sender:
    if has_proxy():
        from .httpx_senders import proxied_sender

        return with_proxy(proxied_sender)
    from .httpcore_sender import DirectSender

    return DirectSender()


def has_proxy() -> bool:
    """Whether the environment, or what else the system keeps its proxies in, names one."""
    if sys.platform in ("darwin", "win32"):
        from urllib.request import getproxies

        return bool(getproxies())
    return any(name.lower().endswith("_proxy") and name.lower() != "no_proxy" for name in os.environ)


def with_proxy(make: Callable[[], T]) -> T:
    import httpx

    try:
        return make()
    except (ImportError, ValueError, httpx.InvalidURL):
        # What was raised quotes the address of the proxy, which may have a password in it.
        pass
    raise BillingNetworkError(
        "The proxy of the environment cannot be used: mend HTTPS_PROXY, HTTP_PROXY or ALL_PROXY. Nothing was sent.",
        error="network_error",
    )
