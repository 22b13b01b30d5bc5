"""Performs the steps of a flow with a sender and a clock. It knows no rule. For tasks see ``async_driver``."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .._threads import SharedWork
from ..clock import BaseClock, Clock
from ..credentials import CredentialMemo, Credentials, CredentialSource
from ..errors import BillingError, BillingInvalidRequest
from ..protocol.exchange import CallUser, Flow, Resolve, RunBlocking, Send, Step
from ..protocol.replies import Failure, Reply
from . import intercepted_senders
from . import sender as transport
from .asking import AnySource, AskedSource

if TYPE_CHECKING:
    from ssl import SSLContext

    import httpx

    from .proxies import ProxySetting

T = TypeVar("T")
SenderT = TypeVar("SenderT", transport.Sender, transport.AsyncSender)
ClockT = TypeVar("ClockT", bound=BaseClock)

RENEWING = Failure("the credentials were still being read or renewed when the time was up", sent=False, timed_out=True)


class BaseDriver(Generic[SenderT, ClockT]):
    """What both drivers share: the sender, made on first use, and the memo of credentials.

    There is no lock: a signal handler or a fork could find it held. A sender is made first and then published in one
    atomic step.
    """

    def __init__(
        self,
        given: SenderT | None,
        make: Callable[[], SenderT],
        intercept: Callable[[], SenderT | None],
        clock: ClockT,
        source: CredentialSource,
    ) -> None:
        self.memo: CredentialMemo = CredentialMemo(source, clock)
        self._clock = clock
        self._given: SenderT | None = given
        self._make: Callable[[], SenderT] = make
        self._intercept: Callable[[], SenderT | None] = intercept
        # By process or event loop: connections cannot be shared between two of them.
        self._own: dict[object, SenderT] = {}
        self._making: SharedWork[SenderT] = SharedWork("nous-billing-load")
        self._asking: SharedWork[Credentials] = SharedWork("nous-billing-credentials", inf)
        self._closed = False

    def _ready(self, owner: object) -> SenderT | None:
        """Return the sender of this process or event loop, or None if it has none yet."""
        self._check_open()
        return (self._intercept() or self._own.get(owner)) if self._given is None else self._given

    def _made(self, owner: object) -> Future[SenderT]:
        """Make a sender in a thread. That loads modules, and must not block an event loop.

        After a fork in the middle of an import it may never end; the caller's deadline still ends the wait.
        """
        return self._making.under_way(owner) or self._making.begin(owner, self._make)

    def _publish(self, owner: object, made: SenderT) -> SenderT:
        sender = self._own.setdefault(owner, made)
        for other in list(self._own):
            if other != owner:
                self._discard(other)
        if self._closed:
            self._discard(owner)
            self._check_open()
        return sender

    def _discard(self, owner: object) -> None:
        sender = self._own.pop(owner, None)
        if sender is not None:
            sender.close()

    def _close(self) -> None:
        self._closed = True
        for owner in list(self._own):
            self._discard(owner)

    def _check_open(self) -> None:
        if self._closed or (self._given is not None and self._given.is_closed):
            raise BillingInvalidRequest("This client was closed. Make a new one.", error="client_closed")

    def _resolving(self, step: Resolve) -> Future[Credentials]:
        """Resolve credentials in a thread: the caller may stop waiting, but a refresh that has begun must finish."""
        self._check_open()
        rejected = None if step.rejected is None else step.rejected.secret
        return self._asking.begin(None, partial(self.memo.resolve, rejected))

    def _asked_by_others(self) -> Future[Any] | None:
        """Return what other calls wait for. Once it has ended, yet another may have begun to ask."""
        return self.memo.stalled or self._asking.under_way(None)

    def _kept(self, step: Resolve) -> Credentials | None:
        # A look at the source beside one that stalls would only stall, too.
        kept = None if self._asking.under_way(None) else self.memo.fresh()
        is_rejected = kept and step.rejected and kept.secret == step.rejected.secret
        return None if is_rejected else kept

    def _left(self, step: Resolve | Send) -> float:
        return max(step.deadline - self._clock.monotonic(), 0.0)


class Driver(BaseDriver[transport.Sender, Clock]):
    """Performs steps in the calling thread."""

    def __init__(
        self,
        http_client: httpx.Client | None,
        clock: Clock,
        source: AnySource,
        *,
        ssl_context: SSLContext | None = None,
        proxy: ProxySetting = None,
    ) -> None:
        proxy = check_network(http_client, ssl_context, proxy)
        given = None if http_client is None else _given_sender(http_client)
        intercept = partial(intercepted_senders.sender, ssl_context, proxy)
        super().__init__(given, partial(_new_sender, ssl_context, proxy), intercept, clock, AskedSource(source))

    def close(self) -> None:
        """Close the connections. An HTTP client that the caller gave stays open."""
        self._close()

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
                # A source without a fingerprint cannot say that its login changed.
                self.memo.forget()
            return answer
        self._clock.sleep(step.seconds)
        return None

    def _resolve(self, step: Resolve) -> Credentials | Failure:
        try:
            while (others := self._asked_by_others()) is not None:
                error = others.exception(self._left(step))
                kept = self._kept(step)
                if kept is not None:
                    return kept
                if error is not None:  # It is for the call that began it.
                    break
            return self._resolving(step).result(self._left(step))
        except TimeoutError:
            return RENEWING

    def _send(self, step: Send) -> Reply | Failure:
        owner = os.getpid()
        sender = self._ready(owner)
        if sender is None:
            try:
                sender = self._publish(owner, self._made(owner).result(self._left(step)))
            except TimeoutError:
                return transport.TOO_LATE
            except ImportError as error:
                return not_loaded(error)
        left = self._left(step)
        if not left:
            return transport.TOO_LATE
        return sender.send(step, left, self._clock.time)


# These modules load an HTTP library, so they are imported on first use.


def _given_sender(http_client: httpx.Client) -> transport.Sender:
    from .httpx_senders import HttpxSender

    return HttpxSender(http_client)


def _new_sender(ssl_context: SSLContext | None, proxy: ProxySetting) -> transport.Sender:
    from .socket_sender import SocketSender

    return SocketSender(ssl_context, proxy)


def not_loaded(error: ImportError) -> Failure:
    """Return the failure of a first call during interpreter shutdown, when modules no longer load."""
    reason = f"the modules that send requests cannot be loaded ({str(error).rstrip('.')})"
    return Failure(reason, sent=False, cause=error.with_traceback(None))


def check_network(http_client: object, ssl_context: object, proxy: object) -> ProxySetting:
    """Check the arguments of a client or login that say how to reach the portal, and return the proxy.

    Raises:
        BillingInvalidRequest: ``error`` is ``"invalid_http_client"``, ``"invalid_ssl_context"`` or ``"invalid_proxy"``.
    """
    if http_client is not None and (ssl_context is not None or proxy is not None):
        raise BillingInvalidRequest(
            "An http_client has its own TLS context and proxies. Configure them there instead of passing ssl_context "
            "or proxy.",
            error="invalid_http_client",
        )
    if ssl_context is not None:
        from ssl import SSLContext

        if not isinstance(ssl_context, SSLContext):
            raise BillingInvalidRequest(
                f"ssl_context must be an ssl.SSLContext, not a {type(ssl_context).__name__}.",
                error="invalid_ssl_context",
            )
    if proxy is None:
        return None
    from .proxies import check_setting

    return check_setting(proxy)
