"""The portal's operations as raw HTTP calls."""

import re

import httpx

from nous_billing.mock.openapi import load_document, operations
from tests.plain import NO_ROOTS

OPERATIONS = operations(load_document())


def ask(portal, path, *, method="GET", headers=None, **more):
    """The reply of a portal that is served for one request, with a token of its owner unless `headers` have another."""
    headers = {"Authorization": f"Bearer {portal.issue_token()}", **(headers or {})}
    with portal.serve() as url, httpx.Client(base_url=url, trust_env=False, verify=NO_ROOTS) as client:
        return client.request(method, path, headers=headers, **more)


class Api:
    """The billing operations as raw HTTP calls of one token."""

    def __init__(self, client, token):
        self.client = client
        self.token = token

    def _headers(self, token):
        return {"Authorization": f"Bearer {token or self.token}"}

    def each(self, operations=OPERATIONS, **headers):
        """The reply of each operation to a call whose parameters and body are wrong, as far as they can be."""
        for operation in operations:
            path = re.sub(r"\{\w+\}", "x", operation.path)
            yield self.client.request(operation.method, path, headers=headers or self._headers(None), content=b"{")

    def state(self, token=None):
        return self.client.get("/api/billing/state", headers=self._headers(token))

    def charge(self, amount="50", key="key-1", token=None):
        headers = {**self._headers(token), "Idempotency-Key": key, "Content-Type": "application/json"}
        return self.client.post("/api/billing/charge", headers=headers, content=f'{{"amountUsd": {amount}}}')

    def poll(self, charge_id, token=None):
        return self.client.get(f"/api/billing/charge/{charge_id}", headers=self._headers(token))

    def top_up(self, token=None, **body):
        body = body or {"enabled": True, "threshold": 20, "topUpAmount": 100}
        return self.client.patch("/api/billing/auto-top-up", headers=self._headers(token), json=body)

    def subscription(self, token=None):
        return self.client.get("/api/billing/subscription", headers=self._headers(token))

    def preview(self, tier, token=None):
        return self._subscribe("POST", "preview", {"subscriptionTypeId": tier}, token)

    def change(self, tier=None, token=None):
        """Another tier at the end of the period, or the end of the subscription."""
        body = {"type": "tier_change", "subscriptionTypeId": tier} if tier else {"type": "cancellation"}
        return self._subscribe("PUT", "pending-change", body, token)

    def undo(self, token=None):
        return self._subscribe("DELETE", "pending-change", None, token)

    def upgrade(self, tier, key="key-1", token=None):
        return self._subscribe("POST", "upgrade", {"subscriptionTypeId": tier}, token, **{"Idempotency-Key": key})

    def _subscribe(self, method, path, body, token, **headers):
        headers = {**self._headers(token), **headers}
        return self.client.request(method, f"/api/billing/subscription/{path}", headers=headers, json=body)

    def account(self):
        return self.client.get("/api/oauth/account", headers=self._headers(None))

    def refresh(self, refresh_token, **form):
        return self.client.post(
            "/api/oauth/token",
            data={"grant_type": "refresh_token", "client_id": "hermes-cli", **form},
            headers={"x-nous-refresh-token": refresh_token},
        )

    def device_code(self, **form):
        form = {"client_id": "hermes-cli", "scope": "inference:invoke billing:manage", **form}
        return self.client.post("/api/oauth/device/code", data=form)

    def poll_device(self, device_code, **form):
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
            "client_id": "hermes-cli",
            "device_code": device_code,
            **form,
        }
        return self.client.post("/api/oauth/token", data=form)
