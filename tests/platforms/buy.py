"""Buys with both clients and a store on disk, in a process that lacks what Windows lacks."""

import asyncio
import tempfile
import threading

from tests.platforms.as_windows import simulate


def main() -> None:
    simulate()
    from nous_billing import AsyncBillingClient, BillingClient, StaticToken
    from nous_billing.mock import MockPortal

    died = []
    threading.excepthook = lambda arguments: died.append(repr(arguments.exc_value))

    async def buy_async(store):
        async with AsyncBillingClient(StaticToken(token), base_url=url) as client:
            return await client.buy_credits("60.25", idempotency_key="second", store=store)

    portal = MockPortal(settle_after=0)
    with portal.serve() as url, tempfile.TemporaryDirectory() as store:
        token = portal.issue_token()
        for _ in range(2):
            with BillingClient(StaticToken(token), base_url=url) as client:
                print(client.buy_credits("50.25", idempotency_key="first", store=store).status)
        print(asyncio.run(buy_async(store)).status)
    print([str(charge.amount) for charge in portal.organisation.charges], died)


if __name__ == "__main__":
    main()
