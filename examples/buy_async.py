"""Buy credits for several purchases side by side: `python examples/buy_async.py 20 30`.

After a crash `resume.py` finds the open purchases. Try it against the mock: start `python -m nous_billing.mock`, then
run this with the variables that it prints.
"""

import asyncio
import os
import sys

from nous_billing import AsyncBillingClient, BillingError, StaticToken, format_usd, new_idempotency_key


async def buy(client: AsyncBillingClient, amount: str) -> None:
    # One key for each purchase: whatever happens, the same key does not buy twice.
    key = new_idempotency_key()
    try:
        purchase = await client.buy_credits(amount, idempotency_key=key, store="~/.nous-purchases")
        print(f"{amount}: {purchase.status}")
    except BillingError as error:
        print(f"{amount}: {error} {error.portal_url or ''}".rstrip())


async def main(amounts: list[str]) -> None:
    async with AsyncBillingClient(StaticToken(os.environ["NOUS_TOKEN"])) as client:
        async with asyncio.TaskGroup() as purchases:
            for amount in amounts:
                purchases.create_task(buy(client, amount))
        state = await client.get_billing_state()
    print(f"The balance is {format_usd(state.balance_usd)}.")


asyncio.run(main(sys.argv[1:]))
