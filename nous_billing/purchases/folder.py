"""The files of a directory of purchases: open purchases in the directory, receipts in ``receipts`` below it.

A purchase ends with two atomic renames: the first replaces the open purchase with the ended one, the second moves that
to the receipts. After a crash in between, the purchase is read where it is and moved later. If a receipt and an open
purchase have the same key, the purchase was started again, and the receipt is its previous state.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterable
from contextlib import AbstractContextManager, contextmanager, suppress
from hashlib import sha256
from itertools import groupby
from pathlib import Path

from .._files.folders import make_folder, sync_folder
from .._files.locking import locked
from .._files.reading import patiently, read_own_file
from .._files.replacing import replace_durably, temporary_of
from .._files.trust import check_folder, check_length, follow
from .._threads import ForkSafeLock
from ..errors import BillingError, BillingPurchaseStoreError
from .document import decode, encode
from .purchase import Purchase

_BROKEN = (OSError, ValueError, TypeError, KeyError, RecursionError, BillingError)
_FILE_NAME = re.compile(r"[0-9a-f]{64}\.json")
# A lock is held while one small file is written. A holder that takes longer is suspended.
_LOCK_SECONDS = 10.0
# Lock striping: different keys seldom wait for each other, and there are few lock files.
_STRIPES = 64
# Threads of this process queue here. The lock file of a stripe is only for other processes.
_QUEUES = tuple(ForkSafeLock() for _ in range(_STRIPES))


class PurchaseFolder:
    """Reads and writes the files. Its caller decides what may be written.

    Raises:
        OSError: The path is too long.
    """

    def __init__(self, path: Path) -> None:
        self.path: Path = path
        self.receipts: Path = path / "receipts"
        # The longest of its names. Later, nobody could tell whether a purchase is there.
        check_length(str(temporary_of(self.receipts / _file_name(""))))

    def locked(self, key: str) -> AbstractContextManager[None]:
        """Lock the purchase with this key against every other thread and process.

        Raises:
            BillingNetworkError: Another program holds the lock.
            OSError: The directory cannot be written.
        """
        return self._locked_stripe(_stripe(_file_name(key)))

    @contextmanager
    def _locked_stripe(self, stripe: int) -> Generator[None]:
        self._check()
        lock_file = self.path / ".locks" / f"{stripe:02x}"
        what = f"the purchases in {self.path}"
        with self._naming(), _QUEUES[stripe], _QUEUES[stripe].current, locked(str(lock_file), _LOCK_SECONDS, what):
            yield

    @contextmanager
    def _naming(self) -> Generator[None]:
        """Have every error say where it happened."""
        try:
            yield
        except OSError as error:
            path, reason = str(error.filename or self.path), error.strerror or type(error).__name__
            sentence = reason if path in reason else f"{path}: {reason}"
            raise OSError(error.errno, sentence, path) from error

    def find(self, key: str) -> Purchase | None:
        """Return the purchase with this key."""
        self._check()
        name = _file_name(key)
        # The first folder again: the purchase may have been started again since the first look.
        for folder in (self.path, self.receipts, self.path):
            purchase = _read(folder / name)
            if purchase is not None:
                return purchase
        return None

    def write(self, purchase: Purchase) -> None:
        """Save a purchase durably. The caller holds its lock."""
        name = _file_name(purchase.key)
        replace_durably(self.path / name, lambda: encode(purchase))
        # The purchase is durable by now, so tidying up may fail.
        with suppress(OSError):
            if purchase.has_ended:
                self._file_away(name)
            else:
                (self.receipts / name).unlink(missing_ok=True)

    def remove(self, key: str) -> None:
        """Remove a purchase; durable after ``sync``. The caller holds its lock."""
        name = _file_name(key)
        # The receipt first: left alone it would show a state from before the purchase was started again.
        _unlink(self.receipts / name)
        if (self.path / name).exists():
            sync_folder(self.receipts)
        _unlink(self.path / name)
        _unlink(temporary_of(self.path / name))

    def sync(self) -> None:
        """Make removals durable."""
        with self._naming():
            sync_folder(self.receipts)
            sync_folder(self.path)

    def read_open(self) -> tuple[list[Purchase], BillingPurchaseStoreError | None]:
        """Return the open purchases and an error for those that cannot be read. Move ended ones to the receipts."""
        self._check()
        with self._naming():
            found, broken = _read_all(_files(self.path))
        # A crash or an older version left them here.
        ended = sorted((_file_name(purchase.key) for purchase in found if purchase.has_ended), key=_stripe)
        for stripe, names in groupby(ended, key=_stripe):
            with suppress(OSError, BillingError), self._locked_stripe(stripe):
                for name in names:
                    self._file_away_if_ended(name)
        return [purchase for purchase in found if not purchase.has_ended], _error_for(broken)

    def read_ended(self) -> tuple[list[Purchase], BillingPurchaseStoreError | None]:
        """Return the purchases that have ended, and an error for those that cannot be read."""
        self._check()
        # In this order a purchase that is moved meanwhile is found at least once.
        with self._naming():
            beside, one = _read_all(_files(self.path))
            below, other = _read_all(_files(self.receipts))
        found = {purchase.key: purchase for purchase in (*below, *beside)}
        return [purchase for purchase in found.values() if purchase.has_ended], _error_for(one | other)

    def _check(self) -> None:
        """Refuse a directory in which others can replace a purchase.

        Raises:
            BillingPurchaseStoreError: It is refused.
        """
        try:
            path = follow(os.fspath(self.path))
            check_folder(path)
            check_folder(os.path.join(path, self.receipts.name))
        except OSError as error:
            raise BillingPurchaseStoreError(
                f"The purchases in {self.path} cannot be used: {error.strerror}.",
                error="purchase_store_failed",
                outcome_unknown=True,
            ) from error

    def _file_away_if_ended(self, name: str) -> None:
        purchase = _read(self.path / name)
        if purchase is not None and purchase.has_ended:
            self._file_away(name)

    def _file_away(self, name: str) -> None:
        make_folder(self.receipts)
        # Not synced: a crash may undo the move, which does no harm.
        (self.path / name).replace(self.receipts / name)


def _unlink(file: Path) -> None:
    patiently(lambda: file.unlink(missing_ok=True))


def _file_name(key: str) -> str:
    # A key may have characters that a file name cannot have, and may be too long for one. A terminal that got one wrong
    # passes halves of characters.
    return f"{sha256(key.encode(errors='surrogatepass')).hexdigest()}.json"


def _stripe(file_name: str) -> int:
    return int(file_name[:8], 16) % _STRIPES


def _files(folder: Path) -> list[Path]:
    try:
        return [file for file in folder.iterdir() if _FILE_NAME.fullmatch(file.name)]
    except FileNotFoundError:
        return []


def _read_all(files: Iterable[Path]) -> tuple[list[Purchase], dict[Path, str]]:
    """Return the purchases, and why the other files cannot be read."""
    found: list[Purchase] = []
    broken: dict[Path, str] = {}
    for file in files:
        try:
            purchase = _decode(file)
        except _BROKEN as error:
            broken[file] = _reason(error)
            continue
        if purchase is not None:
            found.append(purchase)
    return found, broken


def _read(file: Path) -> Purchase | None:
    try:
        return _decode(file)
    except _BROKEN as error:
        raise _unreadable({file: _reason(error)}) from error


def _decode(file: Path) -> Purchase | None:
    try:
        purchase = decode(read_own_file(file))
    except (FileNotFoundError, NotADirectoryError):
        return None
    if _file_name(purchase.key) != file.name:
        raise ValueError("its file name does not match its key")
    return purchase


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    reason = f"{error} is missing" if isinstance(error, KeyError) else str(error) or type(error).__name__
    return reason.removesuffix(".")


def _error_for(broken: dict[Path, str]) -> BillingPurchaseStoreError | None:
    return _unreadable(broken) if broken else None


def _unreadable(broken: dict[Path, str]) -> BillingPurchaseStoreError:
    (file, reason), *others = broken.items()
    sentence = (
        f"The purchase in {file} cannot be read: {reason}. It may have been made: look at the billing page, then fix "
        "or remove the file."
    )
    if others:
        each = "; ".join(f"{file} ({reason})" for file, reason in sorted(broken.items()))
        sentence = (
            f"{len(broken)} purchases cannot be read: {each}. They may have been made: look at the billing page, then "
            "fix or remove the files."
        )
    return BillingPurchaseStoreError(sentence, error="purchase_store_failed", outcome_unknown=True)
