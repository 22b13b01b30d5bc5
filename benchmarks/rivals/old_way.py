"""The old module's way: urllib, with a new connection and a new TLS context for each call.

It resolves the token once and keeps it, maps errors to its own classes, and has a timeout for each read.
"""

import json
import os
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

TIMEOUT = 15.0


class OldError(Exception):
    """A refusal, or no reply at all."""

    def __init__(self, message: str, status: int | None = None, payload: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.payload = payload or {}


class Rival:
    def __init__(self, base_url: str, token: str) -> None:
        self._base_url = (os.environ.get("NOUS_PORTAL_BASE_URL") or base_url).rstrip("/")
        self._token = token

    def poll(self, charge_id: str) -> str:
        return str(self._get(f"/api/billing/charge/{urllib.parse.quote(charge_id, safe='')}")["status"])

    def balance(self) -> str:
        return str(self._get("/api/billing/state")["balanceUsd"])

    def close(self) -> None:
        """Nothing is kept open."""

    def _get(self, path: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        request = urllib.request.Request(f"{self._base_url}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as reply:
                payload: dict[str, Any] = json.loads(reply.read().decode())
                return payload
        except urllib.error.HTTPError as error:
            raise OldError(f"refused ({error.code})", error.code, json.loads(error.read() or b"{}")) from error
        except urllib.error.URLError as error:
            raise OldError(f"not reached: {error.reason}") from error
