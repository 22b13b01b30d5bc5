"""The entries of a document of logins: one for each portal."""

from __future__ import annotations

from ..errors import BillingAuthError, BillingLoginNotSaved
from .grant import GRANT_KEY
from .login_document import Document
from .oauth import Tokens
from .tokens import iso_from_seconds

# When the portal may be asked again after a renewal, or a device login, that failed.
FAILED_RENEWAL_KEY, FAILED_LOGIN_KEY = "failed_renewal", "failed_login"
TOKEN_KEYS = frozenset({"access_token", "refresh_token", "expires_at", "expires_in", "obtained_at"})
_ENDED_BY_TOKENS = TOKEN_KEYS | {FAILED_RENEWAL_KEY, FAILED_LOGIN_KEY, "last_auth_error"}


def logins_of(document: Document) -> dict[str, Document]:
    """Return the logins by portal, to read and to change."""
    logins: dict[str, Document] = document.setdefault("portals", {})
    return logins


def login_of(document: Document, base_url: str) -> Document:
    """Return the login for a portal; empty where there is none, or something that this version does not know."""
    login = logins_of(document).get(base_url)
    return login if isinstance(login, dict) else {}


def merged(login: Document, tokens: Tokens) -> Document:
    """Return the login with new tokens; what else is in it survives, and an old refresh token does not."""
    kept = {key: value for key, value in login.items() if key not in _ENDED_BY_TOKENS}
    new = {
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "token_type": tokens.token_type,
        "scope": tokens.scope,
        "obtained_at": iso_from_seconds(tokens.requested_at),
        "expires_in": tokens.expires_in,
        "expires_at": None if tokens.expires_in is None else iso_from_seconds(tokens.requested_at + tokens.expires_in),
    }
    return {**kept, **{key: value for key, value in new.items() if value is not None}}


def ended(login: Document, error: BillingAuthError, now: float) -> Document:
    """Return the login without what its end takes away, and with the reason."""
    dropped = TOKEN_KEYS | {GRANT_KEY, FAILED_RENEWAL_KEY}
    kept = {key: value for key, value in login.items() if key not in dropped}
    return {**kept, "last_auth_error": {"code": error.error, "at": iso_from_seconds(now)}}


def not_saved(name: str, error: Exception, consequence: str) -> BillingLoginNotSaved:
    """Return the error for a login that cannot be saved."""
    reason = str(error.strerror if isinstance(error, OSError) else error).removesuffix(".")
    message = f"The login cannot be saved to {name}: {reason}. Free disk space, or fix the cause. {consequence}"
    return BillingLoginNotSaved(message.rstrip(), error="login_not_saved")


def not_logged_in(message: str = "Not logged in to the Nous Portal. Log in first.") -> BillingAuthError:
    """Return the error for a missing login."""
    return BillingAuthError(message, status=401, error="invalid_token")
