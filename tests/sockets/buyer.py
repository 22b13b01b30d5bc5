"""A program that buys: started by a test, told by lines on its standard input, interrupted or killed by the test.

Each line names the client and what `buy_credits` is given; what is heard and how it ends goes out as lines.
"""

import asyncio
import json
import signal
import sys

from nous_billing import AsyncBillingClient, BillingClient, BillingError, StaticToken


def say(**line):
    print(json.dumps(line), flush=True)


def hear(progress):
    say(heard="error" if isinstance(progress, BillingError) else progress.status)


def buy(order):
    arguments = {"idempotency_key": order["key"], "store": order["store"], "on_progress": hear, "interval": 0.1}
    if order["kind"] == "sync":
        with BillingClient(StaticToken(order["token"]), base_url=order["url"]) as client:
            return client.buy_credits(order["amount"], **arguments)

    async def main():
        async with AsyncBillingClient(StaticToken(order["token"]), base_url=order["url"]) as client:
            return await client.buy_credits(order["amount"], **arguments)

    return asyncio.run(main())


def main():
    # A shell starts what runs in the background without it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    say(heard="ready")
    for line in sys.stdin:
        try:
            purchase = buy(json.loads(line))
            say(ended=purchase.status, charge_id=purchase.charge_id)
        except (BillingError, KeyboardInterrupt) as error:
            say(
                ended=type(error).__name__,
                interrupt=isinstance(error, KeyboardInterrupt),
                charge_id=getattr(getattr(error, "uncertain", error), "charge_id", None),
                text=str(error),
            )


if __name__ == "__main__":
    main()
