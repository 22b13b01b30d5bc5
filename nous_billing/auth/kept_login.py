"""The document of logins in a ``LoginStorage``, used as the file of logins is."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable, Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import cast

from .._arguments import discard, kind_of
from .._secrets import SecretBytes
from ..errors import BillingAuthError, BillingError, BillingInvalidRequest, BillingNetworkError
from .login_document import Document, Unusable, compact, recognise
from .login_file import PreparedLogin
from .login_storage import LoginStorage

# How much longer the document may become by other tokens.
_GROWTH = 256
# Thirty years: no clock is that wrong, and dates that far away can still be written.
_LARGEST_SKEW = 1e9


class KeptLogin:
    """The document of a storage, whose exceptions become those of a ``LoginFile``.

    Attributes:
        name: What messages call it.

    Raises:
        BillingInvalidRequest: Its name cannot be told (``error="invalid_storage"``).
    """

    def __init__(self, storage: LoginStorage) -> None:
        self._storage = storage
        self._saved = 0
        # Read once: a message must not fail for it.
        self.name: str = self._name()

    @property
    def is_there(self) -> bool:
        """Whether there may be a document: none is ever put aside."""
        return True

    def fingerprint(self) -> object:
        """Return a value that changes with what this program saves. What others save is seen after 30 seconds."""
        return self._saved

    def skew(self) -> float:
        """Return by how many seconds the shared clock is ahead of this machine's."""
        with suppress(Exception):
            skew = float(cast("float", self._call("skew")))
            # Not so for NaN.
            if abs(skew) < _LARGEST_SKEW:
                return skew
        return 0.0

    @contextmanager
    def locked(self, seconds: float) -> Generator[None]:
        """Hold the storage.

        Raises:
            BillingNetworkError: Another program held it for ``seconds``.
            OSError: It cannot be held.
        """
        holding = self._call("hold", seconds)
        if not isinstance(holding, AbstractContextManager):
            raise _invalid(f"hold returned {kind_of(holding)}, not a context manager")
        holding = cast("AbstractContextManager[object]", holding)
        self._call("hold", held=holding)
        try:
            yield
        finally:
            # What is saved is saved, and who cannot let go is overtaken in time.
            with suppress(Exception):
                holding.__exit__(None, None, None)

    def read(self) -> Document:
        """Return the document; empty where there is none.

        Raises:
            BillingAuthError: It is no document that this version reads.
            BillingNetworkError: It cannot be read just now.
        """
        try:
            content = self._call("load")
        except OSError as error:
            reason = error.strerror
        else:
            return self._recognised(content)
        raise BillingNetworkError(
            f"The login cannot be read from {self.name}: {reason}. Try again shortly.", error="network_error"
        )

    def _recognised(self, content: object) -> Document:
        if content is not None and not isinstance(content, SecretBytes):
            raise _invalid(f"load returned {kind_of(content)}, not SecretBytes or None")
        if content is not None and not isinstance(cast("object", content.reveal()), bytes):
            raise _invalid(f"load returned SecretBytes of {kind_of(content.reveal())}, not of bytes")
        found = Unusable.EMPTY if content is None else recognise(content.reveal())
        if isinstance(found, dict):
            return found
        if found is Unusable.EMPTY:
            return {}
        advice = "Upgrade nous-billing" if found is Unusable.OTHER_VERSION else "Remove it and log in again"
        raise BillingAuthError(
            f"What is in {self.name} is not a login that this version reads, and was left as it is. {advice}.",
            error="invalid_token",
        )

    @contextmanager
    def prepare(self) -> Generator[PreparedLogin]:
        """Make sure that a new document can be saved. The caller holds the storage.

        Raises:
            OSError: It cannot be saved.
            BillingError: As ``read``.
        """
        self._call("reserve", len(compact(self.read())) + _GROWTH)
        yield PreparedLogin(self._save)

    def write(self, document: Document) -> None:
        """Replace the document. The caller holds the storage.

        Raises:
            OSError: It could not be saved.
        """
        self._save(lambda: compact(document))

    def _save(self, content: Callable[[], bytes]) -> None:
        self._call("save", SecretBytes(content()))
        self._saved += 1

    def _name(self) -> str:
        try:
            name: object = self._storage.name
        except Exception as error:  # noqa: BLE001 - what a storage raises is not known here
            reason = f"cannot be read: {type(error).__name__}"
        else:
            if isinstance(name, str):
                return name
            reason = f"is {kind_of(name)}, not a string"
        raise _invalid(f"name {reason}")

    def _call(self, method: str, *arguments: object, held: AbstractContextManager[object] | None = None) -> object:
        """Call a method of the storage, or enter what it returned.

        Raises:
            BillingError: The storage raised it, or returned an awaitable (``error="invalid_storage"``).
            OSError: It raised something else. ``strerror`` says what, without its text, which may have a secret.
        """
        try:
            answer = held.__enter__() if held is not None else getattr(self._storage, method)(*arguments)
        except BillingError:
            raise
        except Exception as error:  # noqa: BLE001 - what a storage raises is not known here
            reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
        else:
            if isinstance(answer, Awaitable):
                discard(cast("object", answer))
                raise _invalid(f"{method} returned an awaitable. Give plain methods: they are called in threads")
            return answer
        # Outside of the handler: that exception would be the context of this one.
        raise OSError(errno.EIO, reason)


def _invalid(what: str) -> BillingInvalidRequest:
    return BillingInvalidRequest(f"The storage's {what}.", error="invalid_storage")
