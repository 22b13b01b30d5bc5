"""A login in the keyring of the system. Needs the extra ``nous-billing[keyring]``."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

try:
    import keyring
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        f"nous_billing.keyring needs {_error.name}: install nous-billing[keyring] from the index of nous-billing",
        name=_error.name,
    ) from _error

from ._files.locking import locked
from ._secrets import SecretBytes

__all__ = ["KeyringLoginStorage"]


class KeyringLoginStorage:
    """The login of one person, in the keyring that the package ``keyring`` finds: Keychain, Credential Locker, …

    A keyring has no lock, so a file beside has it: all programs that share the entry must name the same folder.

    Args:
        username: The entry of the service ``nous-billing``.
        lock_folder: Where the lock is; by default the platform's config folder for ``nous-billing``.
    """

    def __init__(self, username: str = "login", *, lock_folder: str | os.PathLike[str] | None = None) -> None:
        self._username = username
        if lock_folder is None:
            from platformdirs import user_config_path

            lock_folder = user_config_path("nous-billing", appauthor=False)
        folder = Path(lock_folder).expanduser().absolute()
        # A user's name may have characters that the name of a file cannot have.
        self._lock = folder / f"keyring-{sha256(username.encode()).hexdigest()[:16]}.lock"

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
