"""Reads expiry, scopes and organisation of tokens and stored logins."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import inf
from typing import Any, cast

from .._arguments import wrong_type
from .._secrets import Secret, is_token, reveal
from ..errors import BillingInvalidRequest

# Longer than any call, and longer than credentials are cached.
_REFRESH_SKEW = 120.0
# A date from further in the future was written by another clock.
CLOCK_TOLERANCE = 60.0
# The time of a login's last renewal whose only reason was that the portal refused a token.
FORCED_KEY = "renewal_forced_at"
# A portal that refuses every token must not cost a renewal at each call.
_FORCED_EVERY_SECONDS = 30.0
# The range of datetime.
_LONGEST = 10**11
_EPOCH = datetime.fromtimestamp(0, UTC)
# The characters of a scope in RFC 6749: a terminal obeys some of the others, and a form cannot carry all of them.
_SCOPE = re.compile(r"[!#-\[\]-~]+")
# RFC 6749, appendix A.1.
_CLIENT_ID = re.compile(r"[ -~]+")


def token_claims(token: Secret | str) -> Mapping[str, Any]:
    """Read a JWT's claims without checking the signature: the portal does that."""
    try:
        claims = reveal(token).split(".")[1]
        decoded = json.loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    except (IndexError, ValueError, RecursionError):
        return {}
    return decoded if isinstance(decoded, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def claimed_organisation(token: Secret | str) -> str | None:
    """Read the id of the organisation that a JWT names itself; None where it names none."""
    claims = token_claims(token)
    found = claims.get("org_id") or claims.get("org")
    return found if isinstance(found, str) else None


def token_dates(token: Secret | str) -> tuple[float | None, float | None]:
    """Read a JWT's own ``iat`` and ``exp``, in seconds since 1970."""
    claims = token_claims(token)
    return _seconds(claims.get("iat")), _seconds(claims.get("exp"))


def granted_scopes(scope: object, token: Secret | str) -> frozenset[str]:
    """Return the scopes that a reply or a stored login names, or else the token's own claim.

    A word with characters that no scope has is left out.
    """
    named = scope if isinstance(scope, str) else token_claims(token).get("scope")
    if isinstance(named, list):
        words = [str(name) for name in cast("list[object]", named)]
    else:
        words = named.split() if isinstance(named, str) else []
    return frozenset(filter(_SCOPE.fullmatch, words))


def check_scope(scope: object) -> str:
    """Return the scopes that a caller asks for.

    Raises:
        BillingInvalidRequest: There are none, or one has characters that no scope has (``error="invalid_scope"``).
    """
    if not isinstance(scope, str):
        raise wrong_type("scope", "a string of scopes", scope, "invalid_scope")
    names = [word for word in scope.split(" ") if word]
    if not names or not all(map(_SCOPE.fullmatch, names)):
        raise BillingInvalidRequest(
            "The scope cannot be used. Give one or more scopes of visible ASCII characters, separated by spaces.",
            error="invalid_scope",
        )
    return scope


def check_client_id(client_id: object) -> str:
    """Return the OAuth client that a caller names.

    Raises:
        BillingInvalidRequest: It is no string, is empty, or has characters that no client id has
            (``error="invalid_client_id"``).
    """
    if not isinstance(client_id, str):
        raise wrong_type("client_id", "a string", client_id, "invalid_client_id")
    if not _CLIENT_ID.fullmatch(client_id):
        raise BillingInvalidRequest(
            "client_id cannot be used. Give one of visible ASCII characters and spaces.", error="invalid_client_id"
        )
    return client_id


def login_scopes(login: Mapping[str, Any]) -> frozenset[str]:
    """Return the scopes of a stored login; none where it has no access token."""
    token = secret_text(login.get("access_token"))
    return frozenset() if token is None else granted_scopes(login.get("scope"), token)


def token_end(login: Mapping[str, Any]) -> datetime | None:
    """Return when the access token of a stored login expires; None where it has none, or that is not known."""
    token = secret_text(login.get("access_token"))
    return None if token is None else utc(seconds_from_iso(login.get("expires_at")) or token_dates(token)[1])


def usable_token(login: Mapping[str, Any], rejected: Secret | None, now: float, seconds: float = 0) -> Secret | None:
    """Return the access token of a login if it is valid for ``seconds`` from now and was not rejected.

    A rejected token counts as usable shortly after a forced renewal: another would not help. One with characters that
    no token has never does.
    """
    token = secret_text(login.get("access_token"))
    if token is None or not is_token(token) or (token == rejected and not _was_just_forced(login, now)):
        return None
    return token if _seconds_left(login, token, now) > seconds else None


def is_alive(login: Mapping[str, Any], now: float) -> bool:
    """Whether a login has a token that is valid now, or one to renew it with."""
    refresh_token = secret_text(login.get("refresh_token"))
    return (refresh_token is not None and is_token(refresh_token)) or usable_token(login, None, now) is not None


def _was_just_forced(login: Mapping[str, Any], now: float) -> bool:
    forced_at = seconds_from_iso(login.get(FORCED_KEY))
    return forced_at is not None and abs(now - forced_at) < _FORCED_EVERY_SECONDS


def _seconds_left(login: Mapping[str, Any], token: Secret, now: float) -> float:
    """Return how long a token is valid. Where nothing says so, as long as the portal takes it."""
    issued_at, token_ends_at = token_dates(token)
    lifetime = _lifetime(login, token)
    ends_at, obtained_at = seconds_from_iso(login.get("expires_at")), seconds_from_iso(login.get("obtained_at"))
    if obtained_at is None and ends_at is not None and lifetime is not None:
        obtained_at = ends_at - lifetime
    if ends_at is None and obtained_at is not None and lifetime is not None:
        # By the clock of this machine, which may not be the portal's.
        ends_at = obtained_at + lifetime
    if obtained_at is not None and obtained_at > now + CLOCK_TOLERANCE:
        # The clock was set back, or a machine with another clock renewed the login. To renew it again would make the
        # two machines do so in turn, at every call.
        if issued_at is None or issued_at > now + CLOCK_TOLERANCE:
            return lifetime or inf
        ends_at = None
    ends_at = token_ends_at if ends_at is None else ends_at
    return inf if ends_at is None else ends_at - now


def secret_text(value: object) -> Secret | None:
    """Return a string or a secret without white space around it; None where it is blank or something else."""
    return (Secret(value).strip() or None) if isinstance(value, (str, Secret)) else None


def minimum_lifetime(login: Mapping[str, Any]) -> float:
    """Return below how many seconds of lifetime a token is renewed."""
    # At most half the lifetime: short-lived tokens must not be renewed at every call.
    token = secret_text(login.get("access_token"))
    return min(_REFRESH_SKEW, ((None if token is None else _lifetime(login, token)) or inf) / 2)


def _lifetime(login: Mapping[str, Any], token: Secret) -> float | None:
    """Return for how many seconds a token was issued: what the portal said, or else the token's own dates."""
    issued_at, ends_at = token_dates(token)
    own = None if issued_at is None or ends_at is None else ends_at - issued_at
    return positive_seconds(login.get("expires_in")) or positive_seconds(own)


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


def utc(seconds: float | None) -> datetime | None:
    """Return seconds since 1970 as a date; None where there are none, or no date holds them, or they are before."""
    try:
        return _EPOCH + timedelta(seconds=seconds) if seconds is not None and seconds >= 0 else None
    except OverflowError:
        return None
