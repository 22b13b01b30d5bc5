"""A machine of a service: `python worker.py buy|resume URL_OF_PORTAL TOKEN URL_OF_DATABASE [KEY]`."""

import asyncio
import json
import sys

from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from nous_billing import AsyncBillingClient, BillingClient, Purchase, StaticToken
from nous_billing.sql import SqlPurchaseStore


def said(outcome):
    return [outcome.key, outcome.status] if isinstance(outcome, Purchase) else [type(outcome).__name__, str(outcome)]


def buy(portal, token, database, key):
    """Wait for a charge that does not end, and say so once it is accepted."""
    with BillingClient(StaticToken(token), base_url=portal) as client:
        client.buy_credits(
            50,
            idempotency_key=key,
            store=SqlPurchaseStore(create_engine(database)),
            on_progress=lambda progress: print(getattr(progress, "status", progress), flush=True),
        )


async def resume(portal, token, database):
    """Resume what is open, as soon as a line comes in, and say what was handed back."""
    store = SqlPurchaseStore(create_async_engine(database))
    async with AsyncBillingClient(StaticToken(token), base_url=portal) as client:
        print("ready", flush=True)
        sys.stdin.readline()
        print(json.dumps([said(outcome) for outcome in await client.resume_purchases(store, interval=0.1, cap=30)]))


if __name__ == "__main__":
    role, *arguments = sys.argv[1:]
    if role == "buy":
        buy(*arguments)
    else:
        asyncio.run(resume(*arguments))
