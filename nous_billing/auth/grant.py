"""When a login ends for good: the portal ends each one 30 days after its approval, however often it is renewed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from .tokens import iso_from_seconds, seconds_from_iso

GRANT_KEY = "grant_expires_at"
_GRANT_SECONDS = 30 * 86400.0
_WARN_SECONDS = 5 * 86400.0
_WARN_EVERY_SECONDS = 86400.0

_warned_at: dict[tuple[str, str], float] = {}


def grant_end(approved_at: float) -> str:
    """Return the end of a login, as it is stored, that was approved so many seconds after 1970."""
    return iso_from_seconds(approved_at + _GRANT_SECONDS)


def warn_of_grant_end(login: Mapping[str, Any], name: str, base_url: str, now: float) -> None:
    """Log a warning where a login ends within five days, once a day in each process."""
    ends_at = seconds_from_iso(login.get(GRANT_KEY))
    if ends_at is None or not now < ends_at <= now + _WARN_SECONDS:
        return
    warned_at = _warned_at.get((name, base_url))
    if warned_at is not None and abs(now - warned_at) < _WARN_EVERY_SECONDS:
        return
    _warned_at[name, base_url] = now
    import logging  # Slow to import, and a login near its end is rare.

    # A filter or a handler of the application must not make a good login fail.
    with suppress(Exception):
        logging.getLogger("nous_billing").warning(
            "The login to %s in %s ends at %s, 30 days after it was approved. Log in again before then.",
            base_url,
            name,
            iso_from_seconds(ends_at),
        )
