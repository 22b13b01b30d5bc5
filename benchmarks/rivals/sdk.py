"""This SDK."""

from nous_billing import BillingClient, StaticToken


class Rival:
    def __init__(self, base_url: str, token: str) -> None:
        self._client = BillingClient(StaticToken(token), base_url=base_url)

    def poll(self, charge_id: str) -> str:
        return self._client.get_charge_status(charge_id).status

    def charge(self, key: str) -> str:
        return self._client.post_charge(amount_usd="50.25", idempotency_key=key).charge_id

    def balance(self) -> str:
        return str(self._client.get_billing_state().balance_usd)

    def close(self) -> None:
        self._client.close()
