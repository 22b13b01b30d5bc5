"""Loads from and saves to a store, blocking or awaited, and turns its exceptions into typed errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeGuard, TypeVar, cast

from .._arguments import discard, kind_of
from ..errors import BillingError, BillingPurchaseStoreError
from ..protocol.caller import refuse_awaitable
from ..protocol.exchange import Flow, RunBlocking
from ..protocol.replies import without_outcome
from .checking import checked
from .leases import AsyncLeasingPurchaseStore, LeasingPurchaseStore, PurchaseLease
from .messages import not_read, not_saved
from .purchase import AsyncPurchaseStore, Purchase, PurchaseStore

T = TypeVar("T")

AnyStore = PurchaseStore | AsyncPurchaseStore
_AnyLeasingStore = LeasingPurchaseStore | AsyncLeasingPurchaseStore


@dataclass(slots=True)
class _Loaded:
    """The items that a store returned, and the error that ended them, if any."""

    items: list[object]
    error: BillingPurchaseStoreError | None = None


def load_purchase(store: AnyStore, key: str) -> Flow[Purchase | None]:
    """Return the purchase that a store has under a key, or None.

    Raises:
        BillingPurchaseStoreError: It could not be read.
    """
    loaded = yield from _load(lambda: store.load(key))
    if loaded.error is not None:
        raise loaded.error
    found = [checked(item, key) for item in loaded.items]
    return found[0] if found else None


def load_open_purchases(store: AnyStore) -> Flow[tuple[list[Purchase], list[BillingPurchaseStoreError]]]:
    """Return the open purchases of a store, and an error for each that could not be read."""
    purchases: list[Purchase] = []
    unread: list[BillingPurchaseStoreError] = []
    try:
        loaded = yield from _load(store.load)
    except BillingPurchaseStoreError as error:
        return [], [error]
    for item in loaded.items:
        try:
            purchases.append(checked(item))
        except BillingPurchaseStoreError as error:
            unread.append(error)
    return purchases, unread if loaded.error is None else [*unread, loaded.error]


def save_purchase(store: AnyStore, purchase: Purchase, lease: PurchaseLease | None = None) -> Flow[bool]:
    """Save a purchase, with its lease if the store has leases. Return False if another call has saved it meanwhile.

    Raises:
        BillingPurchaseStoreError: It could not be saved.
    """

    def save() -> bool | Awaitable[bool]:
        return store.save(purchase, lease=lease) if has_leases(store) else store.save(purchase)

    return (yield from _asked("save", save, not_saved))


def has_leases(store: AnyStore) -> TypeGuard[_AnyLeasingStore]:
    """Whether a store has the methods of a ``LeasingPurchaseStore``."""
    return hasattr(store, "acquire_lease") and hasattr(store, "release_lease")


def acquire_lease(store: AnyStore, key: str, lease: PurchaseLease) -> Flow[bool]:
    """Acquire or renew a lease. Return False if another call has it.

    Raises:
        BillingPurchaseStoreError: The store failed.
    """
    leasing = cast("_AnyLeasingStore", store)
    return (yield from _asked("acquire_lease", lambda: leasing.acquire_lease(key, lease), not_read))


def release_lease(store: AnyStore, key: str, holder: str) -> Flow[None]:
    """Release a lease.

    Raises:
        BillingPurchaseStoreError: The store failed.
    """
    leasing = cast("_AnyLeasingStore", store)
    refuse_awaitable(
        "store", (yield from RunBlocking(lambda: _typed(lambda: leasing.release_lease(key, holder), not_read)))
    )


def _asked(
    name: str, ask: Callable[[], bool | Awaitable[bool]], failed: Callable[[str], BillingPurchaseStoreError]
) -> Flow[bool]:
    answer: object = yield from RunBlocking(lambda: _typed(ask, failed))
    refuse_awaitable("store", answer)
    if not isinstance(answer, bool):
        raise failed(f"the store's {name}() returned {kind_of(answer)} instead of True or False")
    return answer


def _load(load: Callable[[], Iterable[object] | Awaitable[Iterable[object]]]) -> Flow[_Loaded]:
    def loaded() -> _Loaded | Awaitable[Iterable[object]]:
        found = load()
        return found if isinstance(found, Awaitable) else _drained(found)

    answer: object = yield from RunBlocking(lambda: _typed(loaded, not_read))
    refuse_awaitable("store", answer)
    return answer if isinstance(answer, _Loaded) else _drained(answer)


def _drained(iterable: object) -> _Loaded:
    if not isinstance(iterable, Iterable):
        raise not_read(f"the store's load() returned {kind_of(iterable)} instead of an iterable of purchases")
    items: list[object] = []
    try:
        # One by one, so that a broken item does not lose those before it.
        _typed(lambda: items.extend(cast("Iterable[object]", iterable)), not_read)
    except BillingPurchaseStoreError as error:
        return _Loaded(items, error)
    return _Loaded(items)


def _typed(work: Callable[[], T], failed: Callable[[str], BillingPurchaseStoreError]) -> T | _Awaited[Any]:
    try:
        answer = work()
    except Exception as error:
        raise _store_error(error, failed) from error
    return _Awaited(cast("Awaitable[Any]", answer), failed) if isinstance(answer, Awaitable) else answer


class _Awaited(Generic[T]):
    """An awaitable of a store whose errors are typed."""

    def __init__(self, awaitable: Awaitable[T], failed: Callable[[str], BillingPurchaseStoreError]) -> None:
        self._awaitable = awaitable
        self._failed = failed

    def __await__(self) -> Generator[Any, Any, T]:
        try:
            return (yield from self._awaitable.__await__())
        except BaseException as error:
            if not (isinstance(error, Exception) or _cancelled_by_nobody(error)):
                raise
            raise _store_error(error, self._failed) from error

    def close(self) -> None:
        discard(self._awaitable)


def _cancelled_by_nobody(error: BaseException) -> bool:
    """Whether what a store waited for was cancelled, such as the connecting of a pool, and not the call's own task."""
    from asyncio import CancelledError, current_task

    task = current_task()
    return isinstance(error, CancelledError) and task is not None and not task.cancelling()


def _store_error(error: BaseException, failed: Callable[[str], BillingPurchaseStoreError]) -> BillingPurchaseStoreError:
    if isinstance(error, BillingPurchaseStoreError):
        return error
    if isinstance(error, BillingError):
        return failed(without_outcome(error.message).removesuffix("."))
    if isinstance(error, OSError):
        return failed(error.strerror or type(error).__name__)
    # The message of a third-party exception may contain a password.
    return failed(type(error).__name__)
