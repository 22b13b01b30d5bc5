"""Idempotency keys: one for each purchase that a person confirmed."""

from __future__ import annotations

import re

from ..errors import BillingInvalidRequest

_KEY = re.compile(r"[!-~]{1,255}")


def new_idempotency_key() -> str:
    """Return a new key. Create it when the person confirms, keep it, and send the same key with every retry.

    Examples:
        >>> len(new_idempotency_key())
        36
    """
    from uuid import uuid4  # A poll does not need it.

    return str(uuid4())


def check_idempotency_key(key: str) -> str:
    """Check a key before anything is sent, and return it without surrounding white space.

    Raises:
        BillingInvalidRequest: It is missing or blank (``error="idempotency_key_required"``), or not 1 to 255 visible
            ASCII characters (``error="invalid_idempotency_key"``).
    """
    if key is None or (isinstance(key, str) and not key.strip()):
        raise BillingInvalidRequest(
            "A payment needs an idempotency key: create one with new_idempotency_key() when the person confirms.",
            error="idempotency_key_required",
        )
    if not isinstance(key, str) or not _KEY.fullmatch(key.strip()):
        raise BillingInvalidRequest(
            "An idempotency key must be 1 to 255 visible ASCII characters.", error="invalid_idempotency_key"
        )
    return key.strip()
