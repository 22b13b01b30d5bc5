"""This SDK, in tasks."""

from nous_billing import AsyncBillingClient, StaticToken


class Rival:
    def __init__(self, base_url: str, token: str) -> None:
        self._client = AsyncBillingClient(StaticToken(token), base_url=base_url, timeout=60)

    async def poll(self, charge_id: str) -> str:
        return (await self._client.get_charge_status(charge_id)).status

    async def aclose(self) -> None:
        await self._client.aclose()
