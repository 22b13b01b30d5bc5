"""What both clients share of purchases: checking arguments and building flows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from os import PathLike
from typing import TYPE_CHECKING

from ._arguments import check_functions, wrong_type
from ._base_client import BaseClient, ClockT
from .errors import BillingError
from .money import Amount, check_amount, without_trailing_zeros
from .protocol.exchange import Flow
from .protocol.idempotency import check_idempotency_key
from .protocol.seconds import check_seconds
from .protocol.settlement import DEFAULT_CAP, DEFAULT_INTERVAL
from .purchases import memory
from .purchases.buying import Buying
from .purchases.following import Following
from .purchases.messages import not_found, not_read
from .purchases.organisation import check_organisation_id
from .purchases.purchase import AsyncPurchaseStore, Purchase, PurchaseStore
from .purchases.resuming import Outcome, resume
from .purchases.store_access import AnyStore, load_purchase

if TYPE_CHECKING:
    from uuid import UUID

Store = PurchaseStore | str | PathLike[str]
"""Where purchases are kept: a store, or the path of a directory."""

AnyPurchaseStore = Store | AsyncPurchaseStore
"""The same, or for an ``AsyncBillingClient`` a store whose methods are awaited."""


class BasePurchasing(BaseClient[ClockT]):
    def _buying(
        self,
        purchase: Purchase,
        store: AnyPurchaseStore | None,
        step_up: Callable[[], object] | None,
        on_progress: Callable[[Purchase | BillingError], object] | None,
        cancelled: Callable[[], object] | None,
        interval: float,
        cap: float,
        organisation_id: str | None = None,
    ) -> Buying:
        check_seconds(interval, "interval")
        check_seconds(cap, "cap")
        check_functions(step_up=step_up, on_progress=on_progress, cancelled=cancelled)
        return Buying(
            purchase,
            store=self._store(store),
            wait=lambda charge_id, tell, before_send, seconds: self._waiting(
                charge_id, tell, cancelled, interval, seconds or cap, before_send, seconds is None
            ),
            organisation_id=check_organisation_id(organisation_id),
            shown=self._shown,
            step_up=step_up,
            on_progress=on_progress,
            cancelled=cancelled,
            base_url=self._base_url,
            timeout=self._timeout,
            interval=interval,
            cap=cap,
            clock=self._clock,
        )

    def _new_purchase(self, amount_usd: Amount, idempotency_key: str | UUID) -> Purchase:
        return Purchase(
            key=check_idempotency_key(idempotency_key),
            # "50" and "50.00" are one purchase, and go out as the same bytes.
            amount_usd=without_trailing_zeros(check_amount(amount_usd, "amount_usd")),
            started_at=datetime.fromtimestamp(self._clock.time(), UTC),
        )

    def _checking(self, idempotency_key: str | UUID, store: AnyPurchaseStore | None) -> Flow[Purchase]:
        return self._check(check_idempotency_key(idempotency_key), self._store(store))

    def _check(self, key: str, store: AnyStore, *, is_followed: bool = False) -> Flow[Purchase]:
        purchase = yield from load_purchase(store, key)
        if purchase is None:
            raise not_found(key)
        buying = self._buying(purchase, store, None, None, None, DEFAULT_INTERVAL, DEFAULT_CAP)
        return (yield from buying.check(is_followed=is_followed))

    def _following(
        self, idempotency_key: str | UUID, store: AnyPurchaseStore | None, interval: float, cap: float
    ) -> Following:
        key, purchases = check_idempotency_key(idempotency_key), self._store(store)
        check_seconds(interval, "interval")
        check_seconds(cap, "cap")
        return Following(
            lambda: self._check(key, purchases, is_followed=True), interval=interval, cap=cap, clock=self._clock
        )

    def _resuming(
        self,
        store: AnyPurchaseStore | None,
        on_progress: Callable[[Purchase | BillingError], object] | None,
        cancelled: Callable[[], object] | None,
        interval: float,
        cap: float,
        organisation_id: str | None = None,
    ) -> Flow[list[Outcome]]:
        purchases = self._store(store)
        check_seconds(interval, "interval")
        check_functions(on_progress=on_progress, cancelled=cancelled)
        check_organisation_id(organisation_id)
        end = self._clock.monotonic() + check_seconds(cap, "cap")

        def buying(purchase: Purchase, left: int) -> Buying:
            # A charge that stays pending must not use up the time of the others. Each is polled at least once.
            share = max((end - self._clock.monotonic()) / left, 0.001)
            return self._buying(purchase, purchases, None, on_progress, cancelled, interval, share, organisation_id)

        return resume(purchases, organisation_id, buying)

    def _store(self, store: AnyPurchaseStore | None) -> AnyStore:
        if store is None:
            return memory.PROCESS_STORE
        if isinstance(store, (str, PathLike)):
            try:
                from .purchases.directory import PurchaseDirectory
            except (ImportError, OSError) as error:
                # At the end of the interpreter, or without a descriptor for one more file.
                raise not_read(f"its modules cannot be loaded ({type(error).__name__})") from error
            return PurchaseDirectory(store)
        if isinstance(store, type) or not (hasattr(store, "load") and hasattr(store, "save")):
            raise wrong_type("store", "a path or a PurchaseStore", store, "invalid_store")
        return store
