"""Logins that are in memory only, because they could not be saved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, cast
from uuid import uuid4

from .._secrets import Secret
from ..errors import BillingError
from .grant import GRANT_KEY, grant_end
from .login_document import Document
from .login_entries import TOKEN_KEYS, logins_of, merged
from .login_places import LoginPlace, Write
from .oauth import Tokens
from .tokens import FORCED_KEY


@dataclass(frozen=True, slots=True)
class _Unsaved:
    """A login that is in memory only.

    It may replace what the file has as long as ``key`` there still has the value of ``replaces``: for a renewed login
    the refresh token that was spent, for a new one the id of the login before.
    """

    login: Document
    key: Literal["refresh_token", "login_id"]
    replaces: object

    def may_replace(self, found: object) -> bool:
        """Whether it may replace what a whole file has; otherwise another program has changed or ended the login."""
        login = cast(Document, found) if isinstance(found, dict) else {}
        if login.get(self.key) == self.replaces:
            return True
        # Without tokens, a program that ignores the lock has met a refusal: the portal has renewed this login since.
        return self.key == "refresh_token" and isinstance(found, dict) and TOKEN_KEYS.isdisjoint(login)


class UnsavedLogins:
    """Logins by portal. Changed under the lock of their place, but for a new login where the lock cannot be taken."""

    def __init__(self, place: LoginPlace) -> None:
        self._place = place
        self._logins: dict[str, _Unsaved] = {}

    def __bool__(self) -> bool:
        return bool(self._logins)

    def fingerprint(self) -> object:
        """Return a value that changes with each login."""
        return tuple(map(id, self._logins.values())) if self._logins else ()

    def get(self, base_url: str) -> Document | None:
        """Return the login of a portal, or None."""
        unsaved = self._logins.get(base_url)
        return None if unsaved is None else unsaved.login

    def add_renewed(self, base_url: str, login: Document, spent: Secret, tokens: Tokens) -> None:
        """Add a login with new tokens."""
        before = self._logins.get(base_url) or _Unsaved(login, "refresh_token", replaces=spent)
        self._logins[base_url] = replace(before, login=merged(login, tokens))

    def add_new(self, base_url: str, before: Document, tokens: Tokens) -> None:
        """Add a login that a person has approved. What the login before knew of the portal survives."""
        login = {key: value for key, value in before.items() if key not in ("scope", FORCED_KEY)}
        new = {**merged(login, tokens), "login_id": uuid4().hex, GRANT_KEY: grant_end(tokens.requested_at)}
        self._logins[base_url] = _Unsaved(new, "login_id", replaces=before.get("login_id"))

    def drop(self, base_url: str) -> None:
        """Forget the login of a portal."""
        self._logins.pop(base_url, None)

    def as_document(self) -> Document:
        """Return the logins as a file would have them; empty where there are none."""
        if not self._logins:
            return {}
        return {
            "active_portal": next(reversed(self._logins)),
            "portals": {base_url: one.login for base_url, one in self._logins.items()},
        }

    def save(self, write: Write) -> OSError | BillingError | None:
        """Save all logins at once, under the lock. Return the error if that failed: then they stay in memory."""
        unsaved = dict(self._logins)
        if not unsaved:
            return None
        try:
            document, is_changed = self._read(), False
            is_new = not document
            for base_url, one in unsaved.items():
                if is_new or one.may_replace(logins_of(document).get(base_url)):
                    logins_of(document)[base_url], is_changed = one.login, True
                    if one.key == "login_id" or is_new:
                        document["active_portal"] = base_url
            if is_changed:
                write(document)
        except (OSError, BillingError) as error:
            return error
        # A new login may have come without the lock.
        self._logins = {base_url: one for base_url, one in self._logins.items() if unsaved.get(base_url) is not one}
        return None

    def _read(self) -> Document:
        """Return the document; empty where the file is gone, also because it was broken and has been put aside."""
        try:
            return self._place.read()
        except BillingError:
            if self._place.is_there:
                raise
            return {}
