"""What both clients have: their arguments, checked, and the flows that they make."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import TYPE_CHECKING, Generic, TypeVar

from .clock import BaseClock
from .credentials import CredentialSource
from .errors import BillingInvalidRequest
from .models import ChargeFailed, ChargeSettled
from .money import Amount
from .portal import check_base_url
from .protocol.exchange import BeforeSend, Flow, exchange
from .protocol.operations import Operation
from .protocol.settlement import OnPoll, check_seconds, settlement
from .purchases.buying import Buying, new_purchase
from .purchases.purchase import MemoryStore, Purchase, PurchaseStore
from .purchases.record import OnProgress
from .purchases.resuming import Outcome, resume

if TYPE_CHECKING:
    from .auth.default_login import DefaultLogin

Store = PurchaseStore | str | PathLike[str]
"""Where purchases are kept: a store, or the path of a directory."""

T = TypeVar("T")
ClockT = TypeVar("ClockT", bound=BaseClock)


class BaseClient(Generic[ClockT]):
    def __init__(
        self, credentials: CredentialSource | None, base_url: str | None, timeout: float, clock: ClockT
    ) -> None:
        if credentials is not None and not hasattr(credentials, "resolve"):
            raise BillingInvalidRequest(
                "credentials must be a source such as StaticToken(token), not a bare value.",
                error="invalid_credentials",
            )
        self._base_url = None if base_url is None else check_base_url(base_url, "base_url")
        self._timeout = check_seconds(timeout, "timeout")
        self._clock = clock
        self._default_login: DefaultLogin | None = None
        if credentials is None:
            from .auth.default_login import DefaultLogin

            credentials = self._default_login = DefaultLogin()
        self._source = credentials
        self._purchases = MemoryStore()

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
        before_send: BeforeSend | None = None,
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
            before_send=before_send,
        )

    def _buying(
        self,
        purchase: Purchase,
        store: Store | None,
        step_up: Callable[[], object] | None,
        on_progress: OnProgress | None,
        cancelled: Callable[[], bool] | None,
        interval: float,
        cap: float,
    ) -> Buying:
        check_seconds(interval, "interval")
        check_seconds(cap, "cap")
        return Buying(
            purchase,
            store=self._store(store),
            wait=lambda charge_id, on_poll, before_send: self._settlement(
                charge_id, interval, cap, on_poll, cancelled, before_send
            ),
            step_up=step_up,
            on_progress=on_progress,
            cancelled=cancelled,
            base_url=self._base_url,
            timeout=self._timeout,
            clock=self._clock,
        )

    def _new_purchase(self, amount_usd: Amount, idempotency_key: str) -> Purchase:
        return new_purchase(amount_usd, idempotency_key, self._clock)

    def _resuming(
        self,
        store: Store | None,
        on_progress: OnProgress | None,
        cancelled: Callable[[], bool] | None,
        interval: float,
        cap: float,
    ) -> Flow[list[Outcome]]:
        purchases = self._store(store)
        check_seconds(interval, "interval")
        end = self._clock.monotonic() + check_seconds(cap, "cap")

        def buying(purchase: Purchase, left: int) -> Buying:
            # One that stays pending must not use up the time of the others; each is polled at least once.
            share = max((end - self._clock.monotonic()) / left, 0.001)
            return self._buying(purchase, purchases, None, on_progress, cancelled, interval, share)

        return resume(purchases, buying)

    def _store(self, store: Store | None) -> PurchaseStore:
        if store is None:
            return self._purchases
        if isinstance(store, (str, PathLike)):
            from .purchases.directory import PurchaseDirectory

            return PurchaseDirectory(store)
        if not (hasattr(store, "load") and hasattr(store, "save")):
            raise BillingInvalidRequest(
                f"store must be a path or a PurchaseStore, not a {type(store).__name__}.", error="invalid_store"
            )
        return store
