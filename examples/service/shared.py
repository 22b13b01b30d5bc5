"""What each process of the service has: the database, the store of purchases in it, and the people."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from nous_billing.sql import SqlPurchaseStore

from .people import PEOPLE, People


@dataclass(frozen=True)
class Shared:
    database: AsyncEngine
    store: SqlPurchaseStore[AsyncEngine]
    people: People


@asynccontextmanager
async def shared() -> AsyncGenerator[Shared, None]:
    """Connect to ``DATABASE_URL``, such as postgresql+psycopg://user@host/name, and create the tables."""
    database = create_async_engine(os.environ["DATABASE_URL"], pool_pre_ping=True)
    store, people = SqlPurchaseStore(database), People(database)
    await store.create_table()
    async with database.begin() as connection:
        # In PostgreSQL, CREATE TABLE IF NOT EXISTS fails where two processes start at once.
        await connection.execute(text("SELECT pg_advisory_xact_lock(20260613)"))
        await connection.run_sync(PEOPLE.create, checkfirst=True)
    try:
        yield Shared(database, store, people)
    finally:
        await people.aclose()
        await database.dispose()
