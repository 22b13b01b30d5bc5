"""Read the billing state: the balance, the card, what may be bought.

Try it against the mock: start `python -m nous_billing.mock`, then run this with the variables that it prints.
"""

import os

from nous_billing import BillingClient, StaticToken, format_usd

with BillingClient(StaticToken(os.environ["NOUS_TOKEN"])) as client:
    state = client.get_billing_state()

print(f"{state.org.name}: {format_usd(state.balance_usd)}")
print(f"One charge: {format_usd(state.bounds.min_usd)} to {format_usd(state.bounds.max_usd)}")
print("Offered: " + ", ".join(format_usd(preset) for preset in state.charge_presets))
if state.card is not None:
    print(f"Card: {state.card.brand} {state.card.last4}".rstrip())
if state.monthly_cap is not None and state.monthly_cap.limit_usd is not None:
    left = state.monthly_cap.limit_usd - state.monthly_cap.spent_this_month_usd
    print(f"Left this month: {format_usd(left)}")
if not state.can_charge:
    print(f"You cannot buy here. See {state.portal_url}")
