"""`login`, `logout` and `status`."""

from __future__ import annotations

import os

import click

from nous_billing import BILLING_MANAGE_SCOPE, StoredLogin

from .options import with_screen
from .screen import Screen
from .session import session, show_code
from .text import moment


@click.command("login")
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
        screen.tell("Buying is not allowed with this login: 'nous-billing buy' asks for it when it is needed.")
    if os.environ.get("NOUS_TOKEN", "").strip():
        screen.tell("NOUS_TOKEN is set and is used instead of this login. Unset it to use the login.")
    screen.answer(
        {"logged_in": True, "scopes": scopes, "can_buy": can_buy, "path": str(login.path)},
        [("may buy", "yes" if can_buy else "no"), ("kept in", str(login.path))],
        "You are logged in.",
    )


@click.command("logout")
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


@click.command()
@with_screen
def status(screen: Screen) -> None:
    """Show who is logged in, what they may do, and until when."""
    with session() as current:
        state = current.client.get_billing_state()
        login = current.login
        scopes = login.scopes if login else None
        ends = {
            "token_expires_at": login.expires_at if login else None,
            "grant_expires_at": login.grant_expires_at if login else None,
        }
    source = "login" if login else "NOUS_TOKEN" if os.environ.get("NOUS_TOKEN", "").strip() else "Hermes"
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
            ("may buy", _may_buy(state.can_charge, state.cli_billing_enabled, scopes)),
            ("token ends", moment(ends["token_expires_at"])),
            ("login ends", moment(ends["grant_expires_at"])),
            ("from", f"{login.path}" if login else source),
            ("portal", state.portal_url),
        ],
        f"Logged in to {state.org.name}.",
    )


def _may_buy(can_charge: bool, enabled: bool, scopes: frozenset[str] | None) -> str:
    if not enabled:
        return "no: the organisation has switched buying from a terminal off"
    if not can_charge:
        return "no: your role may not"
    if scopes is not None and BILLING_MANAGE_SCOPE not in scopes:
        return "after you allow it once: 'nous-billing buy' asks"
    return "yes"
