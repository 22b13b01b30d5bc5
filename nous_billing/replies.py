"""How a reply of the portal is read: one JSON decode, and every refusal as its typed error."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC
from decimal import Context, Decimal, InvalidOperation, localcontext
from math import ceil
from typing import Any, NoReturn

from . import errors
from .errors import BillingError
from .money import parse_usd
from .portal import portal_link

MAX_REPLY_BYTES = 1024 * 1024

_STRICT = Context(traps=[InvalidOperation])


@dataclass(frozen=True, slots=True)
class Failure:
    """The transport could not bring a whole reply.

    Attributes:
        reason: What happened, as the end of a sentence.
        sent: Whether the request may have reached the portal.
        timed_out: Whether the deadline passed.
        stale: Whether a kept-alive connection turned out to be dead.
        cause: The transport's own exception, or None.
    """

    reason: str
    sent: bool
    timed_out: bool = False
    stale: bool = False
    cause: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, perhaps with a body that could not be read.

    Attributes:
        headers: By lower-case name.
        received_at: Seconds since 1970, for ``Retry-After`` dates.
        failure: What broke the body off, or None.
        unreadable: Why the body was not read (too large, compressed), or None.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    received_at: float
    failure: Failure | None = None
    unreadable: str | None = None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


UNKNOWN_OUTCOME = " The charge may have been made: try again with the same idempotency key, never a new one."

_FAILS_CLOSED = frozenset({"temporarily_unavailable", "stripe_unavailable"})

# What the portal says wins; these stand in where it says nothing.
_MESSAGES = {
    "invalid_token": "The portal does not accept the login. Log in again.",
    "session_revoked": "This login was ended. Log in again.",
    "insufficient_scope": "This login may not manage billing. Step up: log in again and allow remote spending.",
    "remote_spending_revoked": "The spending of this terminal was stopped. Connect it again on the portal.",
    "role_required": "Only an admin of the organisation can do this. Ask one.",
    "org_access_denied": "This login is not bound to an organisation that it may manage. Log in again and choose one.",
    "cli_billing_disabled": "Billing from a terminal is switched off here. An admin can allow it on the portal.",
    "no_payment_method": "No saved card can be used again. Set up a saved card on the portal.",
    "monthly_cap_exceeded": "This would exceed the organisation's monthly cap. An admin can raise it on the portal.",
    "consent_required": "The card has to be confirmed once on the portal.",
    "validation_failed": "The portal refused the request as invalid.",
    "amount_out_of_bounds": "The amount is outside what one charge may be. See the bounds of the billing state.",
    "idempotency_key_required": "A charge needs an idempotency key.",
    "idempotency_conflict": "This idempotency key was already used for another amount. Make one key for each purchase.",
    "rate_limited": "Too many charges in the last hour. Try again later. Nothing failed.",
    "temporarily_unavailable": "The portal cannot check the purchase just now. Try again shortly. Nothing was charged.",
    "stripe_unavailable": "The payment processor is down. Try again shortly. Nothing was charged.",
}
_FORBIDDEN: dict[str, type[BillingError]] = {
    "insufficient_scope": errors.BillingScopeRequired,
    "remote_spending_revoked": errors.BillingRemoteSpendingRevoked,
    "role_required": errors.BillingRoleRequired,
    "cli_billing_disabled": errors.BillingDisabled,
    "no_payment_method": errors.BillingNoPaymentMethod,
    "monthly_cap_exceeded": errors.BillingMonthlyCapExceeded,
    "consent_required": errors.BillingConsentRequired,
}


def decode_json(body: bytes) -> Any:
    """Decode one JSON document without a float in it.

    Raises:
        ValueError: It is no JSON in UTF-8, or nested or long beyond reason.
    """
    try:
        # A byte order mark is no reason to lose a charge id.
        return json.loads(body.decode("utf-8-sig"), parse_float=_decimal, parse_constant=_refuse_constant)
    except (RecursionError, InvalidOperation) as error:
        raise ValueError("JSON beyond reason") from error


def _decimal(text: str) -> Decimal:
    # In the caller's own context a number beyond reason may become a NaN without a word.
    with localcontext(_STRICT):
        return Decimal(text)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def error_from_reply(reply: Reply, base_url: str, *, is_charge: bool) -> BillingError:
    """Return the typed error for a reply that is no success: by its status first, then by its code."""
    payload = _refusal_payload(reply)
    code = _text(payload, "error")
    error_class = _error_class(reply.status, code)
    if error_class is errors.BillingResponseError:
        code = code or "endpoint_unavailable"
    unknown = is_charge and _may_have_charged(reply.status, code)
    message = _text(payload, "message") or _default_message(reply, code)
    error = error_class(
        f"{message}{UNKNOWN_OUTCOME}" if unknown else message,
        status=reply.status,
        error=code,
        portal_url=portal_link(base_url, payload.get("portalUrl")),
        retry_after=_retry_after(reply),
        payload=payload,
        outcome_unknown=unknown,
    )
    if isinstance(error, errors.BillingMonthlyCapExceeded):
        with suppress(KeyError, BillingError):
            error.remaining_usd = parse_usd(payload["remainingUsd"])
        ceiling = payload.get("isDefaultCeiling")
        error.is_default_ceiling = ceiling if isinstance(ceiling, bool) else None
    return error


def _error_class(status: int, code: str | None) -> type[BillingError]:
    match status:
        case 400:
            return errors.BillingInvalidRequest
        case 401:
            return errors.BillingSessionRevoked if code == "session_revoked" else errors.BillingAuthError
        case 403:
            return _FORBIDDEN.get(code or "", errors.BillingAccessDenied)
        case 409:
            return errors.BillingIdempotencyConflict
        case 429:
            return errors.BillingRateLimited
        case 503:
            return errors.BillingStripeUnavailable if code == "stripe_unavailable" else errors.BillingRateLimited
        case _:
            return errors.BillingServerError if status >= 500 else errors.BillingResponseError


def _may_have_charged(status: int, code: str | None) -> bool:
    # The portal's own 503 fails closed. Any other is a proxy's, which may have lost the reply of a charge that was
    # made. A redirect says nothing of what happened before it.
    return status < 400 or (status >= 500 and not (status == 503 and code in _FAILS_CLOSED))


def _default_message(reply: Reply, code: str | None) -> str:
    if code in _MESSAGES:
        return _MESSAGES[code]
    status = reply.status
    if 300 <= status < 400:
        return f"The portal's address answers with a redirect ({status}), which is not followed. Check the base URL."
    if code == "endpoint_unavailable":
        return f"There is no billing at this address (HTTP {status}). Check the base URL."
    if status >= 500:
        return f"The portal is failing (HTTP {status}). Try again shortly."
    return f"The portal refused the request ({code or f'HTTP {status}'})."


def _refusal_payload(reply: Reply) -> dict[str, Any]:
    try:
        payload = decode_json(reply.body)
    except ValueError:
        return {}
    return payload if isinstance(payload, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def _text(payload: Mapping[str, Any], key: str) -> str | None:
    value = payload.get(key)
    return value if isinstance(value, str) and value.strip() else None


def _retry_after(reply: Reply) -> int | None:
    """Read ``Retry-After``, seconds or an HTTP date, as whole seconds from now; None where it is neither."""
    value = reply.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return int(value)
    from email.utils import parsedate_to_datetime  # Loads much of the email package; a date is rare.

    try:
        date = parsedate_to_datetime(value)
        # Of the three forms of an HTTP date the oldest names no zone; all are in UTC.
        seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - reply.received_at
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max(0, ceil(seconds))
