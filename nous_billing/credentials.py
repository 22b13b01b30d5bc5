"""Credentials: an access token and its portal, and the sources that provide them."""

from __future__ import annotations

import os
from collections.abc import Awaitable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from ._arguments import wrong_type
from ._secrets import Secret, check_token, concealed, reveal
from ._threads import ForkSafeLock, SideThread
from .clock import BaseClock
from .errors import BillingAuthError, BillingError
from .portal import check_base_url

BILLING_MANAGE_SCOPE = "billing:manage"
"""The scope that a token needs to buy, to configure auto-reload and to poll a charge."""

MEMO_SECONDS = 30.0
"""How long the answer of a source is cached. The portal refuses a token that expires in the meantime."""

# For so long a stall may hold an event loop, once. A look at a file takes microseconds.
_PATIENCE_SECONDS = 0.02


@dataclass(frozen=True, init=False, repr=False)
class Credentials:
    """An access token, and the portal that it is for.

    No view of it shows the token: no repr, format, JSON, dataclass dict or traceback. It cannot be pickled.

    Attributes:
        portal_base_url: The portal's base URL, which the source trusts with the token, or None for the default.

    Raises:
        BillingAuthError: The token is no string, is blank or has characters that no token has
            (``error="invalid_token"``).
        BillingInvalidRequest: ``portal_base_url`` is neither a string nor None, or has a user name or a password
            (``error="invalid_base_url"``).

    Examples:
        >>> Credentials(access_token="secret")
        Credentials(access_token='***', portal_base_url=None)
    """

    # The token in a holder that nothing shows.
    secret: Secret
    portal_base_url: str | None

    def __init__(self, access_token: str | Secret, portal_base_url: str | None = None) -> None:
        # First of all: a traceback may show the variables of this frame.
        access_token, address = concealed(access_token), concealed(portal_base_url)
        del portal_base_url
        if address is not None and not isinstance(address, Secret):
            raise wrong_type("portal_base_url", "a string or None", address, "invalid_base_url")
        if address is not None and "@" in address.reveal():
            # Already here, as the repr would show the user name and the password.
            check_base_url(address, "portal_base_url")
        object.__setattr__(self, "portal_base_url", None if address is None else str(address.reveal()))
        object.__setattr__(self, "secret", check_token(access_token))

    @property
    def access_token(self) -> str:
        """The bearer token's text, for a request: ``f"Bearer {credentials.access_token}"``.

        Its repr, its parts, and formats that pad or cut it are stars. ``str()``, ``"%s"`` and JSON have the text, so do
        not log it: log the credentials.
        """
        return self.secret.reveal()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(access_token='***', portal_base_url={self.portal_base_url!r})"


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
        BillingInvalidRequest: As for ``Credentials``.

    Examples:
        >>> StaticToken("secret", portal_base_url="http://localhost:3000")
        StaticToken(access_token='***', portal_base_url='http://localhost:3000')
    """

    def __init__(self, access_token: str | Secret, *, portal_base_url: str | None = None) -> None:
        access_token, portal_base_url = concealed(access_token), concealed(portal_base_url)
        self._credentials = Credentials(access_token, portal_base_url)

    def resolve(self, *, rejected: str | None = None) -> Credentials:
        """Return the token, even if it was rejected: there is no other."""
        return self._credentials

    def __repr__(self) -> str:
        return f"{type(self).__name__}(access_token='***', portal_base_url={self._credentials.portal_base_url!r})"


class CredentialMemo:
    """Caches the answer of a source for 30 seconds, so that a poll need not read files and take locks."""

    def __init__(self, source: CredentialSource, clock: BaseClock) -> None:
        self._source = source
        self._clock = clock
        self._lock = ForkSafeLock()
        self._kept: tuple[float, object, Credentials] | None = None
        # Counts invalidations: an answer requested before one is not cached.
        self._forgotten = 0
        self._side: SideThread[object] = SideThread("nous-billing-look")
        self._stalled: tuple[int, Future[object]] | None = None

    @property
    def stalled(self) -> Future[object] | None:
        """The look at the source that has not ended in time, such as at a file on a dead network drive, or None."""
        if self._stalled is None:
            return None
        process, looking = self._stalled
        return None if process != os.getpid() or looking.done() else looking

    def fresh(self) -> Credentials | None:
        """Return the cached credentials while they are valid. Blocks for some milliseconds at most.

        None also if the source does not say in time whether they are: see ``stalled``.
        """
        kept = self._unexpired()
        if kept is None or self.stalled is not None:
            return None
        fingerprint, credentials = kept
        if not hasattr(self._source, "fingerprint"):
            return credentials
        looking = self._side.begin(self._fingerprint)
        try:
            return credentials if looking.result(_PATIENCE_SECONDS) == fingerprint else None
        except TimeoutError:
            self._stalled = os.getpid(), looking
            return None

    def _unexpired(self) -> tuple[object, Credentials] | None:
        kept = self._kept
        if kept is None or self._clock.monotonic() - kept[0] >= MEMO_SECONDS:
            return None
        return kept[1:]

    def resolve(self, rejected: Secret | None = None) -> Credentials:
        """Ask the source, once for all waiting threads (single-flight). Blocks.

        Raises:
            BillingError: What the source raised; anything else of it becomes a ``BillingAuthError``.
        """
        with self._lock, self._lock.current:
            kept = self._unexpired()
            forgotten = self._forgotten
            # Taken before the source reads: a change while it reads must not go unnoticed.
            fingerprint = self._fingerprint()
            if kept is not None and kept[0] == fingerprint and kept[1].secret != rejected:
                return kept[1]
            self._kept = None
            try:
                credentials = self._source.resolve(rejected=reveal(rejected))
                if not isinstance(credentials, Credentials):
                    raise TypeError(f"resolve() returned a {type(credentials).__name__}")
            except (BillingError, KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # asyncio's CancelledError, too: nobody has cancelled this call
                raise BillingAuthError(
                    f"The credential source failed ({type(error).__name__}). Log in again, or try later.",
                    error="invalid_token",
                ) from error
            if credentials.secret != rejected and forgotten == self._forgotten:
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
