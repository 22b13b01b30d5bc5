"""Performs the steps of a flow with a sender and a clock. It knows no rule. For tasks see ``async_driver``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, TypeVar

from .._arguments import wrong_type
from .._reporting import Listener
from ..clock import Clock
from ..credentials import Credentials
from ..errors import BillingError, BillingInvalidRequest
from ..protocol.exchange import CallUser, Flow, Resolve, RunBlocking, Send, Step
from ..protocol.replies import Failure, Reply
from . import intercepted_senders
from . import sender as transport
from .asking import AnySource, AskedSource
from .base_driver import BaseDriver
from .watching import Watched

if TYPE_CHECKING:
    from ssl import SSLContext

    import httpx

    from .proxies import ProxySetting

T = TypeVar("T")

RENEWING = Failure("the credentials were still being read or renewed when the time was up", sent=False, timed_out=True)


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
        listener: Listener | None = None,
        application: str | None = None,
    ) -> None:
        if iscoroutinefunction(clock.sleep):
            raise unusable_clock("blocks, as that of SystemClock does")
        proxy = check_network(http_client, ssl_context, proxy)
        given = None if http_client is None else _given_sender(http_client)
        intercept = partial(intercepted_senders.sender, ssl_context, proxy)
        make = partial(_new_sender, ssl_context, proxy)
        super().__init__(given, make, intercept, clock, AskedSource(source), listener, application)

    def close(self) -> None:
        """Close the connections. An HTTP client that the caller gave stays open."""
        self._close()

    def run(self, flow: Flow[T], headers: Mapping[str, str] | None = None) -> T:
        """Run a flow to its end.

        Args:
            headers: The caller's own, to be sent with each request.
        """
        with self._call(headers) as added:
            return self._run(flow, added)

    def _run(self, flow: Flow[T], added: Mapping[str, str]) -> T:
        advance = partial(next, flow)
        while True:
            try:
                step = advance()
            except StopIteration as end:
                result: T = end.value
                return result
            try:
                advance = partial(flow.send, self._perform(step, added))
            except BillingError as error:
                advance = partial(flow.throw, error)

    def _perform(self, step: Step, added: Mapping[str, str]) -> object:
        if isinstance(step, Resolve):
            return self._kept(step) or self._resolve(step)
        if isinstance(step, Send):
            with Watched(step, added, self._clock) as watched:
                return watched.ended(self._send(watched.step))
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
                # Not its error, which is for the call that began it.
                others.exception(self._left(step))
                kept = self._kept(step)
                if kept is not None:
                    return kept
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
            except (ImportError, OSError) as error:
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


def not_loaded(error: ImportError | OSError) -> Failure:
    """Return the failure of a first call whose modules no longer load: in a shutdown, or without a file descriptor."""
    reason = f"the modules that send requests cannot be loaded ({str(error).rstrip('.')})"
    return Failure(reason, sent=False, cause=error.with_traceback(None))


def unusable_clock(wanted: str) -> BillingInvalidRequest:
    """Return the error for a clock of the other kind of client."""
    return BillingInvalidRequest(f"clock must have a sleep that {wanted}.", error="invalid_clock")


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
            raise wrong_type("ssl_context", "an ssl.SSLContext", ssl_context, "invalid_ssl_context")
    if proxy is None:
        return None
    from .proxies import check_setting

    return check_setting(proxy)
