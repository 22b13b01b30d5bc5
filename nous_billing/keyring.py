"""A login in the keyring of the system. Needs the extra ``nous-billing[keyring]``."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import cast

try:
    import keyring
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        f"nous_billing.keyring needs {_error.name}: install nous-billing[keyring] from the index of nous-billing",
        name=_error.name,
    ) from _error

from ._arguments import wrong_type
from ._files.locking import locked
from ._secrets import SecretBytes
from .errors import BillingInvalidRequest

__all__ = ["KeyringLoginStorage"]


class KeyringLoginStorage:
    """The login of one person, in the keyring that the package ``keyring`` finds: Keychain, Credential Locker, …

    A keyring has no lock, so a file beside has it: all programs that share the entry must name the same folder.

    Args:
        username: The entry of the service ``nous-billing``.
        lock_folder: Where the lock is; by default the platform's config folder for ``nous-billing``.

    Raises:
        BillingInvalidRequest: There can be no such entry (``error="invalid_username"``) or folder
            (``error="invalid_path"``).
    """

    def __init__(self, username: str = "login", *, lock_folder: str | os.PathLike[str] | None = None) -> None:
        if not isinstance(cast("object", username), str):
            raise wrong_type("username", "a string", username, "invalid_username")
        self._username = username
        try:
            # A user's name may have characters that the name of a file cannot have.
            name = f"keyring-{sha256(username.encode()).hexdigest()[:16]}.lock"
        except UnicodeEncodeError:
            message = "username has half of a character, which cannot be written. Give another."
            raise BillingInvalidRequest(message, error="invalid_username") from None
        self._lock = _folder(lock_folder) / name

    @property
    def name(self) -> str:
        """The entry."""
        return f"the keyring's entry {_SERVICE} of {self._username!r}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._username!r})"

    @contextmanager
    def hold(self, seconds: float) -> Generator[None]:
        """Lock the file beside.

        Raises:
            BillingNetworkError: Another program held it for so long.
            OSError: The folder cannot be written, or others can write it.
        """
        with locked(str(self._lock), seconds, self.name):
            yield

    def load(self) -> SecretBytes | None:
        """Return the entry."""
        content = SecretBytes((keyring.get_password(_SERVICE, self._username) or "").encode())
        return content if content else None

    def reserve(self, size: int) -> None:
        """Save as much under another name, and remove it: a keyring may be locked, or have a limit."""
        trial = f"{self._username} (trial)"
        keyring.set_password(_SERVICE, trial, "x" * size)
        keyring.delete_password(_SERVICE, trial)

    def save(self, content: SecretBytes) -> None:
        """Replace the entry, without the white space: room is short in some keyrings."""
        keyring.set_password(_SERVICE, self._username, content.reveal().decode())

    def skew(self) -> float:
        """Return 0: one machine has the keyring."""
        return 0.0


_SERVICE = "nous-billing"


def _folder(given: object) -> Path:
    if given is not None and not isinstance(given, (str, os.PathLike)):
        raise wrong_type("lock_folder", "a string or an os.PathLike", given, "invalid_path")
    try:
        if given is None:
            from platformdirs import user_config_path

            given = user_config_path("nous-billing", appauthor=False)
        folder = Path(cast("str", given)).expanduser().absolute()
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            os.lstat(folder)
    except (RuntimeError, TypeError, ValueError, OSError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).removesuffix(".")
        raise BillingInvalidRequest(
            f"The folder for the lock of the keyring cannot be used: {reason}. Give one that can be written.",
            error="invalid_path",
        ) from None
    return folder
