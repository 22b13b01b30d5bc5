"""Idempotency keys: one for each purchase that a person confirmed."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, cast

from .._arguments import wrong_type
from ..errors import BillingInvalidRequest

if TYPE_CHECKING:
    from uuid import UUID

_KEY = re.compile(r"[!-~]{1,255}")


def new_idempotency_key() -> str:
    """Return a new key. Create it when the person confirms, keep it, and send the same key with every retry.

    Examples:
        >>> len(new_idempotency_key())
        36
    """
    from uuid import uuid4  # A poll does not need it.

    return str(uuid4())


def check_idempotency_key(key: str | UUID) -> str:
    """Check a key before anything is sent, and return it as text without surrounding white space.

    Raises:
        BillingInvalidRequest: It is missing or blank (``error="idempotency_key_required"``), or it is no UUID and not
            1 to 255 visible ASCII characters (``error="invalid_idempotency_key"``).
    """
    text = "" if key is None else key_text(key, "idempotency_key")
    if not text:
        raise BillingInvalidRequest(
            "A payment needs an idempotency key: create one with new_idempotency_key() when the person confirms.",
            error="idempotency_key_required",
        )
    if not _KEY.fullmatch(text):
        raise BillingInvalidRequest(
            "idempotency_key must be 1 to 255 visible ASCII characters.", error="invalid_idempotency_key"
        )
    return text


def key_text(key: str | UUID, name: str) -> str:
    """Return a key as text without surrounding white space: a UUID as it is written with hyphens.

    Raises:
        BillingInvalidRequest: It is neither a string nor a UUID (``error="invalid_idempotency_key"``).
    """
    # Loading the module takes longer than a poll. Where it is not loaded, there is no UUID.
    uuid = sys.modules.get("uuid")
    if isinstance(key, str):
        return key.strip()
    if uuid is not None and isinstance(key, cast("type[UUID]", uuid.UUID)):
        return str(key)
    raise wrong_type(name, "a string or a uuid.UUID", key, "invalid_idempotency_key")
