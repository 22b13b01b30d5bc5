"""The login of Hermes: through its own module where that can be imported, else read from its file, never refreshed."""

from __future__ import annotations

import importlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._files import file_fingerprint
from .._secrets import Secret, masked
from ..credentials import Credentials
from ..errors import BillingAuthError, BillingNetworkError
from ..portal import environment_fingerprint, resolve_portal_base_url
from .tokens import secret_text, usable_token

_NOT_LOGGED_IN = "Not logged in to the Nous Portal. Run `hermes portal` to log in, or pass credentials to the client."


class HermesLogin:
    """The login that Hermes keeps.

    Where ``hermes_cli.auth`` can be imported it owns the login and refreshes it. Otherwise ``$HERMES_HOME/auth.json``
    is read, and its access token is used while it is valid. The SDK never refreshes it: the portal treats a refresh
    token that is used twice as stolen, and would log out Hermes's own processes.
    """

    def fingerprint(self) -> object:
        """Return a value that changes with the profile, a logout, a new login or the environment."""
        path = _auth_file()
        return path, file_fingerprint(path), environment_fingerprint()

    def resolve(self, *, rejected: str | None = None) -> Credentials:
        """Return Hermes's token.

        Raises:
            BillingAuthError: Hermes is not logged in (``error="invalid_token"``).
            BillingNetworkError: Hermes could not renew the login right now.
            BillingInvalidRequest: A token may not go to the stored portal URL (``error="invalid_base_url"``).
        """
        refused = secret_text(rejected)
        # A traceback may show the variables of this frame.
        del rejected
        auth = hermes_module()
        if auth is None:
            state = _stored_state()
            token = usable_token(state, refused, time.time())
            if token is None:
                raise BillingAuthError(_NOT_LOGGED_IN, status=401, error="invalid_token")
            return Credentials(token, resolve_portal_base_url(state))
        state, bearer = _from_hermes(auth, refused)
        return Credentials(bearer, resolve_portal_base_url(state))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def hermes_module() -> Any:
    """Return Hermes's own module for logins, or None where it cannot be imported."""
    try:
        return importlib.import_module("hermes_cli.auth")
    except ImportError:
        return None
    except Exception as error:  # another program's import may raise anything
        raise BillingAuthError(
            f"Hermes's module for logins cannot be loaded ({type(error).__name__}). Fix Hermes, or pass credentials to "
            "the client.",
            error="invalid_token",
        ) from error


def _from_hermes(auth: Any, rejected: Secret | None) -> tuple[Mapping[str, Any], Secret]:
    state: Mapping[str, Any] = {}
    try:
        state = masked(auth.get_provider_auth_state("nous") or {})
        return state, _secret(auth.resolve_nous_access_token())
    except Exception as error:  # Another program may raise anything.
        # A temporary failure to renew must not discard a token that is still valid.
        token = usable_token(state, rejected, time.time())
        if token is not None:
            return state, token
        if isinstance(error, getattr(auth, "AuthError", ())):
            raise BillingAuthError(_NOT_LOGGED_IN, status=401, error="invalid_token") from error
        raise BillingNetworkError(
            f"Hermes could not renew the login ({type(error).__name__}). Try again shortly.", error="network_error"
        ) from error


def _secret(token: object) -> Secret:
    return Secret(token if isinstance(token, str) else "")


def _auth_file() -> str:
    # As strings: it is called at each poll.
    folder = os.environ.get("HERMES_HOME")
    if not folder:
        home = os.path.expanduser("~")
        if home == "~":
            raise RuntimeError("there is no home folder")
        folder = f"{home}/.hermes"
    return os.path.join(folder, "auth.json")


def _stored_state() -> Mapping[str, Any]:
    path = Path(_auth_file())
    try:
        state = json.loads(path.read_bytes(), object_hook=masked)["providers"]["nous"]
    except (FileNotFoundError, KeyError):
        return {}
    except (OSError, ValueError, TypeError, RecursionError) as error:
        reason = type(error).__name__
    else:
        return state if isinstance(state, dict) else {}  # pyright: ignore[reportUnknownVariableType]
    # Raised outside the handler: the original exception contains the file's text.
    raise BillingAuthError(
        f"Hermes's login {path} cannot be read ({reason}). Run `hermes portal` to log in again.", error="invalid_token"
    )
