"""The file of logins, one for each portal: owner-only, replaced atomically and durably, changed under a lock."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from threading import get_ident

from .._files.locking import locked
from .._files.reading import file_fingerprint, look_again, read_own_file
from .._files.replacing import Content, prepared, put_aside
from .._files.trust import absolute, check_file, check_folder, check_length, follow
from ..errors import BillingAuthError, BillingError
from .login_document import Document, Unusable, encode, recognise

# More than any two tokens of a portal take.
_ROOM = 2**16
# How wrong the date of a file may be where nothing is wrong: FAT knows only even seconds. The shortest pause is longer.
_ROUNDED_SECONDS = 2.0
# Only to put a broken file aside: a renewal may hold the lock for longer.
_ASIDE_SECONDS = 1.0


class PreparedLogin:
    """Disk space that is reserved for the next document of a login file."""

    def __init__(self, commit: Callable[[Content], None]) -> None:
        self._commit = commit

    def commit(self, document: Document) -> None:
        """Replace the file durably, once.

        Raises:
            OSError: It could not be saved.
        """
        self._commit(lambda: encode(document))


class LoginFile:
    """One JSON file. Keys that this SDK does not know survive a rewrite. Links are followed at each use.

    Raises:
        ValueError: There can be no such path.
        RuntimeError: The home folder is not known.
        OSError: The path is too long, or is relative and the working directory is gone.
    """

    def __init__(self, path: Path) -> None:
        # As it was given: the system follows the links of the moment.
        self.name: str = absolute(os.fspath(path.expanduser()))
        # The longest of the names that it cannot do without.
        check_length(f"{self.path}.lock")
        self._holders: set[int] = set()

    @property
    def path(self) -> Path:
        """Where the file is now, without links."""
        return Path(os.path.realpath(self.name))

    @property
    def is_there(self) -> bool:
        """Whether anything has its name."""
        return os.path.lexists(self.name)

    def fingerprint(self) -> object:
        """Return a value that changes with the file."""
        return file_fingerprint(self.name)

    def skew(self) -> float:
        """Return by how many seconds the clock of a file server is ahead of this machine's. The caller holds the lock.

        0 where that is not known, as on Windows.
        """
        with suppress(OSError):
            lock = f"{follow(self.name)}.lock"
            # To the time of the server, which all machines share.
            os.utime(lock)
            skew = os.stat(lock).st_mtime - time.time()
            return skew if abs(skew) > _ROUNDED_SECONDS else 0.0
        return 0.0

    @contextmanager
    def locked(self, seconds: float) -> Generator[None]:
        """Lock the file against every other process and thread.

        Raises:
            BillingNetworkError: Another program held the lock for ``seconds``.
            OSError: The folder cannot be written, or others can write it.
        """
        path = follow(self.name)
        with locked(f"{path}.lock", seconds, f"the login {path}", instead=path):
            self._holders.add(get_ident())
            try:
                yield
            finally:
                self._holders.remove(get_ident())

    def read(self) -> Document:
        """Return the document; empty where there is no file, or one with nothing in it.

        Raises:
            BillingAuthError: It cannot be read, or may be somebody else's. A broken login is renamed, and the message
                names the new path; any other file stays as it is.
        """
        try:
            found = self._settled()
            if found is Unusable.BROKEN:
                found = self._put_aside()
        except FileNotFoundError:
            return {}
        except OSError as error:
            advice = "Give the path of a file" if isinstance(error, IsADirectoryError) else "Fix or remove it"
            raise BillingAuthError(
                f"The login file {self.name} cannot be read: {error.strerror}. {advice}.", error="invalid_token"
            ) from None
        if found is Unusable.EMPTY:
            return {}
        if found is Unusable.BROKEN:
            raise self._broken("Another program is changing it: try again shortly.")
        if isinstance(found, Unusable):
            raise BillingAuthError(found.value.format(path=self.path), error="invalid_token")
        return found

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
            OSError: A document cannot be saved here, or may be too large; ``strerror`` says why.
        """
        found: Document | Unusable = {}
        with suppress(FileNotFoundError):
            found = self._look()
        size = len(encode(found, _ROOM)) if isinstance(found, dict) else 0
        with self._prepared(size + _ROOM) as prepared_login:
            yield prepared_login

    def write(self, document: Document) -> None:
        """Replace the file durably. The caller holds the lock.

        Raises:
            OSError: It could not be saved.
        """
        with self._prepared(len(encode(document))) as prepared_login:
            prepared_login.commit(document)

    @contextmanager
    def _prepared(self, size: int) -> Generator[PreparedLogin]:
        path = follow(self.name)
        check_folder(os.path.dirname(path))
        with suppress(FileNotFoundError):
            check_file(path, os.lstat(path))
        with prepared(Path(path), size) as commit:
            yield PreparedLogin(commit)

    def _settled(self) -> Document | Unusable:
        return look_again(self._look, is_whole=lambda found: isinstance(found, dict) or found is Unusable.OTHER_VERSION)

    def _look(self) -> Document | Unusable:
        path = follow(self.name)
        check_folder(os.path.dirname(path))
        found = recognise(read_own_file(path))
        if isinstance(found, dict):
            with suppress(OSError):
                # Not refused, as ssh would: a plain copy of a login is like that, and its owner is not to be kept out.
                if os.stat(path).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                    os.chmod(path, 0o600)
        return found

    def _put_aside(self) -> Document | Unusable:
        """Rename a broken login, under the lock and only if it stays broken and the same.

        Raises:
            BillingAuthError: It was renamed, or could not be.
        """
        try:
            with self._lock_once():
                before = file_fingerprint(self.name)
                found = self._settled()
                if found is not Unusable.BROKEN or file_fingerprint(self.name) != before:
                    return found
                aside = put_aside(follow(self.name))
            outcome = f"It was renamed to {aside}. Log in again."
        except FileNotFoundError:
            raise
        except OSError as error:
            outcome = f"It could not be renamed ({error.strerror}): remove it, and log in again."
        except BillingError as error:
            outcome = f"It was not renamed. {error.message}"
        raise self._broken(outcome)

    def _broken(self, outcome: str) -> BillingAuthError:
        return BillingAuthError(f"{Unusable.BROKEN.value.format(path=self.path)} {outcome}", error="invalid_token")

    def _lock_once(self) -> AbstractContextManager[None]:
        return nullcontext() if get_ident() in self._holders else self.locked(_ASIDE_SECONDS)
