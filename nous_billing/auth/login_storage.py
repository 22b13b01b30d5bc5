"""The protocol for where a login is kept."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from .._secrets import SecretBytes


class LoginStorage(Protocol):
    """Where a ``StoredLogin`` keeps the logins of one person: one document of a few kilobytes.

    The SDK calls the methods in threads, never in an event loop. ``reserve`` and ``save`` are called in the thread that
    holds the storage. What they raise becomes a ``BillingError`` that has the class of the exception, not its text.
    """

    @property
    def name(self) -> str:
        """What messages call it, without any secret."""
        ...

    def hold(self, seconds: float) -> AbstractContextManager[object]:
        """Hold the document against every other thread, process and machine, for 40 seconds at least.

        The refresh token can be used once, so a renewal holds the storage from before it reads the document until the
        new one is saved. If the holder dies, the storage must become free within 60 seconds: for so long the portal
        answers a replay with the same new tokens.

        Args:
            seconds: How long to wait for another holder.

        Raises:
            BillingNetworkError: Another held it for so long.
        """
        ...

    def load(self) -> SecretBytes | None:
        """Return what was saved last, also while another holds the storage; None where nothing was."""
        ...

    def reserve(self, size: int) -> None:
        """Make sure that ``save`` will succeed: raise here what it would raise. Called before a token is spent.

        Args:
            size: The size of what will be saved, in bytes, roughly.
        """
        ...

    def save(self, content: SecretBytes) -> None:
        """Replace the document, durably and at once; ``content.reveal()`` has its bytes, a JSON text in UTF-8.

        Must raise if another has held the storage in the meantime.
        """
        ...

    def skew(self) -> float:
        """Return by how many seconds the clock that all machines share is ahead of this machine's; 0 without one."""
        ...
