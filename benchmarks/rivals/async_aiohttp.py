"""aiohttp in tasks, with its own limit of 100 connections."""

import ssl

import aiohttp


class Rival:
    def __init__(self, base_url: str, token: str) -> None:
        self._session = aiohttp.ClientSession(
            base_url,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=aiohttp.ClientTimeout(60),
            connector=aiohttp.TCPConnector(limit=100, ssl=ssl.create_default_context(), keepalive_timeout=60),
        )

    async def poll(self, charge_id: str) -> str:
        async with self._session.get(f"/api/billing/charge/{charge_id}", raise_for_status=True) as reply:
            return str((await reply.json())["status"])

    async def aclose(self) -> None:
        await self._session.close()
