"""Remembers what failed at the portal, for all that share a login, so that it is left alone for a while."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from math import ceil
from typing import Any, cast

from .._secrets import Secret, reveal
from ..clock import BaseClock
from ..errors import BillingError, BillingNetworkError
from .backoff import LONGEST_PAUSE, backoff
from .login_document import Document
from .login_entries import FAILED_LOGIN_KEY, FAILED_RENEWAL_KEY, login_of, logins_of
from .login_places import LoginPlace, Write
from .tokens import CLOCK_TOLERANCE, iso_from_seconds, seconds_from_iso


@dataclass(frozen=True, slots=True)
class _Failure:
    """The last failure of a login.

    Attributes:
        login: A digest of its refresh token: the failure counts for no other login. Empty for a device login.
        failed_at: Seconds since 1970, by the clock that all machines share where there is one.
        pause: Seconds from then until the portal may be asked again.
        failures: How many there were in a row.
        status: The HTTP status, or None where there was no reply.
    """

    login: str
    failed_at: float
    pause: int
    failures: int
    status: int | None

    def entry(self) -> dict[str, Any]:
        return {**asdict(self), "failed_at": iso_from_seconds(self.failed_at)}

    def pause_left(self, now: float) -> int:
        # A failure in the future was noted by a machine with another clock, so nobody knows when it was.
        is_known = self.failed_at <= now + CLOCK_TOLERANCE
        return ceil(min(self.failed_at + self.pause - now, self.pause)) if is_known else 0


class FailedRenewals:
    """The failures: in the entries of the logins, and in memory where they cannot be saved.

    No method raises for a place that cannot be used. The caller holds the lock of the login.
    """

    def __init__(self, place: LoginPlace, clock: BaseClock) -> None:
        self._place = place
        self._clock = clock
        self._own: dict[tuple[str, str], _Failure] = {}

    def check(self, base_url: str, login: Document, refresh_token: Secret) -> int:
        """Return how many renewals of this login failed in a row, if another may be tried now.

        Raises:
            BillingNetworkError: It is too early; ``retry_after`` says when to try again.
        """
        what = "The login could not be renewed a short while ago"
        return self._check(base_url, FAILED_RENEWAL_KEY, login, _digest(refresh_token), what)

    def check_login(self, base_url: str, login: Document) -> None:
        """Raise if the portal asked a device login, a while ago, to come later.

        Raises:
            BillingNetworkError: It is too early; ``retry_after`` says when to try again.
        """
        self._check(base_url, FAILED_LOGIN_KEY, login, "", "The login could not be started a short while ago")

    def _check(self, base_url: str, key: str, login: Document, digest: str, what: str) -> int:
        found = [self._own.get((base_url, key)), _failure(login.get(key))]
        failures = [failure for failure in found if failure is not None and failure.login == digest]
        now = self._now() if failures else 0.0
        for failure in failures:
            seconds = failure.pause_left(now)
            if seconds > 0:
                reason = "no answer" if failure.status is None else f"HTTP {failure.status}"
                raise BillingNetworkError(
                    f"{what} ({reason}). Try again in {seconds} s.",
                    status=failure.status,
                    error="network_error",
                    retry_after=seconds,
                )
        return max((failure.failures for failure in failures), default=0)

    def add(self, base_url: str, token: Secret, failures: int, error: BillingNetworkError, write: Write) -> None:
        """Remember one more failure of a renewal.

        Args:
            write: Replaces the document.
        """
        failure = self._failure(_digest(token), failures, error)
        self._own[base_url, FAILED_RENEWAL_KEY] = failure
        with suppress(OSError, BillingError):
            document = self._place.read()
            login = login_of(document, base_url)
            if login.get("refresh_token") == token:
                login[FAILED_RENEWAL_KEY] = failure.entry()
                write(document)

    def add_login(self, base_url: str, error: BillingNetworkError) -> None:
        """Remember that the portal gave no code, and for how long it wants to be left alone."""
        failure = self._failure("", 0, error)
        self._own[base_url, FAILED_LOGIN_KEY] = failure
        with suppress(OSError, BillingError):
            document = self._place.read()
            logins_of(document)[base_url] = {**login_of(document, base_url), FAILED_LOGIN_KEY: failure.entry()}
            self._place.write(document)

    def add_unusable(self, base_url: str, refresh_token: Secret, failures: int) -> BillingNetworkError:
        """Remember that a renewal gave an access token that no header can carry. Return the error to raise."""
        seconds = backoff(failures)
        error = BillingNetworkError(
            f"The portal's new token has characters that a token cannot have. Try again in {seconds} s.",
            error="network_error",
            retry_after=seconds,
        )
        self.add(base_url, refresh_token, failures, error, self._place.write)
        return error

    def forget(self, base_url: str) -> None:
        """Forget the failures of a portal: the login was renewed, replaced or ended, and its entry has none."""
        for key in (FAILED_RENEWAL_KEY, FAILED_LOGIN_KEY):
            self._own.pop((base_url, key), None)

    def _failure(self, login: str, failures: int, error: BillingNetworkError) -> _Failure:
        return _Failure(login, self._now(), error.retry_after or 0, failures + 1, error.status)

    def _now(self) -> float:
        return self._clock.time() + self._place.skew()


def _digest(refresh_token: Secret) -> str:
    return sha256(refresh_token.reveal().encode(errors="surrogatepass")).hexdigest()[:16]


def _failure(value: object) -> _Failure | None:
    """Return an entry of a login; None where it is none."""
    entry: Mapping[str, Any] = cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}
    match {key: reveal(one) for key, one in entry.items()}:
        case {"login": str(login), "failed_at": str(date), "pause": int(pause), "failures": int(failures), **rest}:
            failed_at, status = seconds_from_iso(date), rest.get("status")
            if failed_at is None or not 0 < pause <= LONGEST_PAUSE or failures < 1:
                return None
            return _Failure(str(login), failed_at, pause, failures, status if isinstance(status, int) else None)
        case _:
            return None
