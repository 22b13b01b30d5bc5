"""Package indexes on loopback, real ones and stubs, and what publishing does to each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

USER, PASSWORD = "publisher", "correct-horse"


@dataclass(frozen=True)
class Index:
    """A running index.

    Attributes:
        url: Where it takes uploads.
        check_url: Where pip reads from it; empty where publishing finds that by itself.
        files: What is on it now.
        takes_anybody: Whether it asks for no login.
    """

    url: str
    check_url: str
    files: Callable[[], Mapping[str, bytes]]
    takes_anybody: bool = False
    log: list[str] = field(default_factory=list)
