"""Find out what became of purchases that were interrupted, and print what a person needs to decide about the rest.

It never buys anything. Try it against the mock: start `python -m nous_billing.mock --settle-after 60`, run `buy.py 50`
with the variables that it prints, end it with `kill -9`, then run this.
"""

import os

from nous_billing import BillingClient, BillingError, BillingPurchaseUncertain, StaticToken, format_usd

with BillingClient(StaticToken(os.environ["NOUS_TOKEN"])) as client:
    outcomes = client.resume_purchases("~/.nous-purchases")

for outcome in outcomes:
    if isinstance(outcome, BillingPurchaseUncertain):
        print(f"{outcome}\n  Look: {outcome.portal_url}\n  Continue: buy.py {outcome.amount_usd} {outcome.key}")
    elif isinstance(outcome, BillingError):
        # A purchase in the file that it names, which cannot be read.
        print(outcome)
    else:
        end = "paid" if outcome.status == "settled" else f"not charged ({outcome.reason})"
        print(f"{format_usd(outcome.amount_usd)} of {outcome.started_at:%Y-%m-%d %H:%M} UTC: {end}.")
if not outcomes:
    print("Nothing was left open.")
