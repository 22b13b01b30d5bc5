"""The ids and tokens that the portal gives out: random ones, or those that a test chose."""

import secrets
from collections import deque
from collections.abc import Iterable
from typing import Literal, get_args

Kind = Literal["charge", "accessToken", "refreshToken", "deviceCode", "userCode"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_PREFIXES = {"charge": "ch", "accessToken": "at", "refreshToken": "rt", "deviceCode": "dc"}


class Ids:
    """Gives out ids. Those that were fixed come first, in their order."""

    def __init__(self) -> None:
        self._fixed: dict[Kind, deque[str]] = {}

    def fix(self, kind: Kind, ids: Iterable[str]) -> None:
        """Give these out next."""
        self._fixed.setdefault(kind, deque()).extend(ids)

    def fix_next(self, kind: Kind, text: str) -> None:
        """Give this out next, before what was fixed earlier."""
        self._fixed.setdefault(kind, deque()).appendleft(text)

    def fixed(self, kind: Kind) -> str | None:
        """The next one that was fixed, if there is one."""
        waiting = self._fixed.get(kind)
        return waiting.popleft() if waiting else None

    def new(self, kind: Kind) -> str:
        """The next one."""
        return self.fixed(kind) or (_user_code() if kind == "userCode" else _random(kind))


def _random(kind: Kind) -> str:
    return f"{_PREFIXES[kind]}_{secrets.token_urlsafe(12 if kind == 'charge' else 32)}"


def _user_code() -> str:
    # No vowels, which could make a word, and no letters that a person could misread.
    letters = "".join(secrets.choice("BCDFGHJKLMNPQRSTVWXZ") for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"
