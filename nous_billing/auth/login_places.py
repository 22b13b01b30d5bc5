"""The place of a login: a file, or a storage."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from .._arguments import check_path, wrong_type
from ..errors import BillingInvalidRequest
from .kept_login import KeptLogin
from .login_document import Document
from .login_file import LoginFile
from .login_storage import LoginStorage

LoginPlace = LoginFile | KeptLogin
Write = Callable[[Document], None]
"""Replaces the document."""

_METHODS = ("name", "hold", "load", "reserve", "save", "skew")


def place_of(path: str | os.PathLike[str] | None, storage: LoginStorage | None) -> LoginPlace:
    """Return the place that the arguments of a ``StoredLogin`` name.

    Raises:
        BillingInvalidRequest: There can be none (``error="invalid_path"`` or ``"invalid_storage"``).
    """
    if storage is None:
        return _file(path)
    if path is not None:
        raise BillingInvalidRequest("Give a path or a storage, not both.", error="invalid_storage")
    # In its class first: a property may raise anything.
    missing = [name for name in _METHODS if not (hasattr(type(storage), name) or hasattr(storage, name))]
    if missing:
        raise wrong_type("storage", f"a LoginStorage with {', '.join(missing)}", storage, "invalid_storage")
    return KeptLogin(storage)


def _file(path: str | os.PathLike[str] | None) -> LoginFile:
    if path is not None:
        check_path(path, "invalid_path")
    try:
        if path is not None and not os.fspath(path).strip():
            raise ValueError("it is blank")
        return LoginFile(_default_path() if path is None else Path(path))
    except (RuntimeError, TypeError, ValueError, OSError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).removesuffix(".")
        raise BillingInvalidRequest(
            f"The login file cannot be used: {reason}. Give a path that can be written.", error="invalid_path"
        ) from None


def _default_path() -> Path:
    from platformdirs import user_config_path

    return user_config_path("nous-billing", appauthor=False) / "login.json"
