"""Reads, renews, saves and ends a login, in its file and in memory. Only one renewal runs at a time (single-flight)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal, NoReturn, TypeVar
from uuid import uuid4

from .._files import file_fingerprint
from .._secrets import Secret, check_token
from .._threads import ForkSafeLock
from ..clock import Clock
from ..credentials import Credentials
from ..errors import BillingAuthError, BillingError, BillingLoginNotSaved, BillingNetworkError
from ..portal import environment_fingerprint, resolve_portal_base_url
from ..protocol.exchange import Flow
from ..transport.driver import Driver
from . import oauth
from .login_file import TOKEN_KEYS, Document, LoginFile, login_of, logins_of, merged
from .oauth import Tokens
from .tokens import iso_from_seconds, minimum_lifetime, secret_text, usable_token

# Longer than a refresh can take: a caller that waits for the lock waits for another refresh.
_LOCK_SECONDS = 40.0

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


class LoginKeeper:
    """Keeps the login of a portal.

    Args:
        portal: The portal's address, checked. None: the environment's, or that of the last login.
        driver: Performs the login's own requests, which ask for no credentials.
    """

    def __init__(self, file: LoginFile, portal: str | None, client_id: str, clock: Clock, driver: Driver) -> None:
        self.file: LoginFile = file
        self._portal = portal
        self._client_id = client_id
        self._clock = clock
        self._driver = driver
        self._unsaved: dict[str, _Unsaved] = {}
        self._renewing = ForkSafeLock()

    @property
    def has_unsaved(self) -> bool:
        """Whether a login is in memory only."""
        return bool(self._unsaved)

    def fingerprint(self) -> object:
        """Return a value that changes with the file, the environment, and a login that is not saved yet."""
        unsaved = tuple(map(id, self._unsaved.values())) if self._unsaved else ()
        return file_fingerprint(self.file.name), environment_fingerprint(), unsaved

    def run(self, flow: Flow[T]) -> T:
        """Perform a flow over the login's own connections."""
        return self._driver.run(flow)

    def load(self) -> tuple[str, Document]:
        """Return the portal's address and the login there; empty where there is none.

        Raises:
            BillingAuthError: The file cannot be read.
        """
        document = self.file.read()
        base_url = self._base_url(document)
        unsaved = self._unsaved.get(base_url)
        return base_url, login_of(document, base_url) if unsaved is None else unsaved.login

    def renew(self, rejected: Secret | None) -> Credentials:
        """Return a token that is good, renewed where it has to be.

        Raises:
            BillingAuthError: Nobody is logged in, or the login has ended.
            BillingNetworkError: The login could not be renewed just now; it is kept.
            BillingLoginNotSaved: It was renewed and could not be saved; it is kept in memory.
        """
        try:
            with self.file.locked(_LOCK_SECONDS), self._renewing.current:
                return self._renew_locked(rejected)
        except (BillingNetworkError, OSError) as error:
            # A temporary failure: the current token may still be valid.
            base_url, login = self.load()
            token = usable_token(login, rejected, self._clock.time())
            if token is not None:
                return Credentials(token, base_url)
            if isinstance(error, OSError):
                raise self._not_saved(error) from None
            raise

    def _renew_locked(self, rejected: Secret | None) -> Credentials:
        self._save()
        base_url, login = self.load()
        now = self._clock.time()
        spent = login.get("refresh_token")
        # Another process may have renewed it. Without a refresh token, the access token is used until it expires.
        token = usable_token(login, rejected, now, minimum_lifetime(login, now) if spent else 0)
        if token is not None:
            return Credentials(token, base_url)
        if spent is None or secret_text(spent) is None:
            raise not_logged_in()
        refresh_token = check_token(spent, "stored refresh token")
        try:
            tokens = self._driver.run(oauth.refresh(base_url, self._client_id, refresh_token, self._clock))
        except BillingAuthError as error:
            self._end(base_url, spent, error)
        before = self._unsaved.get(base_url) or _Unsaved(login, "refresh_token", replaces=spent)
        self._unsaved[base_url] = replace(before, login=merged(login, tokens))
        failure = self._save()
        if failure is not None:
            raise self._not_saved(failure)
        return Credentials(tokens.access_token, base_url)

    def _end(self, base_url: str, spent: Secret, error: BillingAuthError) -> NoReturn:
        """Drop a login that the portal has ended, unless a program that ignores the lock has renewed it."""
        self._unsaved.pop(base_url, None)
        document = self.file.read()
        login = login_of(document, base_url)
        if login.get("refresh_token") not in (spent, None):
            # Handled like any temporary failure, since the new login may have a valid token.
            raise BillingNetworkError(
                "Another program has changed the login in the meantime. Try again.", error="network_error"
            ) from None
        ended = {key: value for key, value in login.items() if key not in TOKEN_KEYS}
        ended["last_auth_error"] = {"code": error.error, "at": iso_from_seconds(self._clock.time())}
        logins_of(document)[base_url] = ended
        with suppress(OSError):
            self.file.write(document)
        raise error

    def _adopt(self, base_url: str, tokens: Tokens, before: Document) -> None:
        login = {key: value for key, value in before.items() if key != "scope"}
        new = {**merged(login, tokens), "login_id": uuid4().hex}
        self._unsaved[base_url] = _Unsaved(new, "login_id", replaces=before.get("login_id"))

    def _save(self) -> OSError | None:
        """Save the logins that are in memory only, under the lock. Return the error if that failed."""
        for base_url, unsaved in list(self._unsaved.items()):
            document = self.file.read()
            # Otherwise another program has logged in or renewed the login in the meantime.
            if login_of(document, base_url).get(unsaved.key) == unsaved.replaces:
                logins_of(document)[base_url] = unsaved.login
                if unsaved.key == "login_id":
                    document["active_portal"] = base_url
                try:
                    self.file.write(document)
                except OSError as error:
                    return error
            del self._unsaved[base_url]
        return None

    def _not_saved(self, error: Exception) -> BillingLoginNotSaved:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        lives_on = " Until then only this program has the login." if self._unsaved else ""
        return BillingLoginNotSaved(
            f"The login cannot be saved to {self.file.path}: {reason}. Free space or fix it.{lives_on}",
            error="login_not_saved",
        )

    def logout(self) -> None:
        """Forget the login for the portal, here and in the file.

        Raises:
            BillingNetworkError: Another program holds the file.
            BillingLoginNotSaved: The file could not be written.
        """
        try:
            with self.file.locked(_LOCK_SECONDS):
                document = self.file.read()
                base_url = self._base_url(document)
                logins_of(document).pop(base_url, None)
                self.file.write(document)
        except OSError as error:
            raise self._not_saved(error) from None
        self._unsaved.pop(base_url, None)

    def close(self) -> None:
        """Close the connections; waits for a refresh that has begun."""
        with self._renewing.current:
            self._driver.close()

    def _base_url(self, document: Document) -> str:
        return self._portal or resolve_portal_base_url({"portal_base_url": document.get("active_portal")})

    def keep(self, base_url: str, tokens: Tokens) -> None:
        """Keep the tokens of a new login, in memory where they cannot be saved.

        Raises:
            BillingLoginNotSaved: They are in memory only.
        """
        failure: OSError | BillingError | None
        try:
            with self.file.locked(_LOCK_SECONDS):
                self._adopt(base_url, tokens, login_of(self.file.read(), base_url))
                failure = self._save()
        except (OSError, BillingError) as error:
            # The person has approved the login, so it is kept even if the file is unusable.
            before: Document = {}
            with suppress(BillingError):
                before = login_of(self.file.read(), base_url)
            self._adopt(base_url, tokens, before)
            failure = error
        if failure is not None:
            raise self._not_saved(failure) from None


def not_logged_in() -> BillingAuthError:
    """Return the error for a missing login."""
    return BillingAuthError("Not logged in to the Nous Portal. Log in first.", status=401, error="invalid_token")
