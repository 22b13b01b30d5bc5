"""Buy from the mock portal with the installed package. Run by check_wheel.py in a fresh environment."""

import sys
from decimal import Decimal
from pathlib import Path

import nous_billing
from nous_billing import BillingClient, ChargeSettled, StaticToken, new_idempotency_key
from nous_billing.mock import MockPortal

assert Path(nous_billing.__file__).is_relative_to(sys.prefix), nous_billing.__file__

portal = MockPortal()
with portal.serve() as url, BillingClient(StaticToken(portal.issue_token()), base_url=url) as client:
    accepted = client.post_charge(amount_usd="50", idempotency_key=new_idempotency_key())
    portal.clock.advance(5)
    outcome = client.wait_for_charge(accepted.charge_id)

assert isinstance(outcome, ChargeSettled), outcome
assert outcome.amount_usd == Decimal(50), outcome
assert len(portal.organisation.charges) == 1, portal.organisation.charges
print(f"The wheel with its mock bought ${outcome.amount_usd}.")
