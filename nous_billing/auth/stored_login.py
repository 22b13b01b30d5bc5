"""A login that stays alive: kept in a file, refreshed in time, never twice at once, by whatever processes use it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, NoReturn, TypeVar, cast
from uuid import uuid4

from .._files import file_fingerprint
from .._threads import ForkSafeLock, start
from ..clock import Clock, SystemClock
from ..credentials import BILLING_MANAGE_SCOPE, Credentials, Secret
from ..errors import (
    BillingAuthError,
    BillingError,
    BillingInvalidRequest,
    BillingLoginNotSaved,
    BillingNetworkError,
)
from ..portal import (
    DEFAULT_PORTAL_BASE_URL,
    check_base_url,
    environment_base_url,
    environment_fingerprint,
    resolve_portal_base_url,
)
from ..transport.driver import Driver
from . import oauth
from .login_document import TOKEN_KEYS, Document, login_of, logins_of, merged
from .login_file import LoginFile
from .oauth import CLIENT_ID, LOGIN_SCOPE, DeviceCode, Tokens
from .tokens import granted_scopes, iso_from_seconds, minimum_lifetime, usable_token

# Longer than a refresh can take: whoever waits for the lock waits for somebody else's refresh.
_LOCK_SECONDS = 40.0
# How long a call waits for a renewal while the token at hand is still good.
_ADVISORY_WAIT_SECONDS = 3.0
_FULL_SCOPE = f"{LOGIN_SCOPE} {BILLING_MANAGE_SCOPE}"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Unsaved:
    """A login that is in memory only.

    It may replace what the file has as long as ``key`` there still has the value of ``replaces``: for a renewed login
    the refresh token that was spent, for a new one the id of the login before.
    """

    login: Document
    key: Literal["refresh_token", "login_id"]
    replaces: object


class StoredLogin:
    """A login of the SDK's own, kept in one JSON file.

    Safe to share between threads, and the file between processes. A refresh that has begun is never cut in two: who
    waits for it may give up, the refresh ends and is saved.

    Args:
        path: The file; by default ``login.json`` in the platform's config folder for ``nous-billing``.
        portal_base_url: The portal; precedes the environment's. None: the environment's, or that of the last login.
        client_id: The OAuth client.
        clock: The time; for tests.

    Raises:
        BillingInvalidRequest: The portal's address may not be given a token (``error="invalid_base_url"``), or there is
            no such path (``error="invalid_path"``).
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        portal_base_url: str | None = None,
        client_id: str = CLIENT_ID,
        clock: Clock | None = None,
    ) -> None:
        try:
            self._file = LoginFile(_default_path() if path is None else Path(path))
        except (RuntimeError, ValueError, OSError) as error:
            reason = str(error).removesuffix(".")
            raise BillingInvalidRequest(
                f"The login's file cannot be placed: {reason}. Give a path that can be written.", error="invalid_path"
            ) from None
        self._portal = None if portal_base_url is None else check_base_url(portal_base_url, "portal_base_url")
        self._client_id = client_id
        self._clock = clock or SystemClock()
        # The flows of a login ask for no credentials.
        self._driver = Driver(None, self._clock, self)
        self._unsaved: dict[str, _Unsaved] = {}
        self._renewing = ForkSafeLock()

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path

    @property
    def is_logged_in(self) -> bool:
        """Whether there is a login for the portal, be it one that has to be renewed."""
        _, login = self._load()
        return bool(login.get("access_token") or login.get("refresh_token"))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    def fingerprint(self) -> object:
        """Change with each rewrite of the file, with the environment, and with a pair that is not saved yet."""
        unsaved = tuple(map(id, self._unsaved.values())) if self._unsaved else ()
        return file_fingerprint(self._file.name), environment_fingerprint(), unsaved

    def resolve(self, *, rejected: str | None = None) -> Credentials:
        """Return a token with at least 120 s left, refreshed where it has less.

        Args:
            rejected: The token that the portal has just refused.

        Raises:
            BillingAuthError: Nobody is logged in, or the login has ended.
            BillingNetworkError: The login could not be renewed just now; it is kept.
            BillingLoginNotSaved: It was renewed and could not be saved; it is kept in memory.
        """
        # A traceback may show the variables of this frame.
        rejected = None if rejected is None else Secret(rejected)
        base_url, login = self._load()
        now = self._clock.time()
        token = usable_token(login, rejected, now, minimum_lifetime(login, now))
        if token is not None and not self._unsaved:
            return Credentials(token, base_url)
        # In a thread: Ctrl-C ends the wait for it, not the renewal.
        renewing = start(partial(self._renew, rejected), name="nous-billing-refresh", daemon=False)
        token = usable_token(login, rejected, now)
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
            on_code: Is handed what the person needs. Whether to open a browser is the caller's choice.
            scope: The scopes to ask for, with spaces between.
            cancelled: Asked about four times a second; the login ends when it returns True.

        Returns:
            The scopes that were granted. Less than what was asked for is no error: the portal leaves ``billing:manage``
            out where the person is no admin or does not allow remote spending.

        Raises:
            BillingAuthError: Refused, run out or cancelled (``error``: ``"access_denied"``, ``"expired_token"``,
                ``"login_cancelled"``).
            BillingNetworkError: The portal gave no code.
            BillingLoginNotSaved: The login could not be saved; it is kept in memory.
        """
        base_url = self._portal or environment_base_url() or DEFAULT_PORTAL_BASE_URL
        return self._log_in(base_url, scope, on_code, cancelled)

    def step_up(self, on_code: Callable[[DeviceCode], None], *, cancelled: Callable[[], bool] | None = None) -> bool:
        """Ask for ``billing:manage`` beside the scopes that are held, in a new device login; say if it was granted.

        Args:
            on_code: As for ``login``.
            cancelled: As for ``login``.

        Raises:
            BillingAuthError: As for ``login``, and where nobody is logged in.
            BillingNetworkError: The portal gave no code.
            BillingLoginNotSaved: The login could not be saved; it is kept in memory.
        """
        base_url, login = self._load()
        token = login.get("access_token")
        if not isinstance(token, Secret) or not token.strip():
            raise _not_logged_in()
        held = granted_scopes(login.get("scope"), token) or {LOGIN_SCOPE}
        scope = " ".join(sorted({*held, BILLING_MANAGE_SCOPE}))
        return BILLING_MANAGE_SCOPE in self._log_in(base_url, scope, on_code, cancelled)

    async def alogin(
        self,
        on_code: Callable[[DeviceCode], None],
        *,
        scope: str = _FULL_SCOPE,
        cancelled: Callable[[], bool] | None = None,
    ) -> frozenset[str]:
        """As ``login``, beside the event loop, in which ``on_code`` is called. Cancelling the task ends it."""
        from .in_event_loop import beside_loop

        return await beside_loop(partial(self.login, scope=scope), on_code, cancelled)

    async def astep_up(
        self, on_code: Callable[[DeviceCode], None], *, cancelled: Callable[[], bool] | None = None
    ) -> bool:
        """As ``step_up``, beside the event loop, in which ``on_code`` is called. Cancelling the task ends it."""
        from .in_event_loop import beside_loop

        return await beside_loop(self.step_up, on_code, cancelled)

    def logout(self) -> None:
        """Forget the login for the portal, here and in the file.

        Raises:
            BillingNetworkError: Another program holds the file.
            BillingLoginNotSaved: The file could not be written.
        """
        try:
            with self._file.locked(_LOCK_SECONDS):
                document = self._file.read()
                base_url = self._base_url(document)
                logins_of(document).pop(base_url, None)
                self._file.write(document)
        except OSError as error:
            raise self._not_saved(error) from None
        self._unsaved.pop(base_url, None)

    def close(self) -> None:
        """Close the connections; waits for a refresh that has begun."""
        with self._renewing.current:
            self._driver.close()

    def _base_url(self, document: Document) -> str:
        return self._portal or resolve_portal_base_url({"portal_base_url": document.get("active_portal")})

    def _load(self) -> tuple[str, Document]:
        document = self._file.read()
        base_url = self._base_url(document)
        unsaved = self._unsaved.get(base_url)
        return base_url, login_of(document, base_url) if unsaved is None else unsaved.login

    def _renew(self, rejected: str | None) -> Credentials:
        try:
            with self._file.locked(_LOCK_SECONDS), self._renewing.current:
                return self._renew_locked(rejected)
        except (BillingNetworkError, OSError) as error:
            # This will pass, and until then the token at hand may be good.
            base_url, login = self._load()
            token = usable_token(login, rejected, self._clock.time())
            if token is not None:
                return Credentials(token, base_url)
            if isinstance(error, OSError):
                raise self._not_saved(error) from None
            raise

    def _renew_locked(self, rejected: str | None) -> Credentials:
        self._save()
        base_url, login = self._load()
        now = self._clock.time()
        spent = login.get("refresh_token")
        # Another process may have been faster; and where there is nothing to renew it with, a token may be used up.
        token = usable_token(login, rejected, now, minimum_lifetime(login, now) if spent else 0)
        if token is not None:
            return Credentials(token, base_url)
        if not isinstance(spent, Secret) or not spent.strip():
            raise _not_logged_in()
        try:
            tokens = self._driver.run(oauth.refresh(base_url, self._client_id, spent, self._clock))
        except BillingAuthError as error:
            self._end(base_url, spent, error)
        before = self._unsaved.get(base_url) or _Unsaved(login, "refresh_token", replaces=spent)
        self._unsaved[base_url] = replace(before, login=merged(login, tokens))
        failure = self._save()
        if failure is not None:
            raise self._not_saved(failure)
        return Credentials(tokens.access_token, base_url)

    def _end(self, base_url: str, spent: Secret, error: BillingAuthError) -> NoReturn:
        """Drop a login that the portal has ended, unless somebody who knows no lock has renewed it meanwhile."""
        self._unsaved.pop(base_url, None)
        document = self._file.read()
        login = login_of(document, base_url)
        if login.get("refresh_token") not in (spent, None):
            # Where its token is good, that passes as any other failure does.
            raise BillingNetworkError(
                "Another program has changed the login meanwhile. Try again.", error="network_error"
            ) from None
        ended = {key: value for key, value in login.items() if key not in TOKEN_KEYS}
        ended["last_auth_error"] = {"code": error.error, "at": iso_from_seconds(self._clock.time())}
        logins_of(document)[base_url] = ended
        with suppress(OSError):
            self._file.write(document)
        raise error

    def _log_in(
        self,
        base_url: str,
        scope: str,
        on_code: Callable[[DeviceCode], None],
        cancelled: Callable[[], bool] | None,
    ) -> frozenset[str]:
        # A file that cannot be used is said before a person is asked for anything.
        self._file.read()
        flow = oauth.device_login(base_url, self._client_id, scope, on_code, cancelled, self._clock)
        tokens = self._driver.run(flow)
        failure: OSError | BillingError | None
        try:
            with self._file.locked(_LOCK_SECONDS):
                self._take(base_url, tokens, login_of(self._file.read(), base_url))
                failure = self._save()
        except (OSError, BillingError) as error:
            # The person has approved: what came of it is kept, whatever has become of the file.
            before: Document = {}
            with suppress(BillingError):
                before = login_of(self._file.read(), base_url)
            self._take(base_url, tokens, before)
            failure = error
        if failure is not None:
            raise self._not_saved(failure) from None
        return tokens.granted_scopes

    def _take(self, base_url: str, tokens: Tokens, before: Document) -> None:
        login = {key: value for key, value in before.items() if key != "scope"}
        new = {**merged(login, tokens), "login_id": uuid4().hex}
        self._unsaved[base_url] = _Unsaved(new, "login_id", replaces=before.get("login_id"))

    def _save(self) -> OSError | None:
        """Write what is in memory only, under the lock; return why that failed."""
        for base_url, unsaved in list(self._unsaved.items()):
            document = self._file.read()
            # Otherwise somebody has logged in anew, or renewed the login, meanwhile.
            if login_of(document, base_url).get(unsaved.key) == unsaved.replaces:
                logins_of(document)[base_url] = unsaved.login
                if unsaved.key == "login_id":
                    document["active_portal"] = base_url
                try:
                    self._file.write(document)
                except OSError as error:
                    return error
            del self._unsaved[base_url]
        return None

    def _not_saved(self, error: Exception) -> BillingLoginNotSaved:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        lives_on = " Until then the login lives in this program only." if self._unsaved else ""
        return BillingLoginNotSaved(
            f"The login cannot be saved to {self.path}: {reason}. Make room or mend it.{lives_on}",
            error="login_not_saved",
        )


def _not_logged_in() -> BillingAuthError:
    return BillingAuthError("Not logged in to the Nous Portal. Log in first.", status=401, error="invalid_token")


def _default_path() -> Path:
    from platformdirs import user_config_path

    return user_config_path("nous-billing", appauthor=False) / "login.json"
