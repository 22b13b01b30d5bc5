"""What a login's file says: a login for each portal, and more that this SDK does not know and keeps."""

from __future__ import annotations

from typing import Any

from .oauth import Tokens
from .tokens import iso_from_seconds

Document = dict[str, Any]

TOKEN_KEYS = frozenset({"access_token", "refresh_token", "expires_at", "expires_in", "obtained_at"})


def logins_of(document: Document) -> dict[str, Document]:
    """Return the logins by portal, to read and to change."""
    logins: dict[str, Document] = document.setdefault("portals", {})
    return logins


def login_of(document: Document, base_url: str) -> Document:
    """Return the login for a portal; empty where there is none."""
    return logins_of(document).get(base_url) or {}


def merged(login: Document, tokens: Tokens) -> Document:
    """Return the login with new tokens; what else is in it survives, and an old refresh token does not."""
    kept = {key: value for key, value in login.items() if key not in TOKEN_KEYS and key != "last_auth_error"}
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
