"""``http.client`` with a connection that is kept alive: the floor for Python. Checks nothing."""

import http.client
import json
import ssl
from urllib.parse import urlsplit


class Rival:
    def __init__(self, base_url: str, token: str) -> None:
        parts = urlsplit(base_url)
        self._connection = (
            http.client.HTTPSConnection(parts.netloc, timeout=15, context=ssl.create_default_context())
            if parts.scheme == "https"
            else http.client.HTTPConnection(parts.netloc, timeout=15)
        )
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}

    def poll(self, charge_id: str) -> str:
        return self._get(f"/api/billing/charge/{charge_id}", "status")

    def charge(self, key: str) -> str:
        headers = {**self._headers, "Content-Type": "application/json", "Idempotency-Key": key}
        self._connection.request("POST", "/api/billing/charge", b'{"amountUsd":50.25}', headers)
        return str(json.loads(self._connection.getresponse().read())["chargeId"])

    def balance(self) -> str:
        return self._get("/api/billing/state", "balanceUsd")

    def close(self) -> None:
        self._connection.close()

    def _get(self, path: str, key: str) -> str:
        self._connection.request("GET", path, headers=self._headers)
        return str(json.loads(self._connection.getresponse().read())[key])


class OneConnectionEach(Rival):
    """The same with a new connection for each charge."""

    def charge(self, key: str) -> str:
        self._connection.close()
        return super().charge(key)
