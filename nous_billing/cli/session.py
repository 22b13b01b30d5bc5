"""Who is logged in here, and the client that acts for them."""

from __future__ import annotations

import os
import webbrowser
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

from nous_billing import BillingClient, DeviceCode, StoredLogin

from .screen import Screen


@dataclass(frozen=True, slots=True)
class Session:
    """A client, and the login of the SDK that it uses; None where the login is somebody else's."""

    client: BillingClient
    login: StoredLogin | None


@contextmanager
def session() -> Generator[Session]:
    """Open the client of this person: NOUS_TOKEN, else this command's own login, else the login of Hermes."""
    stored = None if os.environ.get("NOUS_TOKEN", "").strip() else StoredLogin()
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
