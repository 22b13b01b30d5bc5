"""What a purchase costs that is kept in a SQL database, beside the same statements without the SDK, and a directory."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from urllib.parse import quote

from sqlalchemy import Engine, create_engine, insert, select, update

from benchmarks.purchases import PENDING, SENDING, SETTLED, own_folder
from benchmarks.worker import Stopwatch
from nous_billing import BillingClient, PurchaseDirectory, PurchaseStore, StaticToken
from nous_billing.purchases.leases import PurchaseLease
from nous_billing.purchases.sql_table import PURCHASES, to_row
from nous_billing.sql import SqlPurchaseStore
from tests.sql.database import postgres_server

PURCHASES_IN_ALL = 200
# As many connections as a pool of SQLAlchemy keeps.
AT_ONCE = 5


def _measured(work: Callable[[int], object]) -> dict[str, float]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(work, range(-AT_ONCE, 0)))
        with Stopwatch() as watch:
            list(pool.map(work, range(PURCHASES_IN_ALL)))
    each = watch.wall / PURCHASES_IN_ALL
    return {"wall": each, "cpu": watch.cpu / PURCHASES_IN_ALL, "rate": 1 / each}


@contextmanager
def _engine(kind: str) -> Iterator[Engine]:
    """An engine of a new database, which has the table."""
    with own_folder() as folder:
        if kind == "sqlite":
            yield from _with_table(f"sqlite:///{folder / 'purchases.db'}")
        else:
            with postgres_server() as socket:
                yield from _with_table(f"postgresql+psycopg://postgres@/postgres?host={quote(socket)}")


def _with_table(url: str) -> Iterator[Engine]:
    engine = create_engine(url)
    SqlPurchaseStore(engine).create_table()
    yield engine
    engine.dispose()


def same_statements(kind: str) -> dict[str, float]:
    """The statements of a purchase in a loop: one looks for the key, one inserts, two update; each commits."""
    rows = [to_row(purchase) for purchase in (SENDING, PENDING, SETTLED)]

    def write(number: int) -> None:
        key = f"key-{number}"
        with automatic.connect() as connection:
            connection.execute(select(PURCHASES).where(PURCHASES.c.key == key)).all()
        with automatic.connect() as connection:
            connection.execute(insert(PURCHASES).values({**rows[0], "key": key}))
        for row in rows[1:]:
            with automatic.connect() as connection:
                kept = (PURCHASES.c.key == key) & (PURCHASES.c.revision == row["revision"] - 1)
                connection.execute(update(PURCHASES).where(kept).values({**row, "key": key}))

    with _engine(kind) as engine:
        automatic = engine.execution_options(isolation_level="AUTOCOMMIT")
        return _measured(write)


def kept(kind: str) -> dict[str, float]:
    """The store alone, with a lease."""
    lease, holders = PurchaseLease(holder="", seconds=60), count()

    def save(number: int) -> None:
        mine = replace(lease, holder=str(next(holders)))
        assert list(store.load(f"key-{number}")) == []
        for purchase in (SENDING, PENDING, SETTLED):
            assert store.save(replace(purchase, key=f"key-{number}"), lease=mine)

    with _engine(kind) as engine:
        store = SqlPurchaseStore(engine)
        return _measured(save)


def bought_in(base_url: str, kind: str) -> dict[str, float]:
    """Through clients, each with the token of an organisation of its own."""

    def buy(number: int) -> None:
        with BillingClient(StaticToken(f"of-organisation-{abs(number)}"), base_url=base_url, timeout=120) as client:
            assert client.buy_credits(50, idempotency_key=f"key-{number}", store=store).status == "settled"

    store: PurchaseStore
    if kind == "directory":
        with own_folder() as folder:
            store = PurchaseDirectory(folder)
            return _measured(buy)
    with _engine(kind) as engine:
        store = SqlPurchaseStore(engine)
        return _measured(buy)


TASKS: dict[str, Callable[..., dict[str, float]]] = {
    "same_statements": same_statements,
    "kept": kept,
    "bought_in": bought_in,
}
