"""Remembers failed renewals, for all threads and processes, so that the token endpoint is left alone for a while."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from math import ceil
from pathlib import Path
from typing import Any

from .._files.reading import read_own_file
from .._files.replacing import replace_durably
from .._secrets import Secret
from ..clock import BaseClock
from ..errors import BillingNetworkError
from .backoff import LONGEST_PAUSE, backoff
from .login_file import LoginFile
from .tokens import CLOCK_TOLERANCE, iso_from_seconds, seconds_from_iso


@dataclass(frozen=True, slots=True)
class _Failure:
    """The last failure of a login.

    Attributes:
        login: A digest of its refresh token: the failure counts for no other login.
        failed_at: Seconds since 1970.
        pause: Seconds from then until the next renewal may be tried.
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
    """The failures, by portal: in a file beside that of the logins, and in memory where it cannot be written.

    No method raises for a file that cannot be used. The caller holds the lock of the login file.
    """

    def __init__(self, file: LoginFile, clock: BaseClock) -> None:
        self._login_file = file
        self._clock = clock
        self._own: dict[str, _Failure] = {}

    def check(self, base_url: str, refresh_token: Secret) -> int:
        """Return how many renewals of this login failed in a row, if another may be tried now.

        Raises:
            BillingNetworkError: It is too early; ``retry_after`` says when to try again.
        """
        now, login = self._clock.time(), _digest(refresh_token)
        found = [self._own.get(base_url), self._read().get(base_url)]
        failures = [failure for failure in found if failure is not None and failure.login == login]
        for failure in failures:
            seconds = failure.pause_left(now)
            if seconds > 0:
                reason = "no answer" if failure.status is None else f"HTTP {failure.status}"
                raise BillingNetworkError(
                    f"The login could not be renewed a short while ago ({reason}). Try again in {seconds} s.",
                    status=failure.status,
                    error="network_error",
                    retry_after=seconds,
                )
        return max((failure.failures for failure in failures), default=0)

    def add(self, base_url: str, refresh_token: Secret, failures: int, error: BillingNetworkError) -> None:
        """Remember one more failure."""
        failure = _Failure(
            _digest(refresh_token), self._clock.time(), error.retry_after or 0, failures + 1, error.status
        )
        self._own[base_url] = failure
        self._write({**self._read(), base_url: failure})

    def add_unusable(self, base_url: str, refresh_token: Secret, failures: int) -> BillingNetworkError:
        """Remember that a renewal gave an access token that no header can carry. Return the error to raise."""
        seconds = backoff(failures)
        error = BillingNetworkError(
            f"The portal's new token has characters that a token cannot have. Try again in {seconds} s.",
            error="network_error",
            retry_after=seconds,
        )
        self.add(base_url, refresh_token, failures, error)
        return error

    def forget(self, base_url: str) -> None:
        """Forget the failures of a portal: the login was renewed, replaced or ended."""
        self._own.pop(base_url, None)
        noted = self._read()
        if noted.pop(base_url, None) is not None:
            self._write(noted)

    @property
    def _path(self) -> Path:
        path = self._login_file.path
        return path.with_name(f"{path.name}.failed")

    def _read(self) -> dict[str, _Failure]:
        try:
            noted = json.loads(read_own_file(self._path))
            found = {base_url: _failure(entry) for base_url, entry in noted.items()}
        except (OSError, ValueError, RecursionError, AttributeError):
            return {}
        return {base_url: failure for base_url, failure in found.items() if failure is not None}

    def _write(self, noted: dict[str, _Failure]) -> None:
        with suppress(OSError):
            if noted:
                content = json.dumps({base_url: failure.entry() for base_url, failure in noted.items()}).encode()
                replace_durably(self._path, lambda: content)
            else:
                self._path.unlink()


def _digest(refresh_token: Secret) -> str:
    return sha256(refresh_token.reveal().encode(errors="surrogatepass")).hexdigest()[:16]


def _failure(entry: Any) -> _Failure | None:
    """Return an entry of the file; None where it is none."""
    match entry:
        case {"login": str(login), "failed_at": str(date), "pause": int(pause), "failures": int(failures), **rest}:
            failed_at, status = seconds_from_iso(date), rest.get("status")
            if failed_at is None or not 0 < pause <= LONGEST_PAUSE or failures < 1:
                return None
            return _Failure(login, failed_at, pause, failures, status if isinstance(status, int) else None)
        case _:
            return None
