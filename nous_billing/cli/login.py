"""`login`, `logout` and `status`."""

from __future__ import annotations

import click

from nous_billing import BILLING_MANAGE_SCOPE, BillingState, StoredLogin

from .explaining import has_token
from .options import with_screen
from .screen import Screen
from .session import session, show_code
from .settings import may_buy
from .text import moment


@click.command("login", short_help="Log in with a link and a code.")
@click.option("--no-browser", is_flag=True, help="Only show the link; open no browser.")
@with_screen
def log_in(screen: Screen, no_browser: bool) -> None:
    """Log in: open a link, and approve the code there."""
    login = StoredLogin()
    try:
        scopes = login.login(show_code(screen, opens_browser=not no_browser))
    finally:
        login.close()
    can_buy = BILLING_MANAGE_SCOPE in scopes
    if not can_buy:
        screen.tell("This login may not buy yet: 'nous-billing buy' asks for the permission.")
    if has_token():
        screen.tell("NOUS_TOKEN is set and is used instead of this login. Unset it to use the login.")
    screen.answer(
        {"logged_in": True, "scopes": scopes, "can_buy": can_buy, "path": str(login.path)},
        [("may buy", "yes" if can_buy else "no"), ("kept in", str(login.path))],
        "You are logged in.",
    )


@click.command("logout", short_help="Forget the login.")
@with_screen
def log_out(screen: Screen) -> None:
    """Forget the login on this machine."""
    login = StoredLogin()
    try:
        was_logged_in = login.is_logged_in
        login.logout()
    finally:
        login.close()
    screen.answer(
        {"logged_in": False, "was_logged_in": was_logged_in},
        [],
        "You are logged out." if was_logged_in else "Nobody was logged in.",
    )


@click.command(short_help="Show who is logged in.")
@with_screen
def status(screen: Screen) -> None:
    """Show who is logged in, what they may do, and until when."""
    with session() as current:
        with screen.working("Reading the billing state …"):
            state = current.client.get_billing_state()
        login = current.login
        scopes = login.scopes if login else None
        ends = {
            "token_expires_at": login.expires_at if login else None,
            "grant_expires_at": login.grant_expires_at if login else None,
        }
    source = "login" if login else "NOUS_TOKEN" if has_token() else "Hermes"
    screen.answer(
        {
            "logged_in": True,
            "source": source,
            "organisation": {"id": state.org.id, "name": state.org.name},
            "role": state.org.role,
            "scopes": scopes,
            "can_charge": state.can_charge,
            "portal_url": state.portal_url,
            **ends,
        },
        [
            ("role", state.org.role),
            ("scopes", " ".join(sorted(scopes or ()))),
            ("may buy", _may_buy(state, scopes)),
            ("token ends", moment(ends["token_expires_at"])),
            ("login ends", moment(ends["grant_expires_at"])),
            ("from", f"{login.path}" if login else source),
            ("portal", state.portal_url),
        ],
        f"Logged in to {state.org.name}.",
    )


def _may_buy(state: BillingState, scopes: frozenset[str] | None) -> str:
    refused = may_buy(state)
    if refused:
        return refused
    if scopes is None:
        return f"yes, if the token has the scope {BILLING_MANAGE_SCOPE}: only the portal knows"
    return "yes" if BILLING_MANAGE_SCOPE in scopes else "after you allow it once: 'nous-billing buy' asks"
