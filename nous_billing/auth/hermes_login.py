"""The login of Hermes: through its own module where that can be imported, else read from its file, never refreshed."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

from .._files.reading import file_fingerprint, look_again, read_own_file
from .._files.trust import follow
from .._secrets import Secret, forget_variables, masked
from ..credentials import Credentials
from ..errors import BillingAuthError, BillingNetworkError
from ..portal import environment_fingerprint, resolve_portal_base_url
from .tokens import secret_text, usable_token

_NOT_LOGGED_IN = "Not logged in to the Nous Portal. Run `hermes portal` to log in, or pass credentials to the client."
_NO_LOGIN_FOUND = (
    "Not logged in to the Nous Portal. Run `nous-billing login` or `hermes portal` to log in, set NOUS_TOKEN, or pass "
    "credentials to the client."
)
# A token that lasts for less is renewed: every token does.
_FORCING_SKEW = 10**9


class HermesLogin:
    """The login that Hermes keeps.

    Where ``hermes_cli.auth`` can be imported it owns the login and refreshes it. Otherwise ``$HERMES_HOME/auth.json``
    is read, and its access token is used while it is valid. The SDK never refreshes it: the portal treats a refresh
    token that is used twice as stolen, and would log out Hermes's own processes.
    """

    def __init__(self) -> None:
        # What the last forced renewal returned: to force another for it would spend a refresh at each call.
        self._renewed: Secret | None = None

    def fingerprint(self) -> object:
        """Return a value that changes with the profile, a logout, a new login or the environment."""
        home = hermes_home()
        folder, profiles = os.path.split(os.path.dirname(home))
        # A profile of Hermes that has no login of its own uses the one of the folder above its profiles.
        above = file_fingerprint(_auth_file(folder)) if profiles == "profiles" else None
        return home, file_fingerprint(_auth_file(home)), above, environment_fingerprint()

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
                raise BillingAuthError(_NO_LOGIN_FOUND, status=401, error="invalid_token")
            return Credentials(token, resolve_portal_base_url(state))
        state, bearer = self._from_hermes(auth, refused)
        return Credentials(bearer, resolve_portal_base_url(state))

    def _from_hermes(self, auth: Any, rejected: Secret | None) -> tuple[Mapping[str, Any], Secret]:
        state: Mapping[str, Any] = {}
        try:
            state = _state_of(auth)
            bearer = _secret(auth.resolve_nous_access_token())
            if bearer == rejected != self._renewed and _can_force(auth.resolve_nous_access_token):
                # The portal refused a token that is good by the clock of this machine.
                bearer = self._renewed = _secret(auth.resolve_nous_access_token(refresh_skew_seconds=_FORCING_SKEW))
            # Again: another process may have logged in at another portal before the token was read.
            return _state_of(auth), bearer
        except Exception as error:  # Another program may raise anything.
            forget_variables(error)
            if isinstance(error, getattr(auth, "AuthError", ())) and getattr(error, "relogin_required", True):
                # Whatever token is at hand: Hermes knows that the login is over.
                raise BillingAuthError(_NOT_LOGGED_IN, status=401, error="invalid_token") from error
            token = usable_token(state, rejected, time.time())
            if token is not None:
                return state, token
            raise BillingNetworkError(
                f"Hermes could not renew the login ({type(error).__name__}). Try again shortly.", error="network_error"
            ) from error

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


def stored_login() -> Mapping[str, Any]:
    """Return what Hermes keeps of the login of the active profile, empty if that cannot be read. Renews nothing."""
    try:
        auth = hermes_module()
        return _stored_state() if auth is None else _state_of(auth)
    except Exception:  # noqa: BLE001 - whoever asks has no use for a reason
        return {}


def hermes_home() -> str:
    """Return the folder of the active profile: Hermes's own switch, then the environment, then the default.

    Raises:
        BillingAuthError: There is none (``error="invalid_token"``).
    """
    try:
        # Hermes switches profiles within a process, for each task. If its module is not loaded, nothing was switched.
        switch: Callable[[], os.PathLike[str]] | None = getattr(
            sys.modules.get("hermes_constants"), "get_hermes_home", None
        )
        switched = "" if switch is None else os.fspath(switch()).strip()
        return switched or os.environ.get("HERMES_HOME", "").strip() or _default_home()
    except Exception as error:  # another program may raise anything
        raise BillingAuthError(
            f"The folder of Hermes's login cannot be found ({type(error).__name__}). Set HERMES_HOME, or pass "
            "credentials to the client.",
            error="invalid_token",
        ) from error


def _default_home(platform: str = sys.platform) -> str:
    home = os.path.expanduser("~")
    if home == "~":
        raise RuntimeError("there is no home folder")
    if platform == "win32":
        local = os.environ.get("LOCALAPPDATA", "").strip() or os.path.join(home, "AppData", "Local")
        return os.path.join(local, "hermes")
    return f"{home}/.hermes"


def _auth_file(home: str) -> str:
    # As strings: it is called at each poll.
    return os.path.join(home, "auth.json")


def _state_of(auth: Any) -> Mapping[str, Any]:
    # What is nested in it is of no use here, and may be a secret.
    state: Mapping[str, Any] = auth.get_provider_auth_state("nous") or {}
    return masked({key: value for key, value in state.items() if not isinstance(value, (dict, list))})


def _can_force(resolve: Callable[..., object]) -> bool:
    """Whether this version of Hermes renews a token that is not due."""
    try:
        inspect.signature(resolve).bind(refresh_skew_seconds=_FORCING_SKEW)
    except (TypeError, ValueError):
        return False
    return True


def _secret(token: object) -> Secret:
    return Secret(token if isinstance(token, str) else "")


def _stored_state() -> Mapping[str, Any]:
    path = _auth_file(hermes_home())
    # Hermes writes a file that is mounted by itself in place.
    state, reason = look_again(lambda: _read_state(path), is_whole=lambda found: not found[1])
    if not reason:
        return state
    # Raised outside the handler: the original exception contains the file's text.
    raise BillingAuthError(
        f"Hermes's login {path} cannot be read ({reason}). Run `hermes portal` to log in again.", error="invalid_token"
    )


def _read_state(path: str) -> tuple[Mapping[str, Any], str]:
    """Return the login in Hermes's file, or why it cannot be read."""
    try:
        state: Any = json.loads(read_own_file(follow(path)), object_hook=masked)["providers"]["nous"]
    except (FileNotFoundError, KeyError):
        return {}, ""
    except OSError as error:
        return {}, error.strerror or type(error).__name__
    except (ValueError, TypeError, RecursionError) as error:
        return {}, type(error).__name__
    return (cast("Mapping[str, Any]", state) if isinstance(state, dict) else {}), ""
