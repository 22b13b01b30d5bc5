"""Buy credits for several purchases side by side: `python examples/buy_async.py 20 30`.

Try it against the mock: start `python -m nous_billing.mock`, then run this with the variables that it prints.
"""

import asyncio
import os
import sys

from nous_billing import AsyncBillingClient, StaticToken, format_usd, new_idempotency_key


async def buy(client: AsyncBillingClient, amount: str) -> None:
    # One key for each purchase, shown before anything is sent: the same key does not buy twice.
    key = new_idempotency_key()
    print(f"{amount}: the key is {key}")
    accepted = await client.post_charge(amount_usd=amount, idempotency_key=key)
    charge = await client.wait_for_charge(accepted.charge_id)
    print(f"{amount}: {charge.status}")


async def main(amounts: list[str]) -> None:
    async with AsyncBillingClient(StaticToken(os.environ["NOUS_TOKEN"])) as client:
        async with asyncio.TaskGroup() as purchases:
            for amount in amounts:
                purchases.create_task(buy(client, amount))
        state = await client.get_billing_state()
    print(f"The balance is {format_usd(state.balance_usd)}.")


asyncio.run(main(sys.argv[1:]))
