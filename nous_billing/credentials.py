"""Who the caller is: an access token and the portal that it is for, from a source that may be asked again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ._threads import ForkSafeLock
from .clock import BaseClock
from .errors import BillingAuthError, BillingError

BILLING_MANAGE_SCOPE = "billing:manage"
"""The scope that a token needs to buy, to configure auto-reload and to poll a charge."""

MEMO_SECONDS = 30.0
"""How long a source's answer is kept. A token that runs out meanwhile is refused, and replaced."""

# A token with a line break would be a header of its own; the HTTP library would then quote it in an exception.
_TOKEN = re.compile(r"[!-~]+")


class Secret(str):
    """A token: a string whose repr does not show it, for reprs and for tracebacks that show variables."""

    def __repr__(self) -> str:
        return "'***'"


class SecretBytes(bytes):
    """The same of bytes."""

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
        portal_base_url: The portal's base URL, vouched for by the source, or None for the default.

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
                "The access token is blank or has characters that no token has. Log in again.", error="invalid_token"
            )


class CredentialSource(Protocol):
    """Where credentials come from.

    A source may also have ``fingerprint()``: a cheap value that changes whenever what it returned before must not be
    used any longer (another file, another profile, a logout). Without one its answer is kept for 30 seconds.
    """

    def resolve(self, *, rejected: str | None = None) -> Credentials:
        """Return credentials that are good now. May block; called in a thread of its own.

        Args:
            rejected: The token that the portal has just refused with 401. Return another one if there is any.

        Raises:
            BillingAuthError: Nobody is logged in.
            BillingNetworkError: A new token could not be had just now.
        """
        ...


class StaticToken:
    """An access token that somebody else looks after.

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
        """Return the token, whether or not it was rejected: there is no other."""
        return self._credentials

    def __repr__(self) -> str:
        return f"{type(self).__name__}(access_token='***', portal_base_url={self._portal_base_url!r})"


class CredentialMemo:
    """What a source returned, kept for at most 30 s, so that a poll does not read files and take locks each time."""

    def __init__(self, source: CredentialSource, clock: BaseClock) -> None:
        self._source = source
        self._clock = clock
        self._lock = ForkSafeLock()
        self._kept: tuple[float, object, Credentials] | None = None
        # An answer that is on its way when all is forgotten is not kept either.
        self._forgotten = 0

    def fresh(self) -> Credentials | None:
        """Return the kept credentials while they are good, without blocking."""
        kept = self._kept
        if kept is None:
            return None
        kept_at, fingerprint, credentials = kept
        expired = self._clock.monotonic() - kept_at >= MEMO_SECONDS
        return None if expired or fingerprint != self._fingerprint() else credentials

    def resolve(self, rejected: str | None = None) -> Credentials:
        """Ask the source, once for all threads that want it. Blocks.

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
                    f"The source of the credentials failed ({type(error).__name__}). Log in again, or try later.",
                    error="invalid_token",
                ) from error
            if credentials.access_token != rejected and forgotten == self._forgotten:
                self._kept = (self._clock.monotonic(), fingerprint, credentials)
            return credentials

    def forget(self) -> None:
        """Drop what is kept; the next call asks the source."""
        self._forgotten += 1
        self._kept = None

    def _fingerprint(self) -> object:
        fingerprint = getattr(self._source, "fingerprint", None)
        try:
            return fingerprint() if fingerprint is not None else None
        except Exception:  # noqa: BLE001 - what somebody else's source raises is not known here
            return object()  # Equal to no other: the source itself is asked, and says what is wrong.
