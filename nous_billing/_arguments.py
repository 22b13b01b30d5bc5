"""Arguments of the wrong type: a typed error names them before anything is sent."""

from __future__ import annotations

import os
from datetime import datetime
from typing import NoReturn, SupportsIndex

from .errors import BillingInvalidRequest

# What an argument was before it was concealed.
_CONCEALED = {"Secret": "str", "SecretBytes": "bytes"}


class NotCopied:
    """What has connections and a login."""

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> NoReturn:
        raise BillingInvalidRequest(
            f"A {type(self).__name__} cannot be copied or pickled: it has connections and a login. Threads can share "
            "one; make another in each process.",
            error="invalid_copy",
        )


def wrong_type(name: str, wanted: str, given: object, error: str) -> BillingInvalidRequest:
    """Return the error for an argument of the wrong type. It shows the type and never the value, which may be a token.

    >>> str(wrong_type("client_id", "a string", 5, "invalid_client_id"))
    'client_id must be a string, not int.'
    """
    return BillingInvalidRequest(f"{name} must be {wanted}, not {kind_of(given)}.", error=error)


def kind_of(given: object) -> str:
    """Return what an argument is, for a message: its type, and never its value.

    >>> kind_of(5), kind_of(None), kind_of(int)
    ('int', 'None', 'the class int')
    """
    if isinstance(given, type):
        return f"the class {given.__name__}"
    kind = type(given).__name__
    return "None" if given is None else _CONCEALED.get(kind, kind)


def check_functions(**functions: object) -> None:
    """Check arguments that are functions or None.

    Raises:
        BillingInvalidRequest: One cannot be called. ``error`` is ``"invalid_"`` and the name of the argument.
    """
    for name, function in functions.items():
        if function is not None:
            check_function(function, name)


def check_function(function: object, name: str) -> None:
    """Check an argument that is a function.

    Raises:
        BillingInvalidRequest: It cannot be called (``error`` as for ``check_functions``).
    """
    if not callable(function):
        raise wrong_type(name, "a function", function, f"invalid_{name}")


def discard(awaitable: object) -> None:
    """Close what nobody will await: Python warns about a coroutine that was never awaited."""
    getattr(awaitable, "close", bool)()


def check_path(path: object, error: str) -> None:
    """Check that the argument ``path`` may be one.

    Raises:
        BillingInvalidRequest: It is of another type, such as bytes.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise wrong_type("path", "a string or an os.PathLike", path, error)


def check_clock(clock: object) -> None:
    """Check that an argument has the methods of a clock.

    Raises:
        BillingInvalidRequest: It has not (``error="invalid_clock"``).
    """
    if not all(hasattr(clock, name) for name in ("monotonic", "time", "sleep")):
        raise wrong_type("clock", "a clock with monotonic, time and sleep", clock, "invalid_clock")


def check_moment(moment: datetime, name: str) -> datetime:
    """Check a date that has a time zone, and return it.

    Raises:
        BillingInvalidRequest: It is no datetime, or has no time zone (``error="invalid_moment"``).
    """
    if not isinstance(moment, datetime):
        raise wrong_type(name, "a datetime with a time zone", moment, "invalid_moment")
    if moment.utcoffset() is None:
        raise BillingInvalidRequest(f"{name} must have a time zone. Nothing was removed.", error="invalid_moment")
    return moment
