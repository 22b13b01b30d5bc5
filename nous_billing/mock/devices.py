"""Devices that wait for a person to approve their login (RFC 8628)."""

import math
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from .clock import MockClock
from .ids import Ids
from .oauth_form import OAuthError
from .tokens import Session

LIFETIME = 600.0
INTERVAL = 5
# The client's timer and this clock may differ.
_SLACK = 0.1


@dataclass(eq=False)
class Device:
    """A device that asked for a login. `answer` is a session once it is approved."""

    user_code: str
    scope: str
    expires_at: float
    polled_at: float | None = None
    answer: Literal["pending", "denied", "used"] | Session = "pending"


class Devices:
    """The device codes that were issued, and what the person in the browser decided."""

    def __init__(self, clock: MockClock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids
        self._devices: dict[str, Device] = {}

    def start(self, scope: str, page: str) -> dict[str, Any]:
        """Issue a code. `page` is where the person enters it."""
        device_code, user_code = self._ids.new("deviceCode"), self._ids.new("userCode")
        self._devices[device_code] = Device(user_code, scope, self._clock.now() + LIFETIME)
        return {
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={quote(user_code)}",
            "expires_in": int(LIFETIME),
            "interval": INTERVAL,
        }

    def find(self, user_code: str) -> Device | None:
        """The last device with this code, whatever became of it."""
        return next((each for each in reversed(self._devices.values()) if each.user_code == user_code), None)

    def waiting(self) -> list[Device]:
        """The devices that a person may still approve."""
        now = self._clock.now()
        return [each for each in self._devices.values() if each.answer == "pending" and now < each.expires_at]

    def requested_scope(self, user_code: str) -> str:
        """The scope that a waiting device asked for."""
        return self._waiting(user_code).scope

    def answer(self, user_code: str, answer: Literal["denied"] | Session) -> None:
        """Approve a waiting device with a session, or deny it."""
        self._waiting(user_code).answer = answer

    def poll(self, device_code: str) -> Session:
        """The session of an approved device, once. Raises OAuthError. An early poll does not delay the next one."""
        device = self._devices.get(device_code)
        if device is None or device.answer == "used":
            raise OAuthError("invalid_grant", "The device code is not one of this portal, or was used.")
        now = self._clock.now()
        wait = 0.0 if device.polled_at is None else device.polled_at + INTERVAL - now
        if wait > _SLACK:
            headers = {"Retry-After": str(math.ceil(wait))}
            raise OAuthError("slow_down", f"Poll every {INTERVAL} seconds.", 429, headers)
        device.polled_at = now
        if device.answer == "denied":
            raise OAuthError("access_denied", "The person declined.")
        if now >= device.expires_at:
            raise OAuthError("expired_token", "The device code has expired.")
        if device.answer == "pending":
            raise OAuthError("authorization_pending", "The person has not decided yet.")
        session, device.answer = device.answer, "used"
        return session

    def _waiting(self, user_code: str) -> Device:
        for device in self.waiting():
            if device.user_code == user_code:
                return device
        raise LookupError(f"No device waits with the code {user_code}.")
