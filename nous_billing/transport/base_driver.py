"""What both drivers share: the sender, made on first use, the memo of credentials, and the frame of a call."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from math import inf
from typing import Any, Generic, TypeVar

from .._reporting import Listener, in_call
from .._threads import SharedWork
from ..clock import BaseClock
from ..credentials import CredentialMemo, Credentials, CredentialSource
from ..errors import BillingInvalidRequest
from ..protocol.exchange import Resolve, Send
from ..protocol.request_headers import check_headers, user_agent
from . import sender as transport

SenderT = TypeVar("SenderT", transport.Sender, transport.AsyncSender)
ClockT = TypeVar("ClockT", bound=BaseClock)

# Three weeks: a system call counts milliseconds in 32 bits.
_LONGEST_WAIT = 2_000_000.0


class BaseDriver(Generic[SenderT, ClockT]):
    """What both drivers share: the sender, made on first use, and the memo of credentials.

    There is no lock: a signal handler or a fork could find it held. A sender is made first and then published in one
    atomic step.

    Args:
        listener: What is told of events. None: that of the call that needs this driver, as to refresh its token.
        application: The name of the application, for the header ``User-Agent``.
    """

    def __init__(
        self,
        given: SenderT | None,
        make: Callable[[], SenderT],
        intercept: Callable[[], SenderT | None],
        clock: ClockT,
        source: CredentialSource,
        listener: Listener | None,
        application: str | None,
    ) -> None:
        self._listener = listener
        self._headers = user_agent(application)
        self.memo: CredentialMemo = CredentialMemo(source, clock)
        self._clock = clock
        self._given: SenderT | None = given
        self._make: Callable[[], SenderT] = make
        self._intercept: Callable[[], SenderT | None] = intercept
        # By process, and event loop: connections cannot be shared between two of them.
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

    @contextmanager
    def _call(self, headers: Mapping[str, str] | None) -> Generator[Mapping[str, str]]:
        """Begin a call, and yield the headers of all its requests.

        Raises:
            BillingInvalidRequest: One of ``headers`` cannot be sent (``error="invalid_headers"``).
        """
        are_traced = self._listener is not None and self._listener.sends_headers
        added = {**self._headers, **check_headers(headers, are_traced=are_traced)}
        with in_call(self._listener):
            yield added

    def _left(self, step: Resolve | Send) -> float:
        return min(max(step.deadline - self._clock.monotonic(), 0.0), _LONGEST_WAIT)
