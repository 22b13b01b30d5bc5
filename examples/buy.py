"""Buy credits and wait until they are paid: `python examples/buy.py 50`, to go on after a crash with the key behind it.

Try it against the mock: start `python -m nous_billing.mock`, then run this with the variables that it prints.
"""

import os
import sys

from nous_billing import BillingClient, ChargeSettled, StaticToken, format_usd, new_idempotency_key

amount = sys.argv[1]
# One key for the purchase that the person has just confirmed, shown before anything is sent: whatever happens then, the
# same key does not buy twice.
key = sys.argv[2] if len(sys.argv) > 2 else new_idempotency_key()
print(f"If this is cut off, go on with: buy.py {amount} {key}", flush=True)

with BillingClient(StaticToken(os.environ["NOUS_TOKEN"])) as client:
    accepted = client.post_charge(amount_usd=amount, idempotency_key=key)
    print(f"Accepted as {accepted.charge_id}, waiting ...")
    charge = client.wait_for_charge(accepted.charge_id)
    if isinstance(charge, ChargeSettled):
        balance = client.get_billing_state().balance_usd
        print(f"Paid {format_usd(charge.amount_usd)}. The balance is {format_usd(balance)}.")
    else:
        sys.exit(f"Not paid: {charge.reason}. Nothing was charged.")
