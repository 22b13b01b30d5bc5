"""The table of a ``SqlPurchaseStore``, exact on SQLite, PostgreSQL and MySQL, and what any table needs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise, starmap
from types import NoneType
from typing import Any, cast

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    DateTime,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    and_,
    false,
    insert,
    inspect,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateColumn
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import TypeDecorator

from .._arguments import kind_of
from ..errors import BillingInvalidRequest
from ..money import parse_usd
from .messages import not_read
from .purchase import Purchase

_KEPT_NOWHERE = re.compile("[\0\ud800-\udfff]")
# Of programs that create the table at once, all but one fail, for each thing that is to be created.
_MOST_TRIES = 16


class _Moment(TypeDecorator[datetime]):
    """A moment in UTC with its microseconds. Only PostgreSQL has a type with a time zone."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        native = {"postgresql": DateTime(timezone=True), "mysql": mysql.DATETIME(fsp=6)}
        return dialect.type_descriptor(native.get(_family(dialect), DateTime()))

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        read = super().result_processor(dialect, coltype)

        def moment(value: Any) -> Any:
            try:
                return value if read is None else read(value)
            except (TypeError, ValueError):
                # In SQLite, which keeps anything: what is no moment must not hide all the other rows.
                return value

        return moment

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        moment = None if value is None else value.astimezone(UTC)
        return moment if moment is None or _family(dialect) == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Now(FunctionElement[float]):
    """Seconds since 1970 by the clock of the database, which all machines share."""

    inherit_cache: bool | None = True


_NOW = {
    "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
    "postgresql": "CAST(extract(epoch FROM clock_timestamp()) AS double precision)",
    "mysql": "UNIX_TIMESTAMP(SYSDATE(6))",
}


@compiles(Now)
def _compile_now(_: Now, compiler: SQLCompiler, **__: Any) -> str:
    return _NOW[_family(compiler.dialect)]


def _family(dialect: Dialect) -> str:
    return "mysql" if dialect.name == "mariadb" else dialect.name


def shown(engine: Any) -> str:
    """Return the address of a database without its password, which may also be in the query."""
    return str(engine.url.set(query={}).render_as_string())


def exact(charset: str) -> Any:
    """Return the type of a text of 255 characters at most that is compared exactly."""
    # MySQL otherwise takes "a" and "A" for the same key.
    return String(255).with_variant(mysql.VARCHAR(255, charset=charset, collation=f"{charset}_bin"), "mysql", "mariadb")


PURCHASES = Table(
    "nous_purchases",
    MetaData(),
    Column("key", exact("ascii"), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    # As text: a column of numbers would have a fixed number of places.
    Column("amount_usd", Text, nullable=False),
    Column("started_at", _Moment, nullable=False),
    Column("portal_base_url", Text, nullable=False),
    Column("organisation_id", exact("utf8mb4"), nullable=False),
    Column("organisation_name", Text, nullable=False),
    Column("charge_id", Text),
    Column("reason", Text),
    Column("settled_at", _Moment),
    Column("added_usd", Text),
    Column("other_charge_ids", Text),
    Column("discrepancies", Text),
    Column("lease_holder", String(64)),
    Column("lease_until", Double),
    Index("nous_purchases_by_status", "status", "started_at"),
    Index("nous_purchases_by_organisation", "organisation_id", "started_at"),
    mysql_charset="utf8mb4",
    mysql_engine="InnoDB",
)


def _between(one: str | None, other: str | None) -> ColumnElement[bool]:
    status = PURCHASES.c.status
    return and_(true() if one is None else status > one, true() if other is None else status < other)


# Not those that are open by name: a later version may know others. Ranges, as no index finds what is not in a list.
OPEN = or_(*starmap(_between, pairwise((None, "failed", "not_made", "settled", None))))


def create(connection: Connection, table: Table = PURCHASES) -> None:
    """Create a table, or the columns and indexes that it lacks. Other programs may do so at the same time."""
    for _ in range(_MOST_TRIES):
        with suppress(DBAPIError):
            return _create(connection, table)
    return _create(connection, table)


def _create(connection: Connection, table: Table) -> None:
    table.create(connection, checkfirst=True)
    there = inspect(connection)
    columns = {column["name"] for column in there.get_columns(table.name)}
    for column in table.columns:
        if column.name not in columns:
            definition = CreateColumn(column).compile(dialect=connection.dialect)
            connection.execute(text(f"ALTER TABLE {table.name} ADD COLUMN {definition}"))
    indexes = {index["name"] for index in there.get_indexes(table.name)}
    for index in table.indexes:
        if index.name not in indexes:
            index.create(connection)


def inserted(connection: Connection, table: Table, values: dict[str, Any]) -> bool:
    """Insert a row. Return False if there is one with its key."""
    (key,) = table.primary_key.columns
    try:
        connection.execute(insert(table).values(values))
    except IntegrityError:
        # A rule that the owner of the database has added may be what was broken.
        if connection.execute(select(key).where(key == values[key.name])).first() is None:
            raise
        return False
    return True


def equals(column: Column[str], value: str) -> ColumnElement[bool]:
    """Return the condition that a column has a text. No column has one that a driver or a database refuses."""
    return false() if _KEPT_NOWHERE.search(value) else column == value


def to_row(purchase: Purchase) -> dict[str, Any]:
    """Return the values of a purchase's row, but for its lease."""
    return {field.name: _plain(getattr(purchase, field.name)) for field in fields(purchase)}


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return json.dumps(value) if isinstance(value, tuple) else value


def from_rows(rows: Sequence[Any]) -> Iterator[Purchase]:
    """Return the purchases of rows.

    Raises:
        BillingPurchaseStoreError: Rows are broken; it names each. Raised after the purchases of the others.
    """
    broken: list[str] = []
    for row in rows:
        try:
            yield _from_row(row)
        except (BillingInvalidRequest, TypeError, ValueError, RecursionError) as error:
            broken.append(f"the row with the key {row.key} is broken ({str(error).removesuffix('.')})")
    if broken:
        raise not_read("; ".join(broken))


def _from_row(row: Any) -> Purchase:
    values = {field.name: getattr(row, field.name) for field in fields(Purchase)}
    for name in ("started_at", "settled_at"):
        if not isinstance(values[name], (datetime, NoneType)):
            raise TypeError(f"{name} is {kind_of(values[name])}, not a moment")
    values["amount_usd"] = parse_usd(row.amount_usd)
    values["added_usd"] = None if row.added_usd is None else parse_usd(row.added_usd)
    for name in ("other_charge_ids", "discrepancies"):
        # None in the rows of a version that did not know the column.
        items = json.loads(values[name] or "[]")
        if not isinstance(items, list):
            raise TypeError(f"{name} is {kind_of(items)}, not a list")
        values[name] = tuple(cast("list[object]", items))
    return Purchase(**values)
