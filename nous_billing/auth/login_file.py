"""The file of logins, one for each portal: owner-only, replaced atomically and durably, changed under a lock."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, cast

from .._files.locking import locked
from .._files.replacing import Content, prepared
from .._secrets import masked, reveal_in_json
from ..errors import BillingAuthError
from .oauth import Tokens
from .tokens import iso_from_seconds

Document = dict[str, Any]

TOKEN_KEYS = frozenset({"access_token", "refresh_token", "expires_at", "expires_in", "obtained_at"})


# More than any two tokens of a portal take.
_ROOM = 2**16


class PreparedLogin:
    """Disk space that is reserved for the next document of a login file."""

    def __init__(self, commit: Callable[[Content], None]) -> None:
        self._commit = commit

    def commit(self, document: Document) -> None:
        """Replace the file durably, once.

        Raises:
            OSError: It could not be saved.
        """
        self._commit(lambda: json.dumps({"version": 1, **document}, indent=1, default=reveal_in_json).encode())


class LoginFile:
    """One JSON file. Keys that this SDK does not know survive a rewrite."""

    def __init__(self, path: Path) -> None:
        # Resolve a symbolic link once: replacing the file must not replace the link.
        self.path: Path = path.expanduser().resolve()
        self.name: str = str(self.path)

    def locked(self, seconds: float) -> AbstractContextManager[None]:
        """Lock the file against every other process and thread.

        Raises:
            BillingNetworkError: Another program held the lock for ``seconds``.
            OSError: The folder cannot be written.
        """
        return locked(f"{self.path}.lock", seconds, f"the login {self.path}")

    def read(self) -> Document:
        """Return the document; empty where there is no file.

        Raises:
            BillingAuthError: It cannot be read. A broken file is renamed, and the message names the new path.
        """
        try:
            document = self._parse()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise BillingAuthError(
                f"The login file {self.path} cannot be read: {error.strerror}. Fix or remove it.",
                error="invalid_token",
            ) from None
        if document is not None:
            return document
        raise BillingAuthError(f"The login file {self.path} is broken. {self._put_aside()}", error="invalid_token")

    @contextmanager
    def prepare(self) -> Generator[PreparedLogin]:
        """Reserve disk space for a new document, and find out how the file can be replaced. The caller holds the lock.

        What is written is durable once ``commit`` returns. Without a commit the file stays as it was.

        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     file = LoginFile(Path(folder) / "login.json")
        ...     with file.prepare() as prepared_login:
        ...         prepared_login.commit({"portals": {}})
        ...     file.read()
        {'version': 1, 'portals': {}}

        Raises:
            OSError: A document cannot be saved here; its message says why, and names the path.
        """
        path = self.path
        with prepared(path, _size_of(path) + _ROOM) as commit:
            yield PreparedLogin(commit)

    def write(self, document: Document) -> None:
        """Replace the file durably. The caller holds the lock.

        Raises:
            OSError: It could not be saved.
        """
        with self.prepare() as prepared_login:
            prepared_login.commit(document)

    def _parse(self) -> Document | None:
        try:
            document = json.loads(self.path.read_bytes(), object_hook=masked)
        except (ValueError, RecursionError):
            return None
        return cast(Document, document) if _is_document(document) else None

    def _put_aside(self) -> str:
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.broken-{number}")).exists():
            number += 1
        try:
            self.path.rename(aside)
        except OSError as error:
            return f"It could not be renamed ({error.strerror}): remove it, and log in again."
        return f"It was renamed to {aside}. Log in again."


def _is_document(value: Any) -> bool:
    """Whether it is an object whose ``portals``, if it has any, are objects."""
    if not isinstance(value, dict):
        return False
    portals: Any = cast(Document, value).get("portals", {})
    return isinstance(portals, dict) and all(
        login is None or isinstance(login, dict) for login in cast(Document, portals).values()
    )


def logins_of(document: Document) -> dict[str, Document]:
    """Return the logins by portal, to read and to change."""
    logins: dict[str, Document] = document.setdefault("portals", {})
    return logins


def login_of(document: Document, base_url: str) -> Document:
    """Return the login for a portal; empty where there is none."""
    return logins_of(document).get(base_url) or {}


def merged(login: Document, tokens: Tokens) -> Document:
    """Return the login with new tokens; what else is in it survives, and an old refresh token does not."""
    kept = {key: value for key, value in login.items() if key not in TOKEN_KEYS and key != "last_auth_error"}
    new = {
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "token_type": tokens.token_type,
        "scope": tokens.scope,
        "obtained_at": iso_from_seconds(tokens.requested_at),
        "expires_in": tokens.expires_in,
        "expires_at": None if tokens.expires_in is None else iso_from_seconds(tokens.requested_at + tokens.expires_in),
    }
    return {**kept, **{key: value for key, value in new.items() if value is not None}}


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
