"""Logins of many people in a table of a SQL database."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import get_ident
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    Column,
    Connection,
    Double,
    Engine,
    LargeBinary,
    MetaData,
    String,
    Table,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from .._arguments import kind_of
from .._secrets import SecretBytes
from ..errors import BillingInvalidRequest, BillingNetworkError
from ..purchases.sql_table import Now, create, exact, inserted, shown


class _Secret(TypeDecorator[SecretBytes]):
    """Bytes with a token: SQLAlchemy logs the rows that it has read."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: SecretBytes | None, dialect: Dialect) -> bytes | None:
        return None if value is None else value.reveal()

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> SecretBytes | None:
        return None if value is None else SecretBytes(bytes(value))


LOGINS = Table(
    "nous_logins",
    MetaData(),
    Column("user_id", exact("utf8mb4"), primary_key=True),
    Column("document", _Secret(2**20)),
    Column("lease_holder", String(64)),
    Column("lease_until", Double),
    mysql_charset="utf8mb4",
    mysql_engine="InnoDB",
)
"""The table: a row for each person. ``document`` has refresh tokens."""

# Longer than a renewal (three requests of 10 s and 3 s between them), and shorter than the 60 s in which the portal
# answers a replay with the same tokens: if a machine dies in between, the next one gets them.
_LEASE_SECONDS = 40.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.25
_NO_LEASE = {"lease_holder": None, "lease_until": None}
# The clocks of the machines are compared with that of the database by a question that takes a while.
_ROUNDED_SECONDS = 2.0


class SqlLoginStorage:
    """The login of one person, in the table ``nous_logins`` of SQLite, PostgreSQL, MySQL or MariaDB.

    Of all processes on all machines one at a time renews a login: it has a lease on the row, by the clock of the
    database. Each method is one short statement that commits by itself; no connection is held while the portal is
    asked. The SDK calls them in threads, for an ``AsyncBillingClient``, too.

    Args:
        engine: An ``Engine`` of SQLAlchemy 2, shared by all people. It stays open.
        user_id: The person, at most 255 characters.
        encrypt, decrypt: Functions of bytes, such as those of a ``Fernet``: the document has a refresh token. Without
            them it is in the table as it is.

    Raises:
        BillingInvalidRequest: An argument cannot be used (``error="invalid_storage"``).

    >>> from sqlalchemy import create_engine
    >>> from nous_billing import StoredLogin
    >>> engine = create_engine("sqlite://")
    >>> SqlLoginStorage.create_table(engine)
    >>> StoredLogin(storage=SqlLoginStorage(engine, "ada")).is_logged_in
    False
    """

    def __init__(
        self,
        engine: Engine,
        user_id: str,
        *,
        encrypt: Callable[[bytes], bytes] | None = None,
        decrypt: Callable[[bytes], bytes] | None = None,
    ) -> None:
        if not isinstance(user_id, str) or not 0 < len(user_id) <= 255 or "\0" in user_id:
            raise _invalid("user_id must be a text of 1 to 255 characters without NUL.")
        if (encrypt is None) != (decrypt is None):
            raise _invalid("Give both encrypt and decrypt, or neither.")
        self._engine = _engine(engine)
        self._user_id = user_id
        self._encrypt = encrypt or bytes
        self._decrypt = decrypt or bytes
        # By thread: each renewal has a lease of its own.
        self._lease_of: dict[int, str] = {}

    @staticmethod
    def create_table(engine: Engine) -> None:
        """Create the table, or add the columns that an older version did not have. Several may do so at once.

        Raises:
            BillingInvalidRequest: It is no ``Engine`` (``error="invalid_storage"``).
        """
        with _engine(engine).connect() as connection:
            create(connection, LOGINS)

    @property
    def name(self) -> str:
        """The table and the person."""
        return f"{LOGINS.name} of {self._user_id!r}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({shown(self._engine)!r}, {self._user_id!r})"

    @contextmanager
    def hold(self, seconds: float) -> Generator[None]:
        """Hold a lease on the row. That of a machine that died ends after 40 seconds.

        Raises:
            BillingNetworkError: Another held it for so long.
        """
        holder, end, pause = uuid4().hex, time.monotonic() + seconds, _FIRST_PAUSE
        while not self._acquire(holder):
            if time.monotonic() >= end:
                raise BillingNetworkError(
                    f"Another program has held {self.name} for {seconds:g} seconds. Try again shortly.",
                    error="network_error",
                )
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        self._lease_of[get_ident()] = holder
        try:
            yield
        finally:
            del self._lease_of[get_ident()]
            self._run(lambda connection: connection.execute(update(LOGINS).where(self._held(holder)).values(_NO_LEASE)))

    def load(self) -> SecretBytes | None:
        """Return the document."""
        query = select(LOGINS.c.document).where(LOGINS.c.user_id == self._user_id)
        content = self._run(lambda connection: connection.execute(query).scalar())
        return SecretBytes(self._decrypt(content.reveal())) if content else None

    def reserve(self, size: int) -> None:
        """Write the lease anew, into the row that the document will be in.

        Raises:
            OSError: The lease has gone to another machine.
        """
        self._change({"lease_until": Now() + _LEASE_SECONDS})

    def save(self, content: SecretBytes) -> None:
        """Replace the document.

        Raises:
            OSError: The lease has gone to another machine.
        """
        self._change({"document": SecretBytes(self._encrypt(content.reveal()))})

    def skew(self) -> float:
        """Return by how many seconds the clock of the database is ahead of this machine's."""
        skew = float(self._run(lambda connection: connection.execute(select(Now())).scalar_one())) - time.time()
        return skew if abs(skew) > _ROUNDED_SECONDS else 0.0

    def _held(self, holder: str) -> Any:
        return (LOGINS.c.user_id == self._user_id) & (LOGINS.c.lease_holder == holder)

    def _acquire(self, holder: str) -> bool:
        lease = {"lease_holder": holder, "lease_until": Now() + _LEASE_SECONDS}
        is_free = or_(LOGINS.c.lease_holder.is_(None), LOGINS.c.lease_until <= Now())
        mine = update(LOGINS).where(LOGINS.c.user_id == self._user_id, is_free).values(lease)
        new = {"user_id": self._user_id, **lease}
        there = select(LOGINS.c.user_id).where(LOGINS.c.user_id == self._user_id)

        def acquire(connection: Connection) -> bool:
            if connection.execute(mine).rowcount == 1:
                return True
            if connection.execute(there).first() is not None:
                return False
            return inserted(connection, LOGINS, new)

        return bool(self._run(acquire))

    def _change(self, values: dict[str, Any]) -> None:
        # Whoever holds the lease may save, also after its end, as long as nobody else has taken it.
        change = update(LOGINS).where(self._held(self._lease_of[get_ident()])).values(values)
        if self._run(lambda connection: connection.execute(change).rowcount) != 1:
            raise OSError(errno.ESTALE, "another machine has taken the lease")

    def _run(self, work: Callable[[Connection], Any]) -> Any:
        with self._engine.connect() as connection:
            return work(connection)


def _engine(engine: object) -> Engine:
    if not isinstance(engine, Engine):
        raise _invalid(
            f"engine must be an Engine of SQLAlchemy, not {kind_of(engine)}. A login is renewed in threads, "
            "so an AsyncBillingClient takes one, too."
        )
    # Each method is one statement: a transaction around it would cost two more round trips.
    own = engine.execution_options(isolation_level="AUTOCOMMIT")
    # In no log and no exception of SQLAlchemy: they have tokens.
    own.hide_parameters = True
    return own


def _invalid(message: str) -> BillingInvalidRequest:
    return BillingInvalidRequest(message, error="invalid_storage")
