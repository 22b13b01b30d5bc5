"""The portal's OAuth endpoints, without I/O: refresh with rotation, and device login (RFC 8628)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast
from urllib.parse import urlencode

from .._printable import printable_value
from .._secrets import Secret, SecretBytes, check_token, reveal
from ..clock import BaseClock
from ..errors import BillingAuthError, BillingNetworkError, BillingTimeout
from ..portal import portal_link
from ..protocol.caller import refuse_awaitable
from ..protocol.exchange import Flow, Send, pause_until
from ..protocol.operations import Operation
from ..protocol.replies import Failure, Reply, decode_json
from .tokens import granted_scopes, positive_seconds, secret_text

CLIENT_ID = "hermes-cli"
LOGIN_SCOPE = "inference:invoke"

_TOKEN_PATH = "/api/oauth/token"  # noqa: S105 - a path
_DEVICE_PATH = "/api/oauth/device/code"
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_FINAL = frozenset({"invalid_grant", "invalid_token", "refresh_token_reused"})
# Three requests, with the pauses, fit into the 60 s in which the portal accepts a replay.
_REQUEST_SECONDS = 10.0
_PAUSES_BEFORE_REPLAY = (1.0, 2.0)
_DEFAULT_INTERVAL = 5.0
_DEFAULT_CODE_LIFETIME = 600.0
_SLOW_DOWN = 5.0


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


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What a person needs to approve a login: a link to open, and the code to compare there.

    Attributes:
        user_code: To be shown.
        verification_uri: An absolute link to the page that asks for the code.
        verification_uri_complete: The same with the code in it, or None.
        expires_in: Seconds until the code expires.
    """

    user_code: str
    verification_uri: str
    verification_uri_complete: str | None
    expires_in: float


def refresh(base_url: str, client_id: str, refresh_token: Secret, clock: BaseClock) -> Flow[Tokens]:
    """Exchange a refresh token, which is single-use, for new tokens.

    Raises:
        BillingAuthError: The portal has ended the login.
        BillingNetworkError: Any other failure; the login may still be valid.
    """
    form = {"grant_type": "refresh_token", "client_id": client_id}
    headers = {"x-nous-refresh-token": refresh_token}
    pauses = iter(_PAUSES_BEFORE_REPLAY)
    while True:
        requested_at = clock.time()
        answer = yield from _post(base_url, _TOKEN_PATH, form, clock, headers)
        payload = _payload(answer)
        tokens = _tokens(payload, requested_at) if isinstance(answer, Reply) and answer.ok else None
        if tokens is not None:
            return tokens
        error = _error(payload)
        is_reuse = "reuse" in (_shown(payload.get("error_description")) or "").lower()
        if _is_refusal(answer) and (error in _FINAL or is_reuse):
            raise BillingAuthError(
                f"The portal has ended this login ({error}). Log in again.",
                status=401,
                error=error or "invalid_grant",
            )
        pause = next(pauses, None)
        if pause is None or not _may_be_spent(answer):
            raise _passing("The login could not be renewed right now", answer)
        # The portal may have rotated the pair. For a short time it answers a replay with the new one.
        yield from pause_until(clock.monotonic() + pause, clock, None)


def device_login(
    base_url: str,
    client_id: str,
    scope: str,
    on_code: Callable[[DeviceCode], object],
    cancelled: Callable[[], object] | None,
    clock: BaseClock,
) -> Flow[Tokens]:
    """Ask for a code, hand it to the person, and poll until it is approved.

    Raises:
        BillingAuthError: Refused, expired or cancelled (``error``: ``"access_denied"``, ``"expired_token"``,
            ``"login_cancelled"``, or the portal's own).
        BillingNetworkError: The portal gave no code.
    """
    answer = yield from _post(base_url, _DEVICE_PATH, {"client_id": client_id, "scope": scope}, clock)
    payload = _payload(answer)
    error = _error(payload)
    if error is not None and _is_refusal(answer):
        raise _refused(error)
    if isinstance(answer, Failure) or not answer.ok:
        raise _passing("The login could not be started", answer)
    device_code, code = _device_code(base_url, payload)
    ends_at = clock.monotonic() + code.expires_in
    interval = positive_seconds(payload.get("interval")) or _DEFAULT_INTERVAL

    def check_cancelled() -> None:
        asked = cancelled is not None and cancelled()
        _refuse_awaitable("cancelled", asked)
        if asked:
            raise BillingAuthError("The login was cancelled.", error="login_cancelled")

    check_cancelled()
    _refuse_awaitable("on_code", on_code(code))
    form: dict[str, str | Secret] = {"grant_type": _DEVICE_GRANT, "client_id": client_id, "device_code": device_code}
    while True:
        wake = min(clock.monotonic() + interval, ends_at)
        yield from pause_until(wake, clock, check_cancelled if cancelled else None)
        check_cancelled()
        if clock.monotonic() >= ends_at:
            raise _refused("expired_token")
        requested_at = clock.time()
        answer = yield from _post(base_url, _TOKEN_PATH, form, clock)
        payload = _payload(answer)
        if isinstance(answer, Reply) and answer.ok:
            tokens = _tokens(payload, requested_at)
            if tokens is not None:
                return tokens
        error = _error(payload)
        if error == "slow_down" or (isinstance(answer, Reply) and answer.status == 429):
            interval += _SLOW_DOWN
        elif error is not None and error != "authorization_pending" and _is_refusal(answer):
            raise _refused(error)


def _refuse_awaitable(name: str, answer: object) -> None:
    refuse_awaitable(name, answer, caller="login or step_up", instead="alogin or astep_up")


def _post(
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


def _payload(answer: Reply | Failure) -> Mapping[str, Any]:
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


def _tokens(payload: Mapping[str, Any], requested_at: float) -> Tokens | None:
    access_token = secret_text(payload.get("access_token"))
    if access_token is None:
        return None
    return Tokens(
        access_token=access_token,
        refresh_token=secret_text(payload.get("refresh_token")),
        requested_at=requested_at,
        expires_in=positive_seconds(payload.get("expires_in")),
        scope=printable_value(str(payload["scope"].reveal())) if isinstance(payload.get("scope"), Secret) else None,
        token_type=_shown(payload.get("token_type")) or "Bearer",
    )


def _device_code(base_url: str, payload: Mapping[str, Any]) -> tuple[Secret, DeviceCode]:
    device_code, user_code = secret_text(payload.get("device_code")), _shown(payload.get("user_code"))
    link = portal_link(base_url, reveal(payload.get("verification_uri")))
    if device_code is None or user_code is None or link is None:
        raise BillingNetworkError("The portal's login code is incomplete. Try again shortly.", error="network_error")
    return check_token(device_code, "portal's device code"), DeviceCode(
        user_code=user_code,
        verification_uri=link,
        verification_uri_complete=portal_link(base_url, reveal(payload.get("verification_uri_complete"))),
        expires_in=positive_seconds(payload.get("expires_in")) or _DEFAULT_CODE_LIFETIME,
    )


def _refused(error: str) -> BillingAuthError:
    sentences = {
        "access_denied": "The login was refused on the portal.",
        "expired_token": "The code expired before it was approved. Log in again.",
    }
    return BillingAuthError(sentences.get(error, f"The portal refused the login ({error})."), error=error)


def _passing(what: str, answer: Reply | Failure) -> BillingNetworkError:
    if isinstance(answer, Failure):
        error_class = BillingTimeout if answer.timed_out else BillingNetworkError
        return error_class(f"{what}: {answer.reason}. Try again shortly.", error="network_error")
    return BillingNetworkError(
        f"{what} (HTTP {answer.status}). Try again shortly.", status=answer.status, error="network_error"
    )


def _is_refusal(answer: Reply | Failure) -> bool:
    return isinstance(answer, Reply) and 400 <= answer.status < 500 and answer.status != 429


def _may_be_spent(answer: Reply | Failure) -> bool:
    if isinstance(answer, Failure):
        return answer.sent
    return answer.ok or answer.status in (500, 502, 504)


def _error(payload: Mapping[str, Any]) -> str | None:
    error = reveal(payload.get("error"))
    return None if error is None else printable_value(str(error))


def _shown(value: object) -> str | None:
    """Return what a person may see of a reply; None where it is blank or no text."""
    text = secret_text(value)
    return None if text is None else printable_value(str(text.reveal()))
