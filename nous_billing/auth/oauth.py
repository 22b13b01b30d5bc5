"""The portal's OAuth endpoints, without I/O: requests, what their replies say, and refresh with rotation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast
from urllib.parse import urlencode

from .._printable import printable_value
from .._secrets import Secret, SecretBytes, reveal
from ..clock import BaseClock
from ..errors import BillingAuthError, BillingNetworkError, BillingTimeout
from ..protocol.exchange import Flow, Send, pause_until
from ..protocol.operations import Operation
from ..protocol.replies import MAX_REPLY_BYTES, Failure, Reply, decode_json
from .backoff import pause_after, wanted_pause
from .tokens import granted_scopes, positive_seconds, secret_text

CLIENT_ID = "hermes-cli"
LOGIN_SCOPE = "inference:invoke"

TOKEN_PATH = "/api/oauth/token"  # noqa: S105 - a path
_FINAL = frozenset({"invalid_grant", "invalid_token", "refresh_token_reused"})
# Three requests, with the pauses, fit into the 60 s in which the portal accepts a replay.
_REQUEST_SECONDS = 10.0
_PAUSES_BEFORE_REPLAY = (1.0, 2.0)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the token endpoint hands out. ``requested_at`` is in seconds since 1970, before the request was sent."""

    access_token: Secret
    refresh_token: Secret | None
    requested_at: float
    expires_in: float | None
    scope: str | None
    token_type: str

    @property
    def granted_scopes(self) -> frozenset[str]:
        """The scopes that the reply names, or else the token's own claim."""
        return granted_scopes(self.scope, self.access_token)


def refresh(base_url: str, client_id: str, refresh_token: Secret, clock: BaseClock, failures: int = 0) -> Flow[Tokens]:
    """Exchange a refresh token, which is single-use, for new tokens.

    Args:
        failures: How many renewals of this login in a row failed before.

    Raises:
        BillingAuthError: The portal has ended the login.
        BillingNetworkError: Any other failure; the login may still be valid. ``retry_after`` says when to try again.
    """
    form = {"grant_type": "refresh_token", "client_id": client_id}
    headers = {"x-nous-refresh-token": refresh_token}
    pauses = iter(_PAUSES_BEFORE_REPLAY)
    while True:
        requested_at = clock.time()
        answer = yield from post(base_url, TOKEN_PATH, form, clock, headers)
        payload = read_payload(answer)
        tokens = read_tokens(payload, requested_at) if isinstance(answer, Reply) and answer.ok else None
        if tokens is not None:
            return tokens
        error = error_code(payload)
        is_reuse = "reuse" in str(reveal(payload.get("error_description"))).lower()
        if is_refusal(answer) and (error in _FINAL or is_reuse):
            code = error or "invalid_grant"
            raise BillingAuthError(
                f"The portal has ended this login ({code}). Log in again.",
                status=401,
                error=code,
                headers=answer.headers if isinstance(answer, Reply) else None,
            )
        pause = next(pauses, None)
        # A portal that asks for a longer pause is not asked again within it, although the grace for a replay may end.
        is_too_early = pause is not None and (wanted_pause(answer) or 0) > pause
        if pause is None or is_too_early or not _may_be_spent(answer, error):
            raise passing_error("The login could not be renewed right now", answer, pause_after(answer, failures))
        # The portal may have rotated the pair. For a short time it answers a replay with the new one.
        yield from pause_until(clock.monotonic() + pause, clock, None)


def post(
    base_url: str,
    path: str,
    form: Mapping[str, str | Secret],
    clock: BaseClock,
    headers: Mapping[str, str | Secret] | None = None,
) -> Flow[Reply | Failure]:
    operation: Operation[None] = Operation(
        method="POST",
        path=path,
        headers={"Content-Type": "application/x-www-form-urlencoded", **(headers or {})},
        body=SecretBytes(urlencode({key: reveal(value) for key, value in form.items()}).encode()),
        result=None,
    )
    return (yield from Send(operation, base_url, None, clock.monotonic() + _REQUEST_SECONDS))


def read_payload(answer: Reply | Failure) -> Mapping[str, Any]:
    try:
        payload = decode_json(answer.body) if isinstance(answer, Reply) else None
    except ValueError:
        return {}
    # Every string is a Secret: a traceback may show the variables of the frames that hold it.
    items = cast("dict[str, Any]", payload) if isinstance(payload, dict) else {}
    return {
        key: Secret(value) if isinstance(value, str) else value
        for key, value in items.items()
        if isinstance(value, (str, int, float, Decimal))
    }


def read_tokens(payload: Mapping[str, Any], requested_at: float) -> Tokens | None:
    access_token = secret_text(payload.get("access_token"))
    if access_token is None:
        return None
    return Tokens(
        access_token=access_token,
        refresh_token=secret_text(payload.get("refresh_token")),
        requested_at=requested_at,
        expires_in=positive_seconds(payload.get("expires_in")),
        scope=_scope(payload.get("scope")),
        token_type=shown_text(payload.get("token_type")) or "Bearer",
    )


def passing_error(what: str, answer: Reply | Failure, pause: int | None) -> BillingNetworkError:
    advice = "Try again shortly." if pause is None else f"Try again in {pause} s."
    if isinstance(answer, Failure):
        error_class = BillingTimeout if answer.timed_out else BillingNetworkError
        return error_class(f"{what}: {answer.reason}. {advice}", error="network_error", retry_after=pause)
    return BillingNetworkError(
        f"{what} (HTTP {answer.status}). {advice}",
        status=answer.status,
        error="network_error",
        retry_after=pause,
        headers=answer.headers,
    )


def is_refusal(answer: Reply | Failure) -> bool:
    """Whether an ``error`` in the body is the portal's own decision. Some servers send it with status 200."""
    return isinstance(answer, Reply) and (answer.ok or (400 <= answer.status < 500 and answer.status != 429))


def _may_be_spent(answer: Reply | Failure, error: str | None) -> bool:
    if isinstance(answer, Failure):
        return answer.sent
    return (answer.ok and error is None) or answer.status in (500, 502, 504)


def _scope(value: object) -> str | None:
    # Whole: the last scope may be the one that counts.
    return printable_value(str(value.reveal()), MAX_REPLY_BYTES) if isinstance(value, Secret) else None


def error_code(payload: Mapping[str, Any]) -> str | None:
    error = reveal(payload.get("error"))
    return None if error is None else printable_value(str(error))


def shown_text(value: object) -> str | None:
    """Return what a person may see of a reply; None where it is blank or no text."""
    text = secret_text(value)
    return None if text is None else printable_value(str(text.reveal()))
