"""Buy credits and wait until they are paid: `python examples/buy.py 50`. After a crash add the key, to continue.

Try it against the mock: start `python -m nous_billing.mock`, then run this with the variables that it prints.
"""

import os
import sys

from nous_billing import BillingClient, BillingError, StaticToken, format_usd, new_idempotency_key

amount = sys.argv[1]
# One key for the purchase that the person has just confirmed: whatever happens, the same key does not buy twice.
key = sys.argv[2] if len(sys.argv) > 2 else new_idempotency_key()
print(f"If this is interrupted, continue with: buy.py {amount} {key}", flush=True)

with BillingClient(StaticToken(os.environ["NOUS_TOKEN"])) as client:
    try:
        purchase = client.buy_credits(amount, idempotency_key=key, store="~/.nous-purchases")
    except BillingError as error:
        # A sentence for a person. If it is not known whether they were charged, it says so, and names the key.
        sys.exit(f"{error} {error.portal_url or ''}".rstrip())
    if purchase.status == "failed":
        sys.exit(f"Not paid: {purchase.reason}. Nothing was charged.")
    print(f"Paid {format_usd(purchase.amount_usd)}.")
    print(f"The balance is {format_usd(client.get_billing_state().balance_usd)}.")
