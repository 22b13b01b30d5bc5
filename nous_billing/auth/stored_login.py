"""The SDK's own login: device login, step-up, and a token that is renewed in time."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

from .._arguments import NotCopied, check_clock
from .._secrets import Secret, concealed
from .._threads import start
from ..clock import Clock, SystemClock
from ..credentials import BILLING_MANAGE_SCOPE, Credentials
from ..errors import BillingInvalidRequest
from ..portal import DEFAULT_PORTAL_BASE_URL, check_base_url, environment_base_url
from ..transport.driver import Driver
from . import tokens
from .device_login import DeviceCode, check_callbacks
from .grant import GRANT_KEY, warn_of_grant_end
from .login_entries import not_logged_in
from .login_file import LoginFile
from .login_keeper import LoginKeeper
from .login_places import place_of
from .login_storage import LoginStorage
from .oauth import CLIENT_ID, LOGIN_SCOPE

if TYPE_CHECKING:
    from datetime import datetime
    from ssl import SSLContext
    from types import TracebackType

    import httpx

    from ..transport.proxies import ProxySetting

# How long a call waits for a renewal while its current token is still valid.
_ADVISORY_WAIT_SECONDS = 3.0
_FULL_SCOPE = f"{LOGIN_SCOPE} {BILLING_MANAGE_SCOPE}"


class StoredLogin(NotCopied):
    """A login of the SDK's own, kept in one JSON file or in a storage. A context manager that closes it.

    Safe to share between threads, and its file or storage between processes. It cannot be copied or pickled. A
    refresh that has begun finishes and is saved, even if the caller stops waiting for it.

    Args:
        path: The file; by default ``login.json`` in the platform's config folder for ``nous-billing``.
        storage: Where the login is kept instead: ``nous_billing.sql.SqlLoginStorage``,
            ``nous_billing.keyring.KeyringLoginStorage``, or one of your own.
        portal_base_url: The portal. None: the environment's, or that of the last login.
        client_id: The OAuth client.
        http_client, ssl_context, proxy: How to reach the portal, as for ``BillingClient``.
        clock: A clock for tests.

    Raises:
        BillingInvalidRequest: The portal's address may not be given a token (``error="invalid_base_url"``), or there is
            no such path (``error="invalid_path"``) or storage (``error="invalid_storage"``), or another argument cannot
            be used, as for ``BillingClient``.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        storage: LoginStorage | None = None,
        portal_base_url: str | None = None,
        client_id: str = CLIENT_ID,
        http_client: httpx.Client | None = None,
        ssl_context: SSLContext | None = None,
        proxy: ProxySetting = None,
        clock: Clock | None = None,
    ) -> None:
        portal_base_url, proxy = concealed(portal_base_url), concealed(proxy)
        tokens.check_client_id(client_id)
        self._portal = None if portal_base_url is None else check_base_url(portal_base_url, "portal_base_url")
        self._clock = clock or SystemClock()
        check_clock(self._clock)
        driver = Driver(http_client, self._clock, self, ssl_context=ssl_context, proxy=proxy)
        self._keeper = LoginKeeper(place_of(path, storage), self._portal, client_id, self._clock, driver)

    @property
    def path(self) -> Path:
        """The file.

        Raises:
            BillingInvalidRequest: There is none, as a storage was given (``error="invalid_storage"``).
        """
        if isinstance(self._keeper.place, LoginFile):
            return self._keeper.place.path
        message = f"The login is in {self._name}, which has no path. Only a login in a file has one."
        raise BillingInvalidRequest(message, error="invalid_storage")

    @property
    def _name(self) -> str:
        return str(place.path) if isinstance(place := self._keeper.place, LoginFile) else place.name

    @property
    def is_logged_in(self) -> bool:
        """Whether there is a login for the portal, even if it must be renewed first."""
        _, login = self._keeper.load()
        return tokens.is_alive(login, self._clock.time())

    @property
    def portal_base_url(self) -> str:
        """The portal's address: the argument, the environment's, or that of the last login."""
        return self._keeper.load()[0]

    @property
    def scopes(self) -> frozenset[str]:
        """The granted scopes; empty if nobody is logged in."""
        return tokens.login_scopes(self._keeper.load()[1])

    @property
    def expires_at(self) -> datetime | None:
        """When the access token expires, in UTC, if that is known. It is renewed before."""
        return tokens.token_end(self._keeper.load()[1])

    @property
    def grant_expires_at(self) -> datetime | None:
        """When the login ends, in UTC, 30 days after its approval, even if it is renewed; None if not known."""
        return tokens.utc(tokens.seconds_from_iso(self._keeper.load()[1].get(GRANT_KEY)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._name!r})"

    def fingerprint(self) -> object:
        """Return a value that changes with the file, the environment, and a login that is not saved yet."""
        return self._keeper.fingerprint()

    def resolve(self, *, rejected: str | None = None) -> Credentials:
        """Return a token with at least 120 seconds left, refreshed if it has less.

        Args:
            rejected: The token that the portal has just refused. It is renewed, at most once in 30 seconds; until then
                the same token is returned again.

        Raises:
            BillingAuthError: Nobody is logged in, or the login has ended.
            BillingNetworkError: The login could not be renewed right now; it is kept. ``retry_after`` says when to try
                again.
            BillingLoginNotSaved: It has expired and could not be saved, so it was not renewed; or it was renewed, the
                file failed, and it is kept in memory.
        """
        refused = tokens.secret_text(rejected)
        # A traceback may show the variables of this frame.
        del rejected
        base_url, login = self._keeper.load()
        now = self._clock.time()
        warn_of_grant_end(login, self._name, base_url, now)
        token = tokens.usable_token(login, refused, now, tokens.minimum_lifetime(login))
        if token is not None and not self._keeper.has_unsaved:
            return Credentials(token, base_url)
        # In a thread, so that Ctrl-C ends the wait but not the renewal.
        renewing = start(partial(self._keeper.renew, refused), name="nous-billing-refresh", daemon=False)
        token = tokens.usable_token(login, refused, now)
        try:
            return renewing.result(None if token is None else _ADVISORY_WAIT_SECONDS)
        except TimeoutError:
            return Credentials(cast(Secret, token), base_url)

    def login(
        self,
        on_code: Callable[[DeviceCode], None],
        *,
        scope: str = _FULL_SCOPE,
        cancelled: Callable[[], bool] | None = None,
    ) -> frozenset[str]:
        """Log in with a device code: a person opens a link and approves.

        Args:
            on_code: Called with the link and the code for the person. Open a browser there if you want to.
            scope: The scopes to ask for, separated by spaces.
            cancelled: Called about four times a second. Return True to end the login.

        Returns:
            The granted scopes. They may be fewer than requested: the portal leaves out ``billing:manage`` if the person
            is not an admin or does not allow remote spending.

        Raises:
            BillingAuthError: Refused, expired or cancelled (``error``: ``"access_denied"``, ``"expired_token"``,
                ``"login_cancelled"``).
            BillingNetworkError: The portal gave no code, or another program holds the file.
            BillingInvalidRequest: The scope cannot be used (``error="invalid_scope"``).
            BillingLoginNotSaved: The login could not be saved, so nobody was asked; or it was approved, the file
                failed, and it is kept in memory.
        """
        check_callbacks(on_code, cancelled)
        base_url = self._portal or environment_base_url() or DEFAULT_PORTAL_BASE_URL
        return self._keeper.log_in(base_url, scope, on_code, cancelled)

    def step_up(self, on_code: Callable[[DeviceCode], None], *, cancelled: Callable[[], bool] | None = None) -> bool:
        """Ask for ``billing:manage`` and the current scopes in a new device login. Return whether it was granted.

        Args:
            on_code: As for ``login``.
            cancelled: As for ``login``.

        Raises:
            BillingAuthError: As for ``login``, and where nobody is logged in.
            BillingNetworkError: The portal gave no code, or another program holds the file.
            BillingLoginNotSaved: The login could not be saved, so nobody was asked; or it was approved, the file
                failed, and it is kept in memory.
        """
        check_callbacks(on_code, cancelled)
        base_url, login = self._keeper.load()
        if tokens.secret_text(login.get("access_token")) is None:
            raise not_logged_in()
        scope = " ".join(sorted({*(tokens.login_scopes(login) or {LOGIN_SCOPE}), BILLING_MANAGE_SCOPE}))
        return BILLING_MANAGE_SCOPE in self._keeper.log_in(base_url, scope, on_code, cancelled)

    async def alogin(
        self,
        on_code: Callable[[DeviceCode], Awaitable[None] | None],
        *,
        scope: str = _FULL_SCOPE,
        cancelled: Callable[[], bool | Awaitable[bool]] | None = None,
    ) -> frozenset[str]:
        """As ``login``, beside the event loop, in which ``on_code`` is called. Cancelling the task ends it.

        Both functions may return an awaitable.
        """
        from .in_event_loop import beside_loop

        return await beside_loop(partial(self.login, scope=scope), on_code, cancelled)

    async def astep_up(
        self,
        on_code: Callable[[DeviceCode], Awaitable[None] | None],
        *,
        cancelled: Callable[[], bool | Awaitable[bool]] | None = None,
    ) -> bool:
        """As ``step_up``, in the way of ``alogin``."""
        from .in_event_loop import beside_loop

        return await beside_loop(self.step_up, on_code, cancelled)

    def logout(self) -> None:
        """Forget the login for the portal, here and in the file. Where there is none, nothing is written.

        Raises:
            BillingNetworkError: Another program holds the file.
            BillingLoginNotSaved: The file could not be written.
        """
        self._keeper.logout()

    def close(self) -> None:
        """Close the connections; waits for a refresh that has begun."""
        self._keeper.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
