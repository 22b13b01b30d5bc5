"""Remembers the payments of a profile whose outcome is unknown: a small file under a lock, for all its processes.

Hermes makes a new idempotency key each time that a person confirms. Without a memory the second confirmation of a
payment whose reply was lost would pay twice.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from logging import WARNING
from pathlib import Path
from typing import TypeVar

from .._files.locking import locked
from .._files.reading import read_own_file
from .._files.replacing import put_aside, replace_durably
from .._reporting import log
from .._threads import ForkSafeLock
from ..errors import BillingNetworkError

T = TypeVar("T")

_VERSION = 1
# A person who sees an error tries again within minutes. Later, the same amount is another purchase.
_SAME_PAYMENT_SECONDS = 600.0
# Payment processors promise to remember a key for a day.
_KEPT_SECONDS = 86400.0
_LOCK_SECONDS = 5.0
# Another window holds the lock for a few milliseconds. For that a call may be late: what became of it is to be saved.
_SHORTEST_WAIT = 0.1
_LATEST = 1e12


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment that may have been made.

    Attributes:
        key: The idempotency key that it is sent with.
        what: What is paid for, such as ``"charge 100"``.
        portal: The base URL of the portal that it is sent to.
        organisation: The id of the organisation that pays; empty while it is not known.
        sent_at: When it was last sent, in seconds since 1970.
        sends: How often a call was about to send it.
        other_keys: Keys of later confirmations, which this payment answers too.
        answered: Whether its outcome is known.
    """

    key: str
    what: str
    portal: str
    organisation: str
    sent_at: float
    sends: int = 0
    other_keys: list[str] = field(default_factory=list[str])
    answered: bool = False

    def has_key(self, key: str) -> bool:
        """Whether the key is its own, or of a confirmation that it answers."""
        return key == self.key or key in self.other_keys

    def answers(self, confirmed: Payment) -> bool:
        """Whether what a person has just confirmed is this payment: the same key, or the same purchase soon after."""
        # Whoever pays may be the same: only two known organisations differ.
        is_another = self.organisation and confirmed.organisation and self.organisation != confirmed.organisation
        if self.portal != confirmed.portal or is_another:
            return False
        if self.has_key(confirmed.key):
            return True
        # A time in the future is that of a clock that was set back since.
        is_recent = confirmed.sent_at - self.sent_at < _SAME_PAYMENT_SECONDS
        return self.what == confirmed.what and is_recent and not self.answered


class UnresolvedPayments:
    """The payments of each profile. Where a file cannot be used, the memory of this process replaces it.

    Each change waits for the lock of the file for ``seconds``, the time that the call has left. An answer of the portal
    is remembered also where another program holds the lock, and saved with the next payment.
    """

    def __init__(self) -> None:
        self._lock = ForkSafeLock()
        self._remembered: dict[str, dict[str, Payment]] = {}

    def claim(self, home: str, confirmed: Payment, seconds: float) -> tuple[Payment, bool]:
        """Save that a payment is about to be sent (write-ahead).

        Returns:
            The payment to send, which is an earlier one if that answers what was confirmed; and whether it may have
            been sent before.

        Raises:
            BillingNetworkError: Another program holds the lock.
        """

        def claim(payments: dict[str, Payment]) -> tuple[Payment, bool]:
            # By its own key first: a payment of the same amount may be there too. Then by the same organisation, known
            # or not, before one that only may be the same; then the last one sent.
            candidates = sorted(
                (each for each in payments.values() if each.answers(confirmed)),
                key=lambda each: (
                    not each.has_key(confirmed.key),
                    each.organisation != confirmed.organisation,
                    -each.sent_at,
                ),
            )
            earlier = candidates[0] if candidates else None
            payment = earlier or confirmed
            payments[payment.key] = claimed = replace(
                payment,
                # It is now sent for the organisation that is known, and no longer answers for others.
                organisation=payment.organisation or confirmed.organisation,
                sent_at=confirmed.sent_at,
                sends=payment.sends + 1,
                other_keys=[*payment.other_keys, *([] if payment.has_key(confirmed.key) else [confirmed.key])],
            )
            return claimed, earlier is not None

        return self._change(home, confirmed.sent_at, seconds, claim, must_lock=True)

    def resolve(self, home: str, payment: Payment, seconds: float) -> None:
        """Save that the portal has answered: the next confirmation is another purchase."""

        def resolve(payments: dict[str, Payment]) -> None:
            payments[payment.key] = replace(payments.get(payment.key, payment), answered=True)

        self._change(home, payment.sent_at, seconds, resolve)

    def postpone(self, home: str, payment: Payment, until: float, seconds: float) -> None:
        """Save that a payment was last sent at ``until``, which is to come: it stays the same purchase for longer."""

        def postpone(payments: dict[str, Payment]) -> None:
            # Another call may have claimed or resolved it since.
            current = payments.get(payment.key, payment)
            payments[payment.key] = replace(current, sent_at=max(current.sent_at, until))

        self._change(home, payment.sent_at, seconds, postpone)

    def withdraw(self, home: str, payment: Payment, seconds: float) -> None:
        """Forget a payment that was certainly not made, unless another call has claimed it since."""

        def withdraw(payments: dict[str, Payment]) -> None:
            if payments.get(payment.key) == payment:
                del payments[payment.key]

        self._change(home, payment.sent_at, seconds, withdraw)

    def is_saved(self, home: str, payment: Payment) -> bool:
        """Whether another process of the profile knows of it, also after this one has ended."""
        return payment.key not in self._remembered.get(home, {})

    def _change(
        self,
        home: str,
        now: float,
        seconds: float,
        change: Callable[[dict[str, Payment]], T],
        *,
        must_lock: bool = False,
    ) -> T:
        path = Path(home, "nous-billing", "unresolved.json")
        saved: dict[str, Payment] = {}
        problem: Exception | None = None
        with ExitStack() as held:
            try:
                wait = round(min(max(seconds, _SHORTEST_WAIT), _LOCK_SECONDS), 1)
                held.enter_context(locked(f"{path}.lock", wait, f"the unresolved payments in {path}"))
                saved = _read(path)
            except BillingNetworkError as error:
                if must_lock:
                    raise
                problem = error
            except (OSError, ValueError) as error:
                problem = error
            # Only now, so that a thread waits here for no other that waits for the file.
            with self._lock, self._lock.current:
                payments = _merged(saved, self._remembered.get(home, {}))
                answer = change(payments)
                try:
                    if problem is None:
                        replace_durably(path, lambda: _encode(payments, now))
                except (OSError, ValueError) as error:
                    problem = error
                # What the file says of others may change there before this process can save again.
                own = {key: each for key, each in payments.items() if each is not saved.get(key)}
                self._remembered[home] = {} if problem is None else own
        if problem is not None:
            log(
                WARNING,
                "The unresolved payments in %s cannot be kept (%s: %s): only this process remembers them.",
                path,
                type(problem).__name__,
                problem,
            )
        return answer


OF_THIS_PROCESS = UnresolvedPayments()
"""One for all clients: two threads that call for the first time may each make a client."""


def _merged(saved: dict[str, Payment], remembered: dict[str, Payment]) -> dict[str, Payment]:
    """Return all payments, with what the file and this process each know of them."""
    payments = saved | remembered
    for key in saved.keys() & remembered.keys():
        theirs, ours = saved[key], remembered[key]
        payments[key] = replace(
            theirs,
            organisation=theirs.organisation or ours.organisation,
            sent_at=max(theirs.sent_at, ours.sent_at),
            sends=max(theirs.sends, ours.sends),
            other_keys=list(dict.fromkeys([*theirs.other_keys, *ours.other_keys])),
            answered=theirs.answered or ours.answered,
        )
    return payments


def _read(path: Path) -> dict[str, Payment]:
    """Return the payments of a file. A broken one is put aside, so that what is sent from here on can be saved.

    Raises:
        OSError: It cannot be read, or another version of this SDK has written it.
    """
    try:
        content = read_own_file(path)
    except FileNotFoundError:
        return {}
    try:
        return _decode(content)
    # A document that is nested too deeply is a RecursionError.
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        aside = put_aside(str(path))
        log(
            WARNING,
            "The unresolved payments in %s cannot be read (%s) and are no longer known. The file was renamed to %s.",
            path,
            type(error).__name__,
            aside,
        )
        return {}


def _decode(content: bytes) -> dict[str, Payment]:
    document = json.loads(content)
    if document["version"] != _VERSION:
        raise OSError(errno.EINVAL, "it is of another version")
    payments = [Payment(**each) for each in document["payments"]]
    if not all(map(_is_valid, payments)):
        raise TypeError("it has a payment of another kind")
    return {each.key: each for each in payments}


def _is_valid(payment: Payment) -> bool:
    return (
        all(type(text) is str for text in (payment.key, payment.what, payment.portal, payment.organisation))
        # Neither NaN nor what no date is.
        and type(payment.sent_at) in (int, float)
        and abs(payment.sent_at) < _LATEST
        and type(payment.sends) is int
        and type(payment.other_keys) is list
        and all(type(key) is str for key in payment.other_keys)
        and type(payment.answered) is bool
    )


def _encode(payments: dict[str, Payment], now: float) -> bytes:
    kept = [asdict(each) for each in payments.values() if now - each.sent_at < _KEPT_SECONDS]
    return json.dumps({"version": _VERSION, "payments": kept}).encode()
