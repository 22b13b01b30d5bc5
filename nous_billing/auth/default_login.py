"""The default credential source of a client."""

from __future__ import annotations

import os
import sys
from functools import cached_property
from typing import TYPE_CHECKING

from .._secrets import Secret, is_token
from ..credentials import Credentials, CredentialSource
from ..errors import BillingAuthError
from .hermes_login import HermesLogin, hermes_module

if TYPE_CHECKING:
    from ssl import SSLContext

    from ..transport.proxies import ProxySetting
    from .stored_login import StoredLogin


class DefaultLogin:
    """The first of: ``NOUS_TOKEN`` of the environment, Hermes's own module where it can be imported, the SDK's stored
    login, Hermes's file."""

    def __init__(self, ssl_context: SSLContext | None = None, proxy: ProxySetting = None) -> None:
        self._hermes = HermesLogin()
        self._ssl_context = ssl_context
        self._proxy: ProxySetting = proxy

    @cached_property
    def _stored(self) -> StoredLogin:
        # Lazy: without a home folder it cannot be created, and within Hermes it is not even loaded.
        from .stored_login import StoredLogin

        return StoredLogin(ssl_context=self._ssl_context, proxy=self._proxy)

    @cached_property
    def _looked_for_hermes(self) -> bool:
        # Once: to look for a module that is not there takes longer than a poll.
        return hermes_module() is not None

    def fingerprint(self) -> object:
        """Return a value that changes when the login does, when another one comes first, or with the environment."""
        if _environment_token():
            return hash(_environment_token())
        in_hermes = self._looked_for_hermes or sys.modules.get("hermes_cli.auth") is not None
        return self._hermes.fingerprint(), None if in_hermes else self._stored.fingerprint()

    def resolve(self, *, rejected: str | None = None) -> Credentials:
        """Return the token of the environment, or of the first login found.

        Raises:
            BillingAuthError: The variable has characters that no token has (``error="invalid_token"``).
            BillingError: As the login's own ``resolve``.
        """
        # In no variable: a traceback may show those of this frame.
        if _environment_token():
            return Credentials(_checked_token())
        source: CredentialSource = self._hermes
        if hermes_module() is None and self._stored.is_logged_in:
            source = self._stored
        return source.resolve(rejected=rejected)

    def close(self) -> None:
        """Close the connections."""
        if "_stored" in self.__dict__:
            self._stored.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def _checked_token() -> str:
    if not is_token(Secret(_environment_token())):
        raise BillingAuthError(
            "NOUS_TOKEN has characters that a token cannot have. Set it to the token alone, or unset it.",
            error="invalid_token",
        )
    return _environment_token()


def _environment_token() -> str:
    return os.environ.get("NOUS_TOKEN", "").strip()
