"""Credentials: an access token and its portal, and the sources that provide them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ._threads import ForkSafeLock
from .clock import BaseClock
from .errors import BillingAuthError, BillingError

BILLING_MANAGE_SCOPE = "billing:manage"
"""The scope that a token needs to buy, to configure auto-reload and to poll a charge."""

MEMO_SECONDS = 30.0
"""How long the answer of a source is cached. The portal refuses a token that expires in the meantime."""

# A token with a line break would be a header of its own; the HTTP library would then quote it in an exception.
_TOKEN = re.compile(r"[!-~]+")


class Secret(str):
    """A token: a string whose repr does not show it, for reprs and for tracebacks that show variables."""

    def __repr__(self) -> str:
        return "'***'"


class SecretBytes(bytes):
    """The same for bytes."""

    def __repr__(self) -> str:
        return "b'***'"

    __str__ = __repr__


def masked(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored login with its tokens as secrets."""
    return {
        key: Secret(value) if key.endswith("_token") and isinstance(value, str) else value
        for key, value in members.items()
    }


@dataclass(frozen=True, slots=True, init=False)
class Credentials:
    """An access token, and the portal that it is for.

    Attributes:
        access_token: The bearer token; not in the repr.
        portal_base_url: The portal's base URL, which the source trusts with the token, or None for the default.

    Raises:
        BillingAuthError: The token is blank or has characters that no token has (``error="invalid_token"``).

    Examples:
        >>> Credentials(access_token="secret")
        Credentials(access_token='***', portal_base_url=None)
    """

    access_token: str
    portal_base_url: str | None

    def __init__(self, access_token: str, portal_base_url: str | None = None) -> None:
        # First of all: a traceback may show the variables of this frame, this object among them.
        access_token = Secret(access_token.strip() if isinstance(access_token, str) else "")
        object.__setattr__(self, "access_token", access_token)
        object.__setattr__(self, "portal_base_url", portal_base_url)
        if not _TOKEN.fullmatch(access_token):
            raise BillingAuthError(
                "The access token is blank or has characters that a token cannot have. Log in again.",
                error="invalid_token",
            )


class CredentialSource(Protocol):
    """Where credentials come from.

    A source may also have ``fingerprint()``: a cheap value that changes whenever what it returned before must not be
    used any longer (another file, another profile, a logout). Without one its answer is kept for 30 seconds.
    """

    def resolve(self, *, rejected: str | None = None) -> Credentials:
        """Return valid credentials. May block: the SDK calls it in a separate thread.

        Args:
            rejected: The token that the portal has just refused with 401. Return another one if there is any.

        Raises:
            BillingAuthError: Nobody is logged in.
            BillingNetworkError: A new token could not be obtained right now.
        """
        ...


class AsyncCredentialSource(Protocol):
    """A ``CredentialSource`` whose ``resolve`` is awaited, for an ``AsyncBillingClient``."""

    def resolve(self, *, rejected: str | None = None) -> Awaitable[Credentials]:
        """As for ``CredentialSource``. Runs in a task of its own, which ends with the event loop and no sooner."""
        ...


class StaticToken:
    """A fixed access token.

    Args:
        access_token: The bearer token; not in the repr.
        portal_base_url: The portal's base URL, or None for the default.

    Raises:
        BillingAuthError: The token is blank or has characters that no token has (``error="invalid_token"``).

    Examples:
        >>> StaticToken("secret", portal_base_url="http://localhost:3000")
        StaticToken(access_token='***', portal_base_url='http://localhost:3000')
    """

    def __init__(self, access_token: str, *, portal_base_url: str | None = None) -> None:
        access_token = Secret(access_token) if isinstance(access_token, str) else access_token
        self._portal_base_url = portal_base_url
        self._credentials = Credentials(access_token, portal_base_url)

    def resolve(self, *, rejected: str | None = None) -> Credentials:
        """Return the token, even if it was rejected: there is no other."""
        return self._credentials

    def __repr__(self) -> str:
        return f"{type(self).__name__}(access_token='***', portal_base_url={self._portal_base_url!r})"


class CredentialMemo:
    """Caches the answer of a source for 30 seconds, so that a poll need not read files and take locks."""

    def __init__(self, source: CredentialSource, clock: BaseClock) -> None:
        self._source = source
        self._clock = clock
        self._lock = ForkSafeLock()
        self._kept: tuple[float, object, Credentials] | None = None
        # Counts invalidations: an answer requested before one is not cached.
        self._forgotten = 0

    def fresh(self) -> Credentials | None:
        """Return the cached credentials while they are valid, without blocking."""
        kept = self._kept
        if kept is None:
            return None
        kept_at, fingerprint, credentials = kept
        expired = self._clock.monotonic() - kept_at >= MEMO_SECONDS
        return None if expired or fingerprint != self._fingerprint() else credentials

    def resolve(self, rejected: str | None = None) -> Credentials:
        """Ask the source, once for all waiting threads (single-flight). Blocks.

        Raises:
            BillingError: What the source raised; anything else of it becomes a ``BillingAuthError``.
        """
        with self._lock.current:
            credentials = self.fresh()
            if credentials is not None and credentials.access_token != rejected:
                return credentials
            self._kept = None
            forgotten = self._forgotten
            # Taken before the source reads: a change while it reads must not go unnoticed.
            fingerprint = self._fingerprint()
            try:
                credentials = self._source.resolve(rejected=rejected)
                if not isinstance(credentials, Credentials):
                    raise TypeError(f"resolve() returned a {type(credentials).__name__}")
            except BillingError:
                raise
            except Exception as error:
                raise BillingAuthError(
                    f"The credential source failed ({type(error).__name__}). Log in again, or try later.",
                    error="invalid_token",
                ) from error
            if credentials.access_token != rejected and forgotten == self._forgotten:
                self._kept = (self._clock.monotonic(), fingerprint, credentials)
            return credentials

    def forget(self) -> None:
        """Clear the cache; the next call asks the source."""
        self._forgotten += 1
        self._kept = None

    def _fingerprint(self) -> object:
        fingerprint = getattr(self._source, "fingerprint", None)
        try:
            return fingerprint() if fingerprint is not None else None
        except Exception:  # noqa: BLE001 - what somebody else's source raises is not known here
            return object()  # Equal to no other: the source itself is asked, and says what is wrong.
