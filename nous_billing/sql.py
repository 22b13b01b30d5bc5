"""Purchases and logins in a SQL database, for services on several machines. Needs the extra ``nous-billing[sql]``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

try:
    from sqlalchemy import Connection, Engine, delete, not_, or_, select, update
    from sqlalchemy.ext.asyncio import AsyncEngine
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        f"nous_billing.sql needs {_error.name}: install nous-billing[sql] from the index of nous-billing",
        name=_error.name,
    ) from _error

from ._arguments import check_moment, wrong_type
from .auth.sql_logins import LOGINS, SqlLoginStorage
from .protocol.idempotency import key_text
from .purchases.leases import PurchaseLease
from .purchases.purchase import Purchase
from .purchases.sql_table import OPEN, PURCHASES, Now, create, equals, from_rows, inserted, shown, to_row

if TYPE_CHECKING:
    from uuid import UUID

__all__ = ["LOGINS", "PURCHASES", "SqlLoginStorage", "SqlPurchaseStore"]

EngineT = TypeVar("EngineT", Engine, AsyncEngine)
"""An ``Engine`` or an ``AsyncEngine`` of SQLAlchemy. With the latter the methods of the store are awaited."""

_NO_LEASE = {"lease_holder": None, "lease_until": None}


class SqlPurchaseStore(Generic[EngineT]):
    """A ``LeasingPurchaseStore`` in the table ``nous_purchases`` of SQLite, PostgreSQL, MySQL or MariaDB.

    With an ``AsyncEngine`` its methods are awaited, and only an ``AsyncBillingClient`` takes it. Each method is one
    statement that commits by itself. Amounts keep each digit, moments each microsecond. Use ``pool_pre_ping=True``, so
    that a restart of the database fails no call.

    Args:
        engine: An ``Engine`` or an ``AsyncEngine`` of SQLAlchemy 2. It stays open.

    Raises:
        BillingInvalidRequest: It is neither (``error="invalid_store"``).

    >>> from sqlalchemy import create_engine
    >>> store = SqlPurchaseStore(create_engine("sqlite://"))
    >>> store.create_table()
    >>> list(store.load())
    []
    """

    def __init__(self, engine: EngineT) -> None:
        if not isinstance(engine, (Engine, AsyncEngine)):
            raise wrong_type("engine", "an Engine or an AsyncEngine of SQLAlchemy", engine, "invalid_store")
        # Each method is one statement: a transaction around it would cost two more round trips.
        self._engine: Any = engine.execution_options(isolation_level="AUTOCOMMIT")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({shown(self._engine)!r})"

    @overload
    def create_table(self: SqlPurchaseStore[Engine]) -> None: ...
    @overload
    def create_table(self: SqlPurchaseStore[AsyncEngine]) -> Awaitable[None]: ...
    def create_table(self) -> Any:
        """Create the table, or add the columns and indexes that an older version did not have.

        Call it when a service starts; several may do so at once.
        """
        return self._run(create)

    @overload
    def load(
        self: SqlPurchaseStore[Engine],
        key: str | None = None,
        *,
        organisation_id: str | None = None,
        include_ended: bool = False,
    ) -> Iterable[Purchase]: ...
    @overload
    def load(
        self: SqlPurchaseStore[AsyncEngine],
        key: str | None = None,
        *,
        organisation_id: str | None = None,
        include_ended: bool = False,
    ) -> Awaitable[Iterable[Purchase]]: ...
    def load(self, key: str | None = None, *, organisation_id: str | None = None, include_ended: bool = False) -> Any:
        """Return the purchase with this key, if there is one; without a key, all that have not ended, oldest first.

        Args:
            key: The key of one purchase.
            organisation_id: Only the purchases of this organisation.
            include_ended: Without a key, also those that have ended.

        Raises:
            BillingPurchaseStoreError: A row is broken. Raised after the purchases of the others.
        """
        query = select(PURCHASES).order_by(PURCHASES.c.started_at, PURCHASES.c.key)
        if key is not None:
            query = query.where(equals(PURCHASES.c.key, key_text(key, "key")))
        elif not include_ended:
            query = query.where(OPEN)
        if organisation_id is not None:
            if not isinstance(organisation_id, str):
                raise wrong_type("organisation_id", "a string or None", organisation_id, "invalid_organisation_id")
            query = query.where(equals(PURCHASES.c.organisation_id, organisation_id))
        return self._run(lambda connection: from_rows(connection.execute(query).all()))

    @overload
    def save(self: SqlPurchaseStore[Engine], purchase: Purchase, *, lease: PurchaseLease | None = None) -> bool: ...
    @overload
    def save(
        self: SqlPurchaseStore[AsyncEngine], purchase: Purchase, *, lease: PurchaseLease | None = None
    ) -> Awaitable[bool]: ...
    def save(self, purchase: Purchase, *, lease: PurchaseLease | None = None) -> Any:
        """Save a purchase (compare-and-swap by revision). Return False if another call has saved it in the meantime.

        Args:
            purchase: The purchase, with the revision that it is to have.
            lease: Who works on it from now on.
        """
        values = {**to_row(purchase), **(_NO_LEASE if purchase.has_ended else _leased(lease) if lease else {})}
        if purchase.revision == 1:
            return self._run(lambda connection: inserted(connection, PURCHASES, values))
        kept = (PURCHASES.c.key == purchase.key) & (PURCHASES.c.revision == purchase.revision - 1)
        return self._changed(update(PURCHASES).where(kept).values(values))

    @overload
    def acquire_lease(self: SqlPurchaseStore[Engine], key: str, lease: PurchaseLease) -> bool: ...
    @overload
    def acquire_lease(self: SqlPurchaseStore[AsyncEngine], key: str, lease: PurchaseLease) -> Awaitable[bool]: ...
    def acquire_lease(self, key: str, lease: PurchaseLease) -> Any:
        """Give or renew a lease, by the clock of the database.

        Returns:
            False if another holder has one, or if no open purchase has this key.
        """
        holder, until = PURCHASES.c.lease_holder, PURCHASES.c.lease_until
        is_free = or_(holder.is_(None), holder == lease.holder, until <= Now())
        return self._changed(update(PURCHASES).where(PURCHASES.c.key == key, OPEN, is_free).values(_leased(lease)))

    @overload
    def release_lease(self: SqlPurchaseStore[Engine], key: str, holder: str) -> None: ...
    @overload
    def release_lease(self: SqlPurchaseStore[AsyncEngine], key: str, holder: str) -> Awaitable[None]: ...
    def release_lease(self, key: str, holder: str) -> Any:
        """End a lease of this holder, if there is one."""
        held = (PURCHASES.c.key == key) & (PURCHASES.c.lease_holder == holder)
        return self._run(
            lambda connection: _ignore(connection.execute(update(PURCHASES).where(held).values(_NO_LEASE)))
        )

    @overload
    def forget(self: SqlPurchaseStore[Engine], key: str | UUID) -> None: ...
    @overload
    def forget(self: SqlPurchaseStore[AsyncEngine], key: str | UUID) -> Awaitable[None]: ...
    def forget(self, key: str | UUID) -> Any:
        """Remove a purchase: a receipt, or one whose outcome a person has seen on the billing page."""
        forgotten = delete(PURCHASES).where(equals(PURCHASES.c.key, key_text(key, "key")))
        return self._run(lambda connection: _ignore(connection.execute(forgotten)))

    @overload
    def prune(self: SqlPurchaseStore[Engine], *, before: datetime) -> int: ...
    @overload
    def prune(self: SqlPurchaseStore[AsyncEngine], *, before: datetime) -> Awaitable[int]: ...
    def prune(self, *, before: datetime) -> Any:
        """Remove the purchases that have ended and were started before a date. Return how many.

        Once it is gone, the same key buys again. Keep receipts for as long as a program may retry their keys.

        Raises:
            BillingInvalidRequest: ``before`` is no datetime, or has no time zone; nothing was removed
                (``error="invalid_moment"``).
        """
        check_moment(before, "before")
        old = delete(PURCHASES).where(not_(OPEN), PURCHASES.c.started_at < before)
        return self._run(lambda connection: connection.execute(old).rowcount)

    def _changed(self, statement: Any) -> Any:
        return self._run(lambda connection: connection.execute(statement).rowcount == 1)

    def _run(self, work: Callable[[Connection], Any]) -> Any:
        if isinstance(self._engine, AsyncEngine):
            return self._run_async(work)
        with self._engine.connect() as connection:
            return work(connection)

    async def _run_async(self, work: Callable[[Connection], Any]) -> Any:
        async with self._engine.connect() as connection:
            return await connection.run_sync(work)


def _leased(lease: PurchaseLease) -> dict[str, Any]:
    return {"lease_holder": lease.holder, "lease_until": Now() + lease.seconds}


def _ignore(_: object) -> None:
    return None
