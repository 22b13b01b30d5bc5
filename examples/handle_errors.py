"""Buy credits, and say of every way in which it can end what a person has to know.

`python examples/handle_errors.py 50`, or with the key of an earlier try behind the amount. Try it against the mock:
start `python -m nous_billing.mock --card 9995`, then run this with the variables that it prints.
"""

import os
import sys

import nous_billing as nb


def buy(client: nb.BillingClient, amount: str, key: str) -> str:
    try:
        accepted = client.post_charge(amount_usd=amount, idempotency_key=key)
        charge = client.wait_for_charge(accepted.charge_id, cap=60)
    except nb.BillingChargeUnsettled as error:
        # Timeout, lost access or cancelled: the charge itself may well succeed.
        return f"Charge {error.charge_id} was accepted; how it ends is not known yet. Ask for it again later."
    except nb.BillingError as error:
        if error.outcome_unknown:
            # Before all else, whatever the error is: a new key could buy twice.
            return f"It is not known whether you were charged. Try again with the same key: {key}"
        return f"Nothing was charged. {advice(error)}"
    if isinstance(charge, nb.ChargeSettled):
        return f"Paid {nb.format_usd(charge.amount_usd)}."
    if charge.reason == "authentication_required":
        return "Nothing was charged: the bank wants to hear from you. Finish on the portal."
    return f"Nothing was charged: {charge.reason}."


def advice(error: nb.BillingError) -> str:
    match error:
        case nb.BillingScopeRequired():
            return "This login may not buy. Log in again and allow remote spending."
        case nb.BillingAuthError():
            return "Log in again."
        case nb.BillingMonthlyCapExceeded():
            left = "less" if error.remaining_usd is None else nb.format_usd(error.remaining_usd)
            return f"The monthly cap leaves {left}. An admin can raise it: {error.portal_url}"
        case nb.BillingNoPaymentMethod():
            return f"Set up a saved card: {error.portal_url}"
        case nb.BillingAccessDenied():
            # Role, kill-switch, consent, stopped spending, and what the portal will think of later.
            return f"{error} {error.portal_url or ''}".rstrip()
        case nb.BillingRateLimited():
            # Neither a refusal nor a failed payment.
            return f"{error} Wait {error.retry_after or 60} seconds."
        case nb.BillingInvalidRequest():
            return f"Mind the input: {error}"
        case nb.BillingIdempotencyConflict():
            return "A bug of this program: one key for two purchases."
        case _:
            # The portal was not reached, its reply was not the contract's, or a login could not be saved.
            return str(error)


if __name__ == "__main__":
    with nb.BillingClient(nb.StaticToken(os.environ["NOUS_TOKEN"])) as client:
        print(buy(client, sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else nb.new_idempotency_key()))
