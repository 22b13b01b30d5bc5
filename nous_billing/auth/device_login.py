"""Device login (RFC 8628), without I/O: a person approves a code on the portal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .._arguments import check_function, check_functions
from .._secrets import Secret, check_token, reveal
from ..clock import BaseClock
from ..errors import BillingAuthError, BillingNetworkError
from ..portal import portal_link
from ..protocol.caller import refuse_awaitable
from ..protocol.exchange import Flow, pause_until
from ..protocol.replies import Failure, Reply
from .backoff import wanted_pause
from .oauth import (
    TOKEN_PATH,
    Tokens,
    error_code,
    is_refusal,
    passing_error,
    post,
    read_payload,
    read_tokens,
    shown_text,
)
from .tokens import check_scope, positive_seconds, secret_text

_DEVICE_PATH = "/api/oauth/device/code"
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_DEFAULT_INTERVAL = 5.0
_SHORTEST_INTERVAL = 1.0
_DEFAULT_CODE_LIFETIME = 600.0
_SLOW_DOWN = 5.0


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


def check_callbacks(on_code: object, cancelled: object) -> None:
    """Check the functions that a caller gives to a device login.

    Raises:
        BillingInvalidRequest: One cannot be called (``error="invalid_on_code"``, ``"invalid_cancelled"``).
    """
    check_function(on_code, "on_code")
    check_functions(cancelled=cancelled)


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
        BillingInvalidRequest: The scope cannot be used (``error="invalid_scope"``).
    """
    form: dict[str, str | Secret] = {"client_id": client_id, "scope": check_scope(scope)}
    answer = yield from post(base_url, _DEVICE_PATH, form, clock)
    payload = read_payload(answer)
    error = error_code(payload)
    if error is not None and is_refusal(answer):
        raise _refused(error)
    if isinstance(answer, Failure) or not answer.ok:
        raise passing_error("The login could not be started", answer, wanted_pause(answer))
    device_code, code = _device_code(base_url, payload)
    ends_at = clock.monotonic() + code.expires_in
    interval = max(positive_seconds(payload.get("interval")) or _DEFAULT_INTERVAL, _SHORTEST_INTERVAL)

    def check_cancelled() -> None:
        asked = cancelled is not None and cancelled()
        _refuse_awaitable("cancelled", asked)
        if asked:
            raise BillingAuthError("The login was cancelled.", error="login_cancelled")

    check_cancelled()
    _refuse_awaitable("on_code", on_code(code))
    form = {"grant_type": _DEVICE_GRANT, "client_id": client_id, "device_code": device_code}
    wanted: int | None = None
    while True:
        wake = min(clock.monotonic() + max(interval, wanted or 0), ends_at)
        yield from pause_until(wake, clock, check_cancelled if cancelled else None)
        check_cancelled()
        if clock.monotonic() >= ends_at:
            raise _refused("expired_token")
        requested_at = clock.time()
        answer = yield from post(base_url, TOKEN_PATH, form, clock)
        wanted = wanted_pause(answer)
        payload = read_payload(answer)
        if isinstance(answer, Reply) and answer.ok:
            tokens = read_tokens(payload, requested_at)
            if tokens is not None:
                return tokens
        error = error_code(payload)
        if error == "slow_down" or (isinstance(answer, Reply) and answer.status == 429):
            interval += _SLOW_DOWN
        elif error is not None and error != "authorization_pending" and is_refusal(answer):
            raise _refused(error)


def _refuse_awaitable(name: str, answer: object) -> None:
    refuse_awaitable(name, answer, caller="login or step_up", instead="alogin or astep_up")


def _device_code(base_url: str, payload: Mapping[str, Any]) -> tuple[Secret, DeviceCode]:
    device_code, user_code = secret_text(payload.get("device_code")), shown_text(payload.get("user_code"))
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
