"""The gates of an operation: checks of the token, each refused by 401 or 403.

Their order is the contract's: the token, its scope, stopped spending, the role, access to the organisation, the
kill-switch, the card, consent.
"""

from collections.abc import Callable

from .replies import Refusal, Request
from .tokens import AccessToken, Tokens

Gate = Callable[[AccessToken], None]


def authenticate(request: Request, tokens: Tokens) -> AccessToken:
    """The token of the request. Refused with 401 where it is missing, unknown, expired or revoked."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    token = tokens.find(text.strip()) if scheme.lower() == "bearer" else None
    if token is None:
        raise Refusal(401, "invalid_token", "The bearer token is missing or not one of this portal.")
    if token.session.revoked:
        raise Refusal(401, "session_revoked", "This session was logged out.", recovery="login")
    if tokens.expired(token):
        raise Refusal(401, "invalid_token", "The token has expired.")
    return token


def scope(token: AccessToken, required: tuple[str, ...]) -> None:
    """Require the scopes of the contract."""
    missing = [name for name in required if name not in token.scope.split()]
    if missing:
        raise Refusal.denied("insufficient_scope", f"The token lacks the scope {' '.join(missing)}.")


def spending(token: AccessToken) -> None:
    """Require that nobody stopped the spending of this terminal."""
    actor = token.session.spending_stopped_by
    if actor:
        message = "Spending was stopped for this terminal."
        raise Refusal.denied("remote_spending_revoked", message, actor=actor, recovery="reconnect")


def role(token: AccessToken) -> None:
    """Require a person who may spend and configure."""
    if not token.session.person.may_manage:
        raise Refusal.denied("role_required", "Only an owner or an admin may do this.")


def organisation(token: AccessToken) -> None:
    """Require that the token may access its organisation."""
    if token.session.organisation_denied:
        raise Refusal.denied("org_access_denied", "The token is not bound to an organisation that it can manage.")


def kill_switch(token: AccessToken) -> None:
    """Require that the organisation lets terminals spend."""
    if not token.session.person.organisation.cli_billing_enabled:
        raise Refusal.denied(
            "cli_billing_disabled",
            "Billing from a terminal is switched off for this organisation.",
            code="remote_spending_disabled",
            recovery="enable_account_toggle",
        )


def card(token: AccessToken) -> None:
    """Require a saved, reusable card."""
    if token.session.person.organisation.card is None:
        raise Refusal.denied("no_payment_method", "No reusable card is saved. Save one on the portal.")


def consent(token: AccessToken) -> None:
    """Require a card that needs no confirmation on the portal."""
    if token.session.person.organisation.consent_required:
        raise Refusal.denied("consent_required", "The card has to be confirmed on the portal once.")


# The gates of every operation that spends or configures.
MANAGE: tuple[Gate, ...] = (spending, role, organisation, kill_switch, card)
