"""Purchases in a directory: one JSON file each, owner-only, replaced atomically and durably."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args

from .._files import locked, replace_durably
from ..errors import BillingError, BillingInvalidRequest, BillingPurchaseStoreError
from ..money import parse_usd
from .purchase import Purchase, PurchaseStatus

# A lock is held for one small file: whoever holds it longer has been stopped.
_LOCK_SECONDS = 10.0
_FORMAT = 1
_FILE_NAME = re.compile(r"[0-9a-f]{64}\.json")


class PurchaseDirectory:
    """A ``PurchaseStore`` for one machine. Safe to share between threads and between processes.

    Purchases that have ended stay as receipts: buying again with the same key returns them. ``forget`` removes one.

    Args:
        path: The directory; made where there is none.

    Raises:
        BillingInvalidRequest: There can be no such directory (``error="invalid_store"``).

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     list(PurchaseDirectory(folder).load())
    []
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        try:
            self.path: Path = Path(path).expanduser()
        except (TypeError, RuntimeError, ValueError) as error:
            raise _invalid(str(error).removesuffix(".")) from None
        if not os.fspath(path).strip():
            raise _invalid("it is blank")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    def load(self, key: str | None = None) -> Iterable[Purchase]:
        """Return the purchase with this key, if there is one; without a key all that have not ended, oldest first.

        Raises:
            BillingPurchaseStoreError: A file cannot be read, or is broken; without a key, after the others.
            OSError: The directory cannot be read.
        """
        if key is None:
            return self._open()
        purchase = _read(self._file(key))
        return [] if purchase is None else [purchase]

    def _open(self) -> Iterator[Purchase]:
        found: list[Purchase] = []
        broken: BillingPurchaseStoreError | None = None
        for file in self._files():
            try:
                purchase = _read(file)
            except BillingPurchaseStoreError as error:
                broken = error
                continue
            if purchase is not None and not purchase.has_ended:
                found.append(purchase)
        yield from sorted(found, key=lambda purchase: purchase.started_at)
        if broken is not None:
            raise broken

    def save(self, purchase: Purchase) -> bool:
        """Keep a purchase; False where another call has saved it meanwhile.

        Raises:
            BillingNetworkError: Another program holds the directory.
            BillingPurchaseStoreError: The purchase that is kept is broken.
            OSError: The directory cannot be written.
        """
        file = self._file(purchase.key)
        with self._locked():
            kept = _read(file)
            if purchase.revision != (kept.revision if kept else 0) + 1:
                return False
            replace_durably(file, lambda: _encode(purchase))
            return True

    def forget(self, key: str) -> None:
        """Remove a purchase, once a person has seen on the billing page what became of it, or as an old receipt.

        Raises:
            BillingNetworkError: Another program holds the directory.
            OSError: The directory cannot be written.
        """
        with self._locked():
            self._file(key).unlink(missing_ok=True)

    def _locked(self) -> AbstractContextManager[None]:
        return locked(str(self.path / ".lock"), _LOCK_SECONDS, f"the purchases in {self.path}")

    def _files(self) -> list[Path]:
        try:
            return [file for file in self.path.iterdir() if _FILE_NAME.fullmatch(file.name)]
        except FileNotFoundError:
            return []

    def _file(self, key: str) -> Path:
        # A key may have any visible character, and be longer than a file's name.
        return self.path / f"{sha256(key.encode()).hexdigest()}.json"


def _invalid(reason: str) -> BillingInvalidRequest:
    return BillingInvalidRequest(
        f"Purchases cannot be kept there: {reason}. Give the path of a directory.", error="invalid_store"
    )


def _encode(purchase: Purchase) -> bytes:
    document = {
        "format": _FORMAT,
        "revision": purchase.revision,
        "key": purchase.key,
        "amount_usd": format(purchase.amount_usd, "f"),
        "portal_base_url": purchase.portal_base_url,
        "organisation_id": purchase.organisation_id,
        "organisation_name": purchase.organisation_name,
        "started_at": purchase.started_at.isoformat(),
        "status": purchase.status,
        "charge_id": purchase.charge_id,
        "reason": purchase.reason,
        "settled_at": None if purchase.settled_at is None else purchase.settled_at.isoformat(),
        "added_usd": None if purchase.added_usd is None else format(purchase.added_usd, "f"),
    }
    return json.dumps(document, indent=1).encode()


def _decode(document: Any) -> Purchase:
    if document["format"] != _FORMAT or document["status"] not in get_args(PurchaseStatus):
        raise ValueError("it was written by another version of nous-billing")
    settled_at, added_usd = _maybe_text(document["settled_at"]), _maybe_text(document["added_usd"])
    return Purchase(
        revision=_count(document["revision"]),
        key=_text(document["key"]),
        amount_usd=parse_usd(document["amount_usd"]),
        portal_base_url=_text(document["portal_base_url"]),
        organisation_id=_text(document["organisation_id"]),
        organisation_name=_text(document["organisation_name"]),
        started_at=_moment(document["started_at"]),
        status=document["status"],
        charge_id=_maybe_text(document["charge_id"]),
        reason=_maybe_text(document["reason"]),
        settled_at=None if settled_at is None else _moment(settled_at),
        added_usd=None if added_usd is None else parse_usd(added_usd),
    )


def _count(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"a {type(value).__name__} where a number should be")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a {type(value).__name__} where a text should be")
    return value


def _maybe_text(value: object) -> str | None:
    return None if value is None else _text(value)


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError("a date without an offset")
    return moment


def _read(file: Path) -> Purchase | None:
    try:
        return _decode(json.loads(file.read_bytes()))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError, KeyError, RecursionError, BillingError) as error:
        reason = (str(error) or type(error).__name__).removesuffix(".")
        raise BillingPurchaseStoreError(
            f"The purchase in {file} cannot be read: {reason}. It may have been made: look at the billing page, then "
            "mend or remove the file.",
            error="purchase_store_failed",
            outcome_unknown=True,
        ) from error
