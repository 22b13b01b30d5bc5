"""Buy credits, and tell a person what they have to know, however it ends.

`python examples/handle_errors.py 50`, or with the key of an earlier try after the amount. Try it against the mock:
start `python -m nous_billing.mock --card 9995`, then run this with the variables that it prints.
"""

import os
import sys

import nous_billing as nb

REASONS = {
    "authentication_required": "the bank wants to hear from you. Confirm the card on the portal",
    "card_declined": "the card was declined",
    "payment_method_expired": "the card has expired",
    "processing_error": "the payment could not be processed",
}


def told(outcome: nb.Purchase | nb.BillingError) -> str:
    """Return what to tell a person. Only in the second case it is not known whether they were charged."""
    match outcome:
        case nb.Purchase(status="settled"):
            return f"Paid {nb.format_usd(outcome.amount_usd)}."
        case nb.BillingError(outcome_unknown=True):
            # First, whatever the error is: a new key could buy twice.
            return f"{outcome} {outcome.portal_url or ''}".rstrip()
        case nb.Purchase():
            reason = REASONS.get(outcome.reason or "", outcome.reason)
            return f"Nothing was charged: {reason}. To try again is a new purchase. {outcome.portal_base_url}/billing"
        case nb.BillingMonthlyCapExceeded(remaining_usd=left) if left is not None:
            advice = f"The monthly cap leaves {nb.format_usd(left)}. An admin can raise it:"
        case nb.BillingNoPaymentMethod():
            # Not "you have no card": the last purchase may have been made with one that was not saved.
            advice = "No card is saved for further purchases. Save one:"
        case nb.BillingRateLimited():
            # Neither a refusal nor a failed payment.
            advice = f"{outcome} Wait {outcome.retry_after or 60} seconds."
        case nb.BillingAuthError():
            advice = f"{outcome} Log in again."
        case nb.BillingIdempotencyConflict():
            return str(outcome)
        case _:
            advice = str(outcome)
    return f"Nothing was charged. {advice} {outcome.portal_url or ''}".rstrip()


def buy(client: nb.BillingClient, amount: str, key: str) -> nb.Purchase | nb.BillingError:
    try:
        return client.buy_credits(amount, idempotency_key=key, store="~/.nous-purchases", cap=60)
    except nb.BillingError as error:
        return error


if __name__ == "__main__":
    with nb.BillingClient(nb.StaticToken(os.environ["NOUS_TOKEN"])) as client:
        print(told(buy(client, sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else nb.new_idempotency_key())))
