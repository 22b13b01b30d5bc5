"""The two clients. Both only carry out the steps of ``flow`` and ``settlement``; no rule stands here."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import httpx

from . import operations, transport
from .clock import DEFAULT_TIMEOUT, AsyncClock, AsyncSystemClock, BaseClock, Clock, SystemClock
from .credentials import CredentialMemo, Credentials, CredentialSource
from .errors import BillingError, BillingInvalidRequest, BillingNetworkError
from .flow import Flow, Resolve, Send, Sleep, Step, exchange
from .hermes_login import HermesLogin
from .models import BillingState, ChargeAccepted, ChargeFailed, ChargeSettled, ChargeStatus
from .money import Amount
from .operations import Operation
from .portal import check_base_url
from .replies import Failure, Reply
from .settlement import DEFAULT_CAP, DEFAULT_INTERVAL, OnPoll, check_seconds, settlement

T = TypeVar("T")
HttpT = TypeVar("HttpT", httpx.Client, httpx.AsyncClient)
ClockT = TypeVar("ClockT", bound=BaseClock)

_RENEWING = Failure("the credentials were still being renewed when the time was up", sent=False, timed_out=True)


class _BaseClient(Generic[HttpT, ClockT]):
    """The arguments of both clients, checked, and the HTTP client, made when it is first needed."""

    def __init__(
        self,
        credentials: CredentialSource | None,
        base_url: str | None,
        timeout: float,
        http_client: HttpT | None,
        clock: ClockT,
    ) -> None:
        if credentials is not None and not hasattr(credentials, "resolve"):
            raise BillingInvalidRequest(
                "credentials must be a source such as StaticToken(token), not a bare value.",
                error="invalid_credentials",
            )
        self._base_url = None if base_url is None else check_base_url(base_url, "base_url")
        self._timeout = check_seconds(timeout, "timeout")
        self._clock = clock
        self._memo = CredentialMemo(HermesLogin() if credentials is None else credentials, clock)
        self._lock = threading.Lock()
        self._given_http: HttpT | None = http_client
        self._own_http: tuple[object, HttpT] | None = None
        self._resolver: tuple[int, ThreadPoolExecutor] | None = None
        self._closed = False

    def _http(self, owner: object, make: Callable[[], HttpT]) -> HttpT:
        """Return the HTTP client of a process or an event loop; connections cannot be shared between two of them."""
        with self._lock:
            given: HttpT | None = self._given_http
            if self._closed or (given is not None and given.is_closed):
                raise BillingInvalidRequest("This client was closed. Make a new one.", error="client_closed")
            if given is not None:
                return given
            if self._own_http is None or self._own_http[0] != owner:
                try:
                    self._own_http = (owner, make())
                except (ImportError, ValueError, httpx.InvalidURL) as error:
                    raise BillingNetworkError(
                        f"The proxy settings of the environment cannot be used: {error}", error="network_error"
                    ) from error
            return self._own_http[1]

    def _exchange(self, operation: Operation[T], timeout: float | None) -> Flow[T]:
        seconds = self._timeout if timeout is None else check_seconds(timeout, "timeout")
        return exchange(operation, base_url=self._base_url, deadline=self._clock.monotonic() + seconds)

    def _settlement(
        self,
        charge_id: str,
        interval: float,
        cap: float,
        on_poll: OnPoll | None,
        cancelled: Callable[[], bool] | None,
    ) -> Flow[ChargeSettled | ChargeFailed]:
        return settlement(
            charge_id,
            interval=interval,
            cap=cap,
            on_poll=on_poll,
            cancelled=cancelled,
            base_url=self._base_url,
            timeout=self._timeout,
            clock=self._clock,
        )

    def _fresh(self, step: Resolve) -> Credentials | None:
        return self._memo.fresh() if step.rejected is None else None

    def _resolving(self, step: Resolve) -> Future[Credentials]:
        """Have the credentials resolved in a thread: who waits may give up, but a refresh that has begun must end.

        One thread, so that calls which gave up on a source that hangs do not pile up. A forked child has not got it.
        """
        with self._lock:
            if self._resolver is None or self._resolver[0] != os.getpid():
                self._resolver = os.getpid(), ThreadPoolExecutor(1, thread_name_prefix="nous-billing-credentials")
            rejected = None if step.rejected is None else step.rejected.access_token
            return self._resolver[1].submit(copy_context().run, self._memo.resolve, rejected)

    def _release(self) -> HttpT | None:
        """Take no more calls, and hand over the HTTP client that is to be closed."""
        with self._lock:
            self._closed = True
            own, self._own_http = self._own_http, None
            resolver, self._resolver = self._resolver, None
        if resolver is not None:
            resolver[1].shutdown(wait=False)
        return None if own is None else own[1]

    def _phases(self) -> transport.Phases:
        return transport.Phases(reported=self._given_http is None)

    def _left(self, step: Resolve | Send) -> float:
        return max(step.deadline - self._clock.monotonic(), 0.0)


class BillingClient(_BaseClient[httpx.Client, Clock]):
    """The billing endpoints of the Nous Portal.

    Safe to share between threads; after a fork the child makes connections of its own. Use it as a context manager, or
    close it.

    Args:
        credentials: Where the token comes from. None: Hermes's login.
        base_url: The portal's address; precedes the environment's and the credentials' own.
        timeout: Seconds for one call, token refresh and second try included.
        http_client: An ``httpx.Client`` to use and not to close. Its own timeouts are replaced, its redirects,
            authentication and cookies not used. A server that drips the *headers* of a reply can hold such a client
            beyond the timeout.
        clock: The time; for tests.

    Raises:
        BillingInvalidRequest: An argument cannot be used (``error``: ``"invalid_base_url"``, ``"invalid_timeout"``,
            ``"invalid_credentials"``).
    """

    def __init__(
        self,
        credentials: CredentialSource | None = None,
        *,
        base_url: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        http_client: httpx.Client | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(credentials, base_url, timeout, http_client, clock or SystemClock())

    def get_billing_state(self, *, timeout: float | None = None) -> BillingState:
        """Read the balance, the card, the bounds and what else a terminal shows before a purchase. Needs no scope.

        Args:
            timeout: Seconds for this call, instead of the client's.

        Raises:
            BillingError: See ``nous_billing.errors``.
        """
        return self._run(self._exchange(operations.get_billing_state(), timeout))

    def patch_auto_top_up(
        self, *, enabled: bool, threshold: Amount, top_up_amount: Amount, timeout: float | None = None
    ) -> None:
        """Configure auto-reload. Needs the scope ``billing:manage``.

        Args:
            enabled: Whether to reload at all. To switch it off, send the current values of the other two.
            threshold: Dollars below which the balance is reloaded.
            top_up_amount: Dollars that the balance is reloaded **to**; more than the threshold.
            timeout: Seconds for this call, instead of the client's.

        Raises:
            BillingInvalidRequest: An argument cannot be used; nothing was sent (``error="invalid_amount"`` and others).
            BillingError: See ``nous_billing.errors``.
        """
        return self._run(self._exchange(operations.patch_auto_top_up(enabled, threshold, top_up_amount), timeout))

    def post_charge(self, *, amount_usd: Amount, idempotency_key: str, timeout: float | None = None) -> ChargeAccepted:
        """Buy credits. Needs the scope ``billing:manage``. Accepted is **not** paid: wait with ``wait_for_charge``.

        A charge is never sent twice by itself, but for a 401, which comes before any look at it.

        Args:
            amount_usd: Dollars: a ``Decimal``, an int or a string; a float only where it is a whole number of cents.
            idempotency_key: One for each purchase that a person confirmed; see ``new_idempotency_key``. Sent again,
                unchanged, it does not buy again.
            timeout: Seconds for this call, instead of the client's.

        Raises:
            BillingInvalidRequest: An argument cannot be used; nothing was sent (``error="invalid_amount"``,
                ``"idempotency_key_required"``, ``"invalid_idempotency_key"``).
            BillingError: See ``nous_billing.errors``. Where its ``outcome_unknown`` is True the charge may have been
                made: call again with the same key.
        """
        return self._run(self._exchange(operations.post_charge(amount_usd, idempotency_key), timeout))

    def get_charge_status(self, charge_id: str, *, timeout: float | None = None) -> ChargeStatus:
        """Poll a charge once. Needs the scope ``billing:manage``. An unknown id is pending for ever.

        Args:
            charge_id: The ``charge_id`` of an accepted charge.
            timeout: Seconds for this call, instead of the client's.

        Raises:
            BillingInvalidRequest: The id cannot be one; nothing was sent (``error="invalid_charge_id"``).
            BillingError: See ``nous_billing.errors``.
        """
        return self._run(self._exchange(operations.get_charge_status(charge_id), timeout))

    def wait_for_charge(
        self,
        charge_id: str,
        *,
        interval: float = DEFAULT_INTERVAL,
        cap: float = DEFAULT_CAP,
        on_poll: OnPoll | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ChargeSettled | ChargeFailed:
        """Poll a charge until it is settled or failed. Outlives network errors, 5xx and rate limits.

        Args:
            charge_id: The ``charge_id`` of an accepted charge.
            interval: Seconds between two polls; more where the portal asks for it, at most 30.
            cap: Seconds until the last poll is begun.
            on_poll: Called after each poll with what came of it, a status or a ``BillingError`` that may pass.
            cancelled: Asked about four times a second; waiting ends when it returns True.

        Raises:
            BillingChargeTimeout: Still pending at the cap.
            BillingChargeUnconfirmed: Access was lost while waiting.
            BillingChargeCancelled: ``cancelled`` returned True.
            BillingInvalidRequest: An argument cannot be used; nothing was sent.
        """
        return self._run(self._settlement(charge_id, interval, cap, on_poll, cancelled))

    def close(self) -> None:
        """Close the connections. An ``http_client`` that was given stays open."""
        http = self._release()
        if http is not None:
            http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, flow: Flow[T]) -> T:
        try:
            step = next(flow)
            while True:
                try:
                    answer = self._perform(step)
                except BillingError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result

    def _perform(self, step: Step) -> Any:
        match step:
            case Resolve():
                return self._fresh(step) or self._resolve(step)
            case Send():
                return self._send(step)
            case Sleep(seconds):
                return self._clock.sleep(seconds)

    def _resolve(self, step: Resolve) -> Credentials | Failure:
        resolving = self._resolving(step)
        try:
            return resolving.result(self._left(step))
        except TimeoutError:
            resolving.cancel()
            return _RENEWING

    def _send(self, step: Send) -> Reply | Failure:
        phases = self._phases()
        left = self._left(step)
        if not left:
            return transport.TOO_LATE
        http = self._http(os.getpid(), _new_client)
        request = transport.build_request(step, left, phases.note)
        token = transport.deadline.set(time.monotonic() + left)
        try:
            response = http.send(request, stream=True, auth=None, follow_redirects=False)
            try:
                return self._read(response, step, phases)
            finally:
                response.close()
        except Exception as error:  # noqa: BLE001 - whatever the HTTP library raises becomes a typed error
            return phases.failure(error)
        finally:
            transport.deadline.reset(token)

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


class AsyncBillingClient(_BaseClient[httpx.AsyncClient, AsyncClock]):
    """``BillingClient`` for asyncio: the same methods, awaited, under the same rules.

    Belongs to one event loop at a time. Cancelling a task ends its call and nothing else; a token refresh that has
    begun goes on.

    Args:
        credentials: Where the token comes from. None: Hermes's login.
        base_url: The portal's address; precedes the environment's and the credentials' own.
        timeout: Seconds for one call, token refresh and second try included.
        http_client: An ``httpx.AsyncClient`` to use and not to close. Its own timeouts are replaced, its redirects,
            authentication and cookies not used.
        clock: The time; for tests.

    Raises:
        BillingInvalidRequest: As for ``BillingClient``.
    """

    def __init__(
        self,
        credentials: CredentialSource | None = None,
        *,
        base_url: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        http_client: httpx.AsyncClient | None = None,
        clock: AsyncClock | None = None,
    ) -> None:
        super().__init__(credentials, base_url, timeout, http_client, clock or AsyncSystemClock())

    async def get_billing_state(self, *, timeout: float | None = None) -> BillingState:
        """As ``BillingClient.get_billing_state``."""
        return await self._run(self._exchange(operations.get_billing_state(), timeout))

    async def patch_auto_top_up(
        self, *, enabled: bool, threshold: Amount, top_up_amount: Amount, timeout: float | None = None
    ) -> None:
        """As ``BillingClient.patch_auto_top_up``."""
        await self._run(self._exchange(operations.patch_auto_top_up(enabled, threshold, top_up_amount), timeout))

    async def post_charge(
        self, *, amount_usd: Amount, idempotency_key: str, timeout: float | None = None
    ) -> ChargeAccepted:
        """As ``BillingClient.post_charge``."""
        return await self._run(self._exchange(operations.post_charge(amount_usd, idempotency_key), timeout))

    async def get_charge_status(self, charge_id: str, *, timeout: float | None = None) -> ChargeStatus:
        """As ``BillingClient.get_charge_status``."""
        return await self._run(self._exchange(operations.get_charge_status(charge_id), timeout))

    async def wait_for_charge(
        self,
        charge_id: str,
        *,
        interval: float = DEFAULT_INTERVAL,
        cap: float = DEFAULT_CAP,
        on_poll: OnPoll | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ChargeSettled | ChargeFailed:
        """As ``BillingClient.wait_for_charge``; cancelling the task ends the wait too."""
        return await self._run(self._settlement(charge_id, interval, cap, on_poll, cancelled))

    async def aclose(self) -> None:
        """Close the connections. An ``http_client`` that was given stays open."""
        http = self._release()
        if http is not None:
            await http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _run(self, flow: Flow[T]) -> T:
        try:
            step = next(flow)
            while True:
                try:
                    answer = await self._perform(step)
                except BillingError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result

    async def _perform(self, step: Step) -> Any:
        match step:
            case Resolve():
                return self._fresh(step) or await self._resolve(step)
            case Send():
                return await self._send(step)
            case Sleep(seconds):
                return await self._clock.sleep(seconds)

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
        request = transport.build_request(step, left, phases.anote)
        reader: transport.ReplyReader | None = None
        try:
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
    transport.observe_deadline(client)
    return client


def _new_async_client() -> httpx.AsyncClient:
    return httpx.AsyncClient(
        verify=transport.ssl_context(), limits=transport.LIMITS, mounts=transport.NO_PROXY_FOR_LOOPBACK
    )
