"""A store of purchases in a directory: one JSON file each, owner-only, replaced atomically and durably."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .._arguments import check_moment, check_path
from .._files.trust import absolute
from ..errors import BillingInvalidRequest
from ..protocol.idempotency import key_text
from .folder import PurchaseFolder
from .purchase import Purchase

if TYPE_CHECKING:
    from uuid import UUID


class PurchaseDirectory:
    """A ``PurchaseStore`` for one machine. Safe to share between threads and between processes.

    Purchases that have ended stay as receipts: buying again with the same key returns them. ``receipts`` lists them,
    ``prune`` removes old ones, and ``forget`` removes a single purchase.

    Args:
        path: The directory. It is created when the first purchase is saved. A relative path is of the working directory
            of this moment.

    Raises:
        BillingInvalidRequest: The path cannot be a directory (``error="invalid_store"``).

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     list(PurchaseDirectory(folder).load())
    []
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        check_path(path, "invalid_store")
        try:
            # A program that changes its working directory, as a daemon does, must still find them.
            self.path: Path = Path(absolute(os.fspath(Path(path).expanduser())))
            if b"\0" in os.fsencode(self.path):
                raise ValueError("it has a null character")
            self._folder = PurchaseFolder(self.path)
        except (TypeError, RuntimeError, ValueError) as error:
            raise _invalid(str(error).removesuffix(".")) from None
        except OSError as error:
            raise _invalid(error.strerror or type(error).__name__) from None
        if not os.fspath(path).strip():
            raise _invalid("it is blank")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    def load(self, key: str | None = None) -> Iterable[Purchase]:
        """Return the purchase with this key, if there is one; without a key, all that have not ended, oldest first.

        The cost depends on the number of open purchases, not on the number of receipts.

        Raises:
            BillingPurchaseStoreError: A file cannot be read or is broken. Without a key, after the readable ones.
            OSError: The directory cannot be read.
        """
        if key is None:
            return self._open()
        purchase = self._folder.find(key_text(key, "key"))
        return [] if purchase is None else [purchase]

    def _open(self) -> Iterator[Purchase]:
        found, broken = self._folder.read_open()
        yield from sorted(found, key=_started_at)
        if broken is not None:
            raise broken

    def save(self, purchase: Purchase) -> bool:
        """Save a purchase (compare-and-swap by revision). Return False if another call has saved it in the meantime.

        Raises:
            BillingNetworkError: Another program holds the lock of this purchase.
            BillingPurchaseStoreError: The stored purchase is broken.
            OSError: The directory cannot be written.
        """
        with self._folder.locked(purchase.key):
            kept = self._folder.find(purchase.key)
            if purchase.revision != (kept.revision if kept else 0) + 1:
                return False
            self._folder.write(purchase)
            return True

    def receipts(self) -> Iterator[Purchase]:
        """Return the purchases that have ended, newest first. Reads all of them before it returns the first.

        Raises:
            BillingPurchaseStoreError: A file cannot be read or is broken. Raised after the readable ones.
            OSError: The directory cannot be read.

        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     sum(receipt.amount_usd for receipt in PurchaseDirectory(folder).receipts())
        0
        """
        found, broken = self._folder.read_ended()
        yield from sorted(found, key=_started_at, reverse=True)
        if broken is not None:
            raise broken

    def forget(self, key: str | UUID) -> None:
        """Remove a purchase: a receipt, or one whose outcome a person has seen on the billing page.

        Raises:
            BillingInvalidRequest: The key is neither a string nor a UUID (``error="invalid_idempotency_key"``).
            BillingNetworkError: Another program holds the lock of this purchase.
            OSError: The directory cannot be written.
        """
        text = key_text(key, "key")
        if self.path.is_dir():
            with self._folder.locked(text):
                self._folder.remove(text)
            self._folder.sync()

    def prune(self, *, before: datetime) -> int:
        """Remove the receipts of purchases that were started before a date. Open purchases stay, however old they are.

        Once its receipt is gone, the same key buys again. Keep receipts for as long as a program may retry their keys.

        Args:
            before: A datetime with a time zone.

        Returns:
            How many receipts were removed.

        Raises:
            BillingInvalidRequest: ``before`` is no datetime, or has no time zone; nothing was removed
                (``error="invalid_moment"``).
            BillingNetworkError: Another program holds the lock of a purchase.
            BillingPurchaseStoreError: A file cannot be read or is broken, and stays. Raised after removing the others.
            OSError: The directory cannot be written.

        >>> from datetime import UTC, timedelta
        >>> from tempfile import TemporaryDirectory
        >>> before = datetime.now(UTC) - timedelta(days=400)
        >>> with TemporaryDirectory() as folder:
        ...     PurchaseDirectory(folder).prune(before=before)
        0
        """
        check_moment(before, "before")
        try:
            return sum(self._remove_receipt(old.key, before) for old in self.receipts() if old.started_at < before)
        finally:
            self._folder.sync()

    def _remove_receipt(self, key: str, before: datetime) -> bool:
        with self._folder.locked(key):
            # Another call may just have started it again.
            kept = self._folder.find(key)
            is_old = kept is not None and kept.has_ended and kept.started_at < before
            if is_old:
                self._folder.remove(key)
            return is_old


def _started_at(purchase: Purchase) -> datetime:
    return purchase.started_at


def _invalid(reason: str) -> BillingInvalidRequest:
    return BillingInvalidRequest(
        f"The store cannot be used: {reason}. Give the path of a directory.", error="invalid_store"
    )
