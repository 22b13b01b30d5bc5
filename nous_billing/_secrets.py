"""Secrets: values that no repr, format, slice or serializer shows. Error reporters read the variables of frames."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Generic, NoReturn, SupportsIndex, TypeVar, cast

from ._arguments import kind_of
from .errors import BillingAuthError

AnyStrT = TypeVar("AnyStrT", str, bytes)

# What a login file says without a secret.
_NO_SECRETS = frozenset(
    (
        *("version", "active_portal", "portal_base_url", "inference_base_url", "client_id", "login_id"),
        *("token_type", "scope", "obtained_at", "expires_at", "grant_expires_at", "renewal_forced_at", "code", "at"),
    )
)
# A token with a line break would be a header of its own; the HTTP library would then quote it in an exception.
_TOKEN = re.compile(r"[!-~]+")


class RevealedText(str):
    """The text of a secret, to be used: a string like any other, but for what only shows it.

    ``str()``, ``"%s"`` and ``f"Bearer {text}"`` give the text, since requests are made so. Its repr is stars, and so is
    a format that pads or cuts it.

    Examples:
        >>> text = Secret("token").reveal()
        >>> f"Bearer {text}", f"{text!r}", f"{text:.3}", f"{text[:3]}", text[:3] == "tok"
        ('Bearer token', "'***'", '***', '***', True)
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"

    def __format__(self, spec: str) -> str:
        return "***" if spec else str(self)

    # Tracers show the first characters of a long string.
    def __getitem__(self, key: SupportsIndex | slice) -> RevealedText:
        return _Part(super().__getitem__(key))


class _Part(RevealedText):
    """A part of the text, to be compared and not to be shown."""

    __slots__ = ()

    def __str__(self) -> str:
        return "***"


class _Secret(Generic[AnyStrT]):
    """Holds a value that only ``reveal()`` returns. Not a string: what serializes strings would find the value."""

    __slots__ = ("reveal",)

    def __init__(self, value: AnyStrT) -> None:
        # A function and not the value: an error reporter may also collect the attributes of an object.
        self.reveal: Callable[[], AnyStrT] = lambda: value

    def __eq__(self, other: object) -> bool:
        return bool(self.reveal() == reveal(other))

    def __hash__(self) -> int:
        return hash(self.reveal())

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def __format__(self, spec: str) -> str:
        return str(self)

    def __copy__(self) -> _Secret[AnyStrT]:
        return self

    def __deepcopy__(self, memo: object) -> _Secret[AnyStrT]:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret cannot be pickled. Reveal it where it has to be handed on.")


class Secret(_Secret[str]):
    """A token or a password.

    Examples:
        >>> f"{Secret('token')} {Secret('token')!r} {Secret('token')[:2]}", Secret("token").reveal() == "token"
        ("*** '***' ***", True)
    """

    __slots__ = ()

    def __init__(self, value: str | Secret) -> None:
        # Whatever a class of strings, such as an enumeration, shows: its text.
        super().__init__(RevealedText(str.__str__(reveal(value))))

    def __repr__(self) -> str:
        return "'***'"

    def __str__(self) -> str:
        return "***"

    def __getitem__(self, key: SupportsIndex | slice) -> Secret:
        return Secret(self.reveal()[key])

    def strip(self) -> Secret:
        """Return it without white space around it."""
        return Secret(self.reveal().strip())

    def split(self, separator: str | None = None) -> list[Secret]:
        """Return its parts, each a secret."""
        return [Secret(part) for part in self.reveal().split(separator)]


class SecretBytes(_Secret[bytes]):
    """Bytes with a token or a password in them, such as those of a request."""

    __slots__ = ()

    def __init__(self, value: bytes | SecretBytes) -> None:
        super().__init__(reveal(value))

    def __repr__(self) -> str:
        return "b'***'"

    def __getitem__(self, key: slice) -> SecretBytes:
        return SecretBytes(self.reveal()[key])


def reveal(value: Any) -> Any:
    """Return the value of a secret, and anything else as it is."""
    return value.reveal() if isinstance(value, (Secret, SecretBytes)) else value


def concealed(value: Any) -> Any:
    """Return a string or bytes as a secret, and anything else as it is: for an argument that may have a password.

    To be called first of all: a traceback may show the variables of a frame.
    """
    if isinstance(value, str):
        return Secret(value)
    return SecretBytes(value) if isinstance(value, bytes) else value


def masked(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object of a login file with its strings as secrets, but for those that are known to be none.

    Another program, or a later version, may keep a secret under any name. Objects in it are left as they are: the
    decoder of JSON hands each of them over by itself.
    """
    return {key: value if key in _NO_SECRETS else _masked(value) for key, value in members.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return Secret(value)
    # Without recursion: what the decoder can nest must not overflow the stack here.
    lists: list[object] = [value]
    for items in lists:
        if isinstance(items, list):
            found = cast("list[object]", items)
            found[:] = [Secret(item) if isinstance(item, str) else item for item in found]
            lists.extend(found)
    return value


def reveal_in_json(value: object) -> Any:
    """Return the value of a secret: the argument ``default`` of ``json.dumps``.

    Raises:
        TypeError: It is no secret.
    """
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"A {type(value).__name__} cannot be written as JSON.")


def forget_variables(error: BaseException) -> None:
    """Clear the variables of every frame that an exception, or one it is chained to, has come through.

    The frames of another library hold tokens as plain strings. A frame that still runs keeps its variables.
    """
    # Slow to import, and seldom needed.
    from traceback import clear_frames

    links: list[BaseException | None] = [error]
    seen: set[int] = set()
    while links:
        link = links.pop()
        if link is not None and id(link) not in seen:
            seen.add(id(link))
            clear_frames(link.__traceback__)
            links += [link.__cause__, link.__context__]


def is_token(token: Secret) -> bool:
    """Return whether it has only characters that a token can have."""
    return _TOKEN.fullmatch(token.reveal()) is not None


def check_token(token: object, name: str = "access token") -> Secret:
    """Return a token without white space around it.

    Args:
        token: A string or a ``Secret``.
        name: What it is, for the message.

    Raises:
        BillingAuthError: It is no string, is blank, or has characters that no token has (``error="invalid_token"``).
    """
    if not isinstance(token, (str, Secret)):
        kind = kind_of(token)
        # A traceback may show the variables of this frame.
        del token
        raise BillingAuthError(f"The {name} must be a string, not {kind}.", error="invalid_token")
    # First of all, for the same reason.
    token = Secret(token).strip()
    if not is_token(token):
        raise BillingAuthError(
            f"The {name} is blank or has characters that a token cannot have. Log in again.", error="invalid_token"
        )
    return token
