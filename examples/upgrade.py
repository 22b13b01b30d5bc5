"""Upgrade a subscription: `python examples/upgrade.py` lists the tiers, with the id of one it says what that costs.

It prints the command that confirms the upgrade, which charges the card. Try it against the mock: start
`python -m nous_billing.mock`, then run this with the variables that it prints.
"""

import os
import sys
from decimal import Decimal

from nous_billing import BillingClient, BillingError, StaticToken, format_usd, new_idempotency_key


def show_tiers(client: BillingClient) -> None:
    for tier in client.get_subscription().tiers:
        mark = " (current)" if tier.is_current else ""
        print(f"{tier.tier_id}: {tier.name}, {format_usd(tier.dollars_per_month_display)} a month{mark}")


def quote(client: BillingClient, tier_id: str) -> None:
    preview = client.preview_subscription_change(tier_id)
    if preview.effect != "charge_now" or preview.amount_due_now_cents is None:
        sys.exit(preview.reason or "This is no upgrade.")
    print(f"{preview.target_tier_name} costs {format_usd(Decimal(preview.amount_due_now_cents) / 100)} now.")
    # One key for the upgrade that the person is about to confirm: whatever happens, the same key does not charge twice.
    print(f"To confirm: upgrade.py {tier_id} {new_idempotency_key()}")


def upgrade(client: BillingClient, tier_id: str, key: str) -> None:
    result = client.upgrade_subscription(tier_id, idempotency_key=key)
    if result.outcome_unknown:
        print("It is not known yet whether the upgrade was made. Looking ...", flush=True)
    elif result.status == "payment_failed":
        sys.exit(f"Not paid: {result.reason}. Nothing was charged. {result.recovery_url}")
    elif result.status == "requires_action":
        print(f"Confirm the payment: {result.recovery_url}", flush=True)
    current = client.wait_for_upgrade(tier_id, cap=30 if result.is_upgraded else 300).current
    print(f"The plan is {current.tier_name if current else tier_id}.")


with BillingClient(StaticToken(os.environ["NOUS_TOKEN"])) as client:
    try:
        match sys.argv[1:]:
            case [tier_id, key]:
                upgrade(client, tier_id, key)
            case [tier_id]:
                quote(client, tier_id)
            case _:
                show_tiers(client)
    except BillingError as error:
        # A sentence for a person. If it is not known whether they were charged, it says so: repeat the same command.
        sys.exit(f"{error} {error.portal_url or ''}".rstrip())
