"""The file that keeps logins: owner-only, replaced atomically and durably, changed under a lock for all processes."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from .credentials import masked
from .errors import BillingAuthError, BillingNetworkError
from .login_document import Document


class LoginFile:
    """One JSON file. Keys that this SDK does not know survive a rewrite."""

    def __init__(self, path: Path) -> None:
        # A link is followed once and for all: replacing the file would otherwise replace the link.
        self.path: Path = path.expanduser().resolve()

    @contextmanager
    def locked(self, seconds: float) -> Generator[None]:
        """Hold the file against every other process and thread.

        Raises:
            BillingNetworkError: Somebody else held it for so many seconds.
            OSError: The folder cannot be written.
        """
        from filelock import FileLock, Timeout

        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A lock of its own each time: one object would let the threads of this process in together.
        lock = FileLock(f"{self.path}.lock", timeout=seconds, mode=0o600, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            raise BillingNetworkError(
                f"Another program has been busy with the login {self.path} for {seconds:g} s. Try again shortly.",
                error="network_error",
            ) from None
        try:
            yield
        finally:
            lock.release()

    def read(self) -> Document:
        """Return the document; empty where there is no file.

        Raises:
            BillingAuthError: It cannot be read. A broken file is put aside, and the message says where.
        """
        try:
            document = self._parse()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise BillingAuthError(
                f"The login {self.path} cannot be read: {error.strerror}.", error="invalid_token"
            ) from None
        if document is not None:
            return document
        raise BillingAuthError(f"The login {self.path} is broken. {self._put_aside()}", error="invalid_token")

    def write(self, document: Document) -> None:
        """Replace the file, durably. To be called under the lock.

        Raises:
            OSError: It could not be saved; the old file is still whole.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = self.path.with_name(f"{self.path.name}.new")
        # What a process that was killed left behind may belong to anybody.
        temporary.unlink(missing_ok=True)
        try:
            with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                # No variable holds the bytes: a traceback may show the variables of a frame.
                file.write(json.dumps({"version": 1, **document}, indent=1).encode())
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        _sync_folder(self.path.parent)

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
            return f"It could not be moved away ({error.strerror}): do that, and log in again."
        return f"It was put aside as {aside}. Log in again."


def _is_document(value: Any) -> bool:
    """Whether it is an object whose ``portals``, if it has any, are objects."""
    if not isinstance(value, dict):
        return False
    portals: Any = cast(Document, value).get("portals", {})
    return isinstance(portals, dict) and all(
        login is None or isinstance(login, dict) for login in cast(Document, portals).values()
    )


def _sync_folder(folder: Path) -> None:
    # Windows cannot open a folder, and some file systems cannot sync one; the file itself is durable.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
