"""Who is logged in here, and the client that acts for them."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click
from platformdirs import user_data_path

from nous_billing import BillingClient, BillingInvalidRequest, BillingScopeRequired, DeviceCode, StoredLogin

from .explaining import has_token
from .screen import Screen

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Session:
    """A client, and the login of the SDK that it uses; None where the login is somebody else's."""

    client: BillingClient
    login: StoredLogin | None


@contextmanager
def session() -> Generator[Session]:
    """Open the client of this person: NOUS_TOKEN, else this command's own login, else the login of Hermes."""
    stored = None if has_token() else StoredLogin()
    login = stored if stored is not None and stored.is_logged_in else None
    with BillingClient(login) as client:
        try:
            yield Session(client, login)
        finally:
            if stored is not None:
                stored.close()


def purchases_path() -> Path:
    """Return the directory in which this command keeps purchases, so that none is lost."""
    return user_data_path("nous-billing", appauthor=False) / "purchases"


def show_code(screen: Screen, *, opens_browser: bool) -> Callable[[DeviceCode], None]:
    """Return what shows a person the link and the code of a device login."""

    def show(code: DeviceCode) -> None:
        link = code.verification_uri_complete or code.verification_uri
        screen.tell("Open this link, compare the code, and approve:")
        screen.tell_line(link)
        screen.tell(f"Code: {code.user_code}   (good for {round(code.expires_in / 60)} minutes)", style="bold")
        # Where no browser can be started, the link is there to copy.
        if opens_browser and webbrowser.open(link):
            screen.tell("Your browser should have opened it.")

    return show


def step_up(
    screen: Screen, current: Session, pause: Callable[[], None], go_on: Callable[[], None]
) -> Callable[[], bool] | None:
    """Return what asks for the permission to charge and to change settings; None where nobody can be asked.

    Args:
        pause: Called before a person is asked.
        go_on: Called after it.
    """
    login = current.login
    if login is None or not screen.can_ask:
        return None

    def ask() -> bool:
        pause()
        try:
            if not screen.ask("This login may not spend yet. Ask for it now?", default=True):
                return False
            return login.step_up(show_code(screen, opens_browser=True))
        finally:
            go_on()

    return ask


def with_permission(screen: Screen, current: Session, sentence: str, act: Callable[[], T]) -> T:
    """Do what needs the permission to charge and to change settings, and offer to ask for it where it is missing.

    Args:
        sentence: What is waited for meanwhile.

    Raises:
        BillingScopeRequired: The login may not do it. Nothing was charged or changed.
        BillingInvalidRequest: The permission was given for another organisation (``error="wrong_organisation"``).
    """
    with screen.working(sentence) as working:
        try:
            return act()
        except BillingScopeRequired as refusal:
            ask = step_up(screen, current, working.stop, working.start)
            refused = BillingScopeRequired(
                "Remote spending was not allowed for this login."
                if ask
                else "This login may not charge or change settings. Log in again, and allow remote spending."
                if current.login
                else "The token may not charge or change settings.",
                status=refusal.status,
                error=refusal.error,
                portal_url=refusal.portal_url,
                payload=refusal.payload,
            )
            try:
                if ask is None:
                    raise refused from refusal
                before = current.client.get_billing_state().org
                if not ask():
                    raise refused from refusal
                now = current.client.get_billing_state().org
            except KeyboardInterrupt:
                # What was refused has changed nothing.
                raise click.Abort from None
            # In the browser where it is given, the person may be logged in to another organisation.
            if now.id != before.id:
                raise BillingInvalidRequest(
                    f"The command is for {before.name} ({before.id}), but the permission was given for {now.name} "
                    f"({now.id}), to which you are logged in now. Nothing more was sent. Log in to {before.name}, and "
                    "run the command again.",
                    error="wrong_organisation",
                ) from refusal
        return act()
