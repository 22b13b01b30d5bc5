"""httpx used directly, with care: one client, one TLS context, connections that outlive the pause between two polls."""

import ssl

import httpx


class Rival:
    def __init__(self, base_url: str, token: str) -> None:
        self._http = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=60,  # A thousand threads at once take longer than one call may.
            verify=ssl.create_default_context(),
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=60),
        )

    def poll(self, charge_id: str) -> str:
        reply = self._http.get(f"/api/billing/charge/{charge_id}")
        return str(reply.raise_for_status().json()["status"])

    def balance(self) -> str:
        return str(self._http.get("/api/billing/state").raise_for_status().json()["balanceUsd"])

    def close(self) -> None:
        self._http.close()
