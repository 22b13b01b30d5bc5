"""Reads, renews, saves and ends a login, in its place and in memory. One renewal runs at a time (single-flight)."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from typing import NoReturn

from .._reporting import refreshing
from .._secrets import Secret, check_token, is_token
from .._threads import ForkSafeLock
from ..clock import Clock
from ..credentials import Credentials
from ..errors import BillingAuthError, BillingError, BillingLoginNotSaved, BillingNetworkError
from ..portal import environment_fingerprint, resolve_portal_base_url
from ..transport.driver import Driver
from . import oauth
from .device_login import DeviceCode, device_login
from .failed_renewals import FailedRenewals
from .login_document import Document
from .login_entries import ended, login_of, logins_of, not_logged_in, not_saved
from .login_places import LoginPlace, Write
from .oauth import Tokens
from .tokens import FORCED_KEY, iso_from_seconds, minimum_lifetime, secret_text, usable_token
from .unsaved_logins import UnsavedLogins

OnCode = Callable[[DeviceCode], object]
Cancelled = Callable[[], object]
# Longer than a refresh can take: a caller that waits for the lock waits for another refresh.
_LOCK_SECONDS = 40.0


class LoginKeeper:
    """Keeps the login of a portal.

    Args:
        portal: The portal's address, checked. None: the environment's, or that of the last login.
        driver: Performs the login's own requests, which ask for no credentials.
    """

    def __init__(self, place: LoginPlace, portal: str | None, client_id: str, clock: Clock, driver: Driver) -> None:
        self.place: LoginPlace = place
        self._portal = portal
        self._client_id = client_id
        self._clock = clock
        self._driver = driver
        self._unsaved = UnsavedLogins(place)
        self._renewing = ForkSafeLock()
        self._failed = FailedRenewals(place, clock)

    @property
    def has_unsaved(self) -> bool:
        """Whether a login is in memory only."""
        return bool(self._unsaved)

    def fingerprint(self) -> object:
        """Return a value that changes with the file, the environment, and a login that is not saved yet."""
        return self.place.fingerprint(), environment_fingerprint(), self._unsaved.fingerprint()

    def load(self) -> tuple[str, Document]:
        """Return the portal's address and the login there; empty where there is none.

        Raises:
            BillingAuthError: The file cannot be read, and no login for the portal is in memory.
        """
        try:
            document = self.place.read() or self._unsaved.as_document()
        except BillingError:
            document = self._unsaved.as_document()
            if not login_of(document, self._base_url(document)):
                raise
        base_url = self._base_url(document)
        unsaved = self._unsaved.get(base_url)
        return base_url, login_of(document, base_url) if unsaved is None else unsaved

    def renew(self, rejected: Secret | None) -> Credentials:
        """Return a token that is good, renewed where it has to be.

        Raises:
            BillingAuthError: Nobody is logged in, or the login has ended.
            BillingNetworkError: The login could not be renewed just now; it is kept.
            BillingLoginNotSaved: It could not be renewed, as it could not be saved, or it was renewed and is in memory.
        """
        try:
            with self.place.locked(_LOCK_SECONDS), self._renewing, self._renewing.current:
                return self._renew_locked(rejected)
        except (BillingNetworkError, OSError) as error:
            # A temporary failure: the current token may still be valid.
            base_url, login = self.load()
            token = usable_token(login, rejected, self._clock.time())
            if token is not None:
                return Credentials(token, base_url)
            if not login.get("refresh_token"):
                raise not_logged_in() from None
            if isinstance(error, OSError):
                raise self._not_saved(error, "The login was not renewed, and is unchanged.") from None
            raise

    def _renew_locked(self, rejected: Secret | None) -> Credentials:
        self._unsaved.save(self.place.write)
        base_url, login = self.load()
        now = self._clock.time()
        spent = login.get("refresh_token")
        # Another process may have renewed it. Without a refresh token, the access token is used until it expires.
        token = usable_token(login, rejected, now, minimum_lifetime(login) if spent else 0)
        if token is not None:
            return Credentials(token, base_url)
        if spent is None or secret_text(spent) is None:
            raise not_logged_in()
        refresh_token = check_token(spent, "stored refresh token")
        failures = self._failed.check(base_url, login, refresh_token)
        with self._prepared(base_url) as write:
            flow = oauth.refresh(base_url, self._client_id, refresh_token, self._clock, failures)
            try:
                tokens = refreshing(base_url, lambda: self._driver.run(flow))
            except BillingAuthError as error:
                self._end(base_url, spent, error, write)
            except BillingNetworkError as error:
                self._failed.add(base_url, refresh_token, failures, error, write)
                raise
            if rejected is not None and secret_text(login.get("access_token")) == rejected:
                login = {**login, FORCED_KEY: iso_from_seconds(now)}
            self._unsaved.add_renewed(base_url, login, spent, tokens)
            failure = self._unsaved.save(write)
        self._failed.forget(base_url)
        if failure is not None:
            raise self._not_saved(failure) from None
        if not self.load()[1]:
            raise not_logged_in("Another program has logged out of the Nous Portal. Log in again.")
        if not is_token(tokens.access_token):
            # The new refresh token is good as far as anybody knows, so the next renewal spends that one.
            raise self._failed.add_unusable(base_url, tokens.refresh_token or refresh_token, failures)
        return Credentials(tokens.access_token, base_url)

    @contextmanager
    def _prepared(self, base_url: str) -> Generator[Write]:
        """Make sure that a login can be saved before its refresh token is spent, unless it is in memory only anyway.

        Raises:
            OSError: It could not be saved.
        """
        with ExitStack() as stack:
            write = self.place.write
            try:
                write = stack.enter_context(self.place.prepare()).commit
            except OSError:
                if self._unsaved.get(base_url) is None:
                    raise
            yield write

    def _end(self, base_url: str, spent: Secret, error: BillingAuthError, write: Write) -> NoReturn:
        """Drop a login that the portal has ended, unless a program that ignores the lock has renewed it."""
        self._unsaved.drop(base_url)
        self._failed.forget(base_url)
        document = self.place.read()
        login = login_of(document, base_url)
        if login.get("refresh_token") not in (spent, None):
            # Handled like any temporary failure, since the new login may have a valid token.
            raise BillingNetworkError(
                "Another program has changed the login in the meantime. Try again.", error="network_error"
            ) from None
        logins_of(document)[base_url] = ended(login, error, self._clock.time())
        with suppress(OSError):
            write(document)
        raise error

    def _not_saved(self, error: Exception, consequence: str = "") -> BillingLoginNotSaved:
        consequence = "Until then only this program has the login." if self._unsaved else consequence
        return not_saved(self.place.name, error, consequence)

    def logout(self) -> None:
        """Forget the login for the portal, here and in the file. Raises as ``StoredLogin.logout``."""
        # Memory first: a login that is saved meanwhile goes from there to the file.
        if not self._unsaved and self._base_url(document := self.place.read()) not in logins_of(document):
            return
        try:
            with self.place.locked(_LOCK_SECONDS):
                document = self.place.read()
                base_url = self._base_url(document)
                if logins_of(document).pop(base_url, None) is not None:
                    self.place.write(document)
                self._failed.forget(base_url)
        except OSError as error:
            raise self._not_saved(error) from None
        self._unsaved.drop(base_url)

    def close(self) -> None:
        """Close the connections; waits for a refresh that has begun."""
        with self._renewing, self._renewing.current:
            self._driver.close()

    def _base_url(self, document: Document) -> str:
        return self._portal or resolve_portal_base_url({"portal_base_url": document.get("active_portal")})

    def log_in(self, base_url: str, scope: str, on_code: OnCode, cancelled: Cancelled | None) -> frozenset[str]:
        """Perform a device login, and return the granted scopes. Raises as ``StoredLogin.login``."""
        before = self._check_place(base_url)
        flow = device_login(base_url, self._client_id, scope, on_code, cancelled, self._clock)
        try:
            tokens = self._driver.run(flow)
        except BillingNetworkError as error:
            if error.retry_after:
                with suppress(OSError, BillingError), self.place.locked(_LOCK_SECONDS):
                    self._failed.add_login(base_url, error)
            raise
        self._keep(base_url, tokens, before)
        return tokens.granted_scopes

    def _check_place(self, base_url: str) -> Document:
        """Try whether a new login could be saved, before a person is asked for one. Return the login before.

        Raises:
            BillingAuthError: It cannot be read.
            BillingNetworkError: Another program holds it, or the portal asked to be left alone for a while.
            BillingLoginNotSaved: It could not be saved.
        """
        try:
            with self.place.locked(_LOCK_SECONDS):
                login = login_of(self.place.read(), base_url)
                self._failed.check_login(base_url, login)
                with self.place.prepare():
                    return login
        except OSError as error:
            raise self._not_saved(error, "Nobody was asked to approve the login.") from None

    def _keep(self, base_url: str, tokens: Tokens, before: Document) -> None:
        """Keep the tokens of a new login, in memory where they cannot be saved.

        Args:
            before: The login that was there when the person was asked, which the new one replaces.

        Raises:
            BillingLoginNotSaved: They are in memory only.
        """
        failure: OSError | BillingError | None
        try:
            with self.place.locked(_LOCK_SECONDS):
                self._unsaved.add_new(base_url, login_of(self.place.read(), base_url), tokens)
                failure = self._unsaved.save(self.place.write)
                self._failed.forget(base_url)
        except (OSError, BillingError) as error:
            # The person has approved the login, so it is kept even if the file is unusable.
            with suppress(BillingError):
                before = login_of(self.place.read(), base_url)
            self._unsaved.add_new(base_url, before, tokens)
            failure = error
        if failure is not None:
            raise self._not_saved(failure) from None
