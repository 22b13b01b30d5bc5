"""What a token and a stored login say of their own expiry."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from math import inf
from typing import Any, cast

from ..credentials import Secret

# Longer than any call, and than credentials are kept.
_REFRESH_SKEW = 120.0
# A login that was obtained later than now: the clock was put back.
_CLOCK_TOLERANCE = 60.0
# What a date can hold.
_LONGEST = 10**11


def token_claims(token: str) -> Mapping[str, Any]:
    """Read a JWT's claims without checking the signature: the portal does that."""
    try:
        claims = token.split(".")[1]
        decoded = json.loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    except (IndexError, ValueError, RecursionError):
        return {}
    return decoded if isinstance(decoded, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def token_expiry(token: str) -> float | None:
    """Read a JWT's own ``exp``, in seconds since 1970."""
    return _seconds(token_claims(token).get("exp"))


def granted_scopes(scope: object, token: str) -> frozenset[str]:
    """Return the scopes that a reply or a stored login names, or else the token's own claim."""
    named = scope if isinstance(scope, str) else token_claims(token).get("scope")
    if isinstance(named, list):
        return frozenset(str(name) for name in cast("list[object]", named))
    return frozenset(named.split()) if isinstance(named, str) else frozenset()


def usable_token(login: Mapping[str, Any], rejected: str | None, now: float, seconds: float = 0) -> Secret | None:
    """Return the access token of a stored login if it is good for so many seconds from now, and was not rejected."""
    token = login.get("access_token")
    if not isinstance(token, str) or not token.strip() or token.strip() == rejected:
        return None
    expires_at = seconds_from_iso(login.get("expires_at")) or token_expiry(token)
    # Where nothing says when it ends, the portal will.
    good = seconds < inf if expires_at is None else expires_at - now > seconds
    return Secret(token.strip()) if good else None


def minimum_lifetime(login: Mapping[str, Any], now: float) -> float:
    """Return how many seconds a token must have left not to be renewed; infinite where the clock cannot be trusted."""
    obtained_at = seconds_from_iso(login.get("obtained_at"))
    if obtained_at is not None and obtained_at > now + _CLOCK_TOLERANCE:
        return inf
    # A portal whose tokens live no longer than the skew would be asked for a new one at every call.
    return min(_REFRESH_SKEW, (positive_seconds(login.get("expires_in")) or inf) / 2)


def positive_seconds(value: object) -> float | None:
    """Return a positive number of seconds, or None."""
    seconds = _seconds(value)
    return seconds if seconds is not None and seconds > 0 else None


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    return float(value) if -_LONGEST < value < _LONGEST else None


def seconds_from_iso(moment: object) -> float | None:
    """Read an ISO 8601 date with an offset as seconds since 1970; None where it is none."""
    try:
        date = datetime.fromisoformat(moment) if isinstance(moment, str) else None
        return date.timestamp() if date is not None and date.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def iso_from_seconds(seconds: float) -> str:
    """Write seconds since 1970 as an ISO 8601 date with an offset."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
