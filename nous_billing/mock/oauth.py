"""OAuth at the portal: logins, refresh with rotation, the device login, and whose login it is."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from . import gates
from .clock import MockClock
from .devices import Devices
from .ids import Ids
from .ledger import usd
from .oauth_form import OAuthError, read_form
from .organisations import Person
from .replies import Refusal, Reply, Request
from .tokens import ACCESS_LIFETIME, BILLING_SCOPE, Session, Tokens

LOGIN_SCOPE = "inference:invoke"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
REFRESH_GRACE = 60.0
FAMILY_LIFETIME = 30 * 86400.0

# The method and the path of each endpoint, by the name of its handler.
ROUTES = {
    "oauth_token": ("POST", "/api/oauth/token"),
    "oauth_device_code": ("POST", "/api/oauth/device/code"),
    "oauth_account": ("GET", "/api/oauth/account"),
}


@dataclass(frozen=True)
class Login:
    """A pair of tokens, as the token endpoint issues it. `expires_in` is in seconds."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int
    scope: str


@dataclass(eq=False)
class _RefreshToken:
    session: Session
    used_at: float = 0.0
    successor: Login | None = None


class OAuth:
    """The OAuth endpoints and the logins that they keep."""

    def __init__(self, clock: MockClock, tokens: Tokens, ids: Ids) -> None:
        self.devices: Devices = Devices(clock, ids)
        self._clock = clock
        self._ids = ids
        self._tokens = tokens
        self._refresh_tokens: dict[str, _RefreshToken] = {}

    def new_session(self, person: Person, scope: str) -> Session:
        """A login that ends 30 days from now, however often it is refreshed."""
        return Session(f"ses_{secrets.token_hex(8)}", person, scope, self._clock.now() + FAMILY_LIFETIME)

    def log_in(self, session: Session, lifetime: float = ACCESS_LIFETIME) -> Login:
        """A new pair of tokens of the session."""
        access_token = self._tokens.issue(session, session.scope, lifetime)
        login = Login(access_token, self._ids.new("refreshToken"), int(lifetime), session.scope)
        self._refresh_tokens[login.refresh_token] = _RefreshToken(session)
        return login

    def has_issued(self, refresh_token: str) -> bool:
        """Whether this is a refresh token of this portal."""
        return refresh_token in self._refresh_tokens

    def oauth_token(self, request: Request) -> Reply:
        """POST /api/oauth/token."""
        return _answered(self._grant, request)

    def oauth_device_code(self, request: Request) -> Reply:
        """POST /api/oauth/device/code."""
        return _answered(self._start_device, request)

    def oauth_account(self, request: Request) -> Reply:
        """GET /api/oauth/account: the person and the organisation, as released versions of Hermes read them."""
        try:
            person = gates.authenticate(request, self._tokens).session.person
        except Refusal as refusal:
            return refusal.reply
        organisation = person.organisation
        balance, has_credits = usd(organisation.balance), organisation.balance > 0
        access = {
            "allowed": has_credits,
            "paid_access": has_credits,
            "organisation_id": organisation.id,
            "purchased_credits_remaining": balance,
            "total_usable_credits": balance,
        }
        return Reply(
            200,
            {
                "user": {"id": person.id, "name": person.name},
                "organisation": {"id": organisation.id, "slug": organisation.slug, "name": organisation.name},
                "subscription": None,
                "paid_service_access": access,
            },
        )

    def _grant(self, request: Request) -> dict[str, object]:
        form = read_form(request)
        match form.get("grant_type"):
            case "refresh_token":
                login = self._rotate(request.headers.get("x-nous-refresh-token", ""))
            case grant if grant == DEVICE_GRANT:
                login = self.log_in(self.devices.poll(form.get("device_code", "")))
            case _:
                raise OAuthError("unsupported_grant_type", "The grant type is missing or not one of this portal.")
        return {
            "access_token": login.access_token,
            "refresh_token": login.refresh_token,
            "expires_in": login.expires_in,
            "token_type": "Bearer",
            "scope": login.scope,
        }

    def _start_device(self, request: Request) -> dict[str, object]:
        return self.devices.start(read_form(request).get("scope") or LOGIN_SCOPE, f"{request.base_url}/device")

    def _rotate(self, text: str) -> Login:
        if not text:
            raise OAuthError("invalid_request", "The header x-nous-refresh-token is missing.")
        token = self._refresh_tokens.get(text)
        if token is None:
            raise OAuthError("invalid_grant", "The refresh token is not one of this portal.")
        session, now = token.session, self._clock.now()
        if session.revoked:
            raise OAuthError("invalid_grant", "The session was revoked.")
        if now >= session.ends_at:
            raise OAuthError("invalid_grant", "The login has ended.")
        if token.successor is None:
            if not session.person.may_manage:
                session.scope = without_billing(session.scope)
            token.used_at, token.successor = now, self.log_in(session)
            return token.successor
        # Only the immediately previous token has a grace: its successor is still unused.
        if now - token.used_at <= REFRESH_GRACE and not self._refresh_tokens[token.successor.refresh_token].successor:
            return token.successor
        session.revoked = True
        raise OAuthError("refresh_token_reused", "The refresh token was used before; the session is revoked.")


def without_billing(scope: str) -> str:
    """The scope without `billing:manage`."""
    return " ".join(name for name in scope.split() if name != BILLING_SCOPE)


def _answered(work: Callable[[Request], dict[str, object]], request: Request) -> Reply:
    try:
        return Reply(200, work(request), {"Cache-Control": "no-store"})
    except OAuthError as error:
        return error.reply
