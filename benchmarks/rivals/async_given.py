"""This SDK, in tasks, given a client of httpx that sends with aiohttp, with its limit of 100 connections."""

import ssl

import httpx
from httpx_aiohttp import HttpxAiohttpClient

from nous_billing import AsyncBillingClient, StaticToken


class Rival:
    def __init__(self, base_url: str, token: str) -> None:
        limits = httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=60)
        self._http = HttpxAiohttpClient(verify=ssl.create_default_context(), limits=limits)
        self._client = AsyncBillingClient(StaticToken(token), base_url=base_url, timeout=60, http_client=self._http)

    async def poll(self, charge_id: str) -> str:
        return (await self._client.get_charge_status(charge_id)).status

    async def aclose(self) -> None:
        await self._client.aclose()
        await self._http.aclose()
