"""Access tokens and the login sessions behind them."""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any

from .clock import MockClock
from .ids import Ids
from .organisations import Person

ACCESS_LIFETIME = 900.0
BILLING_SCOPE = "billing:manage"


@dataclass(eq=False)
class Session:
    """A login on one terminal. A refresh continues it, a revocation ends it."""

    id: str
    person: Person
    scope: str
    ends_at: float
    revoked: bool = False
    spending_stopped_by: str | None = None
    organisation_denied: bool = False


@dataclass(eq=False)
class AccessToken:
    """A token that was issued."""

    session: Session
    scope: str
    expires_at: float


class Tokens:
    """Issues access tokens and finds them by their text."""

    def __init__(self, clock: MockClock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids
        self._secret = secrets.token_bytes(32)
        self._issued: dict[str, AccessToken] = {}

    def issue(self, session: Session, scope: str, lifetime: float) -> str:
        """A new token of the session: a JWT, unless its text was fixed."""
        now = self._clock.now()
        text = self._ids.fixed("accessToken") or _jwt(
            {
                "sub": session.person.id,
                "org": session.person.organisation.id,
                "scope": scope,
                "iat": int(now),
                "exp": int(now + lifetime),
                "jti": secrets.token_hex(8),
                "sid": session.id,
            },
            self._secret,
        )
        self._issued[text] = AccessToken(session, scope, now + lifetime)
        return text

    def find(self, text: str) -> AccessToken | None:
        """The token with this text, expired or not."""
        return self._issued.get(text)

    def expired(self, token: AccessToken) -> bool:
        """Whether the token has expired."""
        return self._clock.now() >= token.expires_at


def _jwt(claims: dict[str, Any], secret: bytes) -> str:
    signed = b".".join(_base64url(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return b".".join([signed, _base64url(hmac.digest(secret, signed, hashlib.sha256))]).decode()


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
