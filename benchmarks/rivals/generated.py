"""The generated client used directly: one client, one TLS context."""

import ssl

import httpx
from nous_portal_api.api.billing import get_billing_state, get_charge_status
from nous_portal_api.client import AuthenticatedClient
from nous_portal_api.models import BillingState, ChargePending


class Rival:
    def __init__(self, base_url: str, token: str) -> None:
        self._client = AuthenticatedClient(
            base_url=base_url, token=token, timeout=httpx.Timeout(15), verify_ssl=ssl.create_default_context()
        )

    def poll(self, charge_id: str) -> str:
        status = get_charge_status.sync(charge_id, client=self._client)
        return str(status.status) if isinstance(status, ChargePending) else "settled"

    def balance(self) -> str:
        state = get_billing_state.sync(client=self._client)
        assert isinstance(state, BillingState)
        return state.balance_usd

    def close(self) -> None:
        self._client.get_httpx_client().close()
