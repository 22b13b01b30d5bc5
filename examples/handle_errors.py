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
    except nb.BillingScopeRequired:
        return "This login may not buy. Log in again and allow remote spending."
    except nb.BillingAuthError:
        return "Log in again."
    except nb.BillingMonthlyCapExceeded as error:
        left = "less" if error.remaining_usd is None else nb.format_usd(error.remaining_usd)
        return f"The monthly cap leaves {left}. An admin can raise it: {error.portal_url}"
    except nb.BillingNoPaymentMethod as error:
        return f"Set up a saved card: {error.portal_url}"
    except nb.BillingAccessDenied as error:
        # Role, kill-switch, consent, stopped spending, and what the portal will think of later.
        return f"{error} {error.portal_url or ''}".rstrip()
    except nb.BillingRateLimited as error:
        # Neither a refusal nor a failed payment.
        return f"{error} Wait {error.retry_after or 60} seconds."
    except nb.BillingInvalidRequest as error:
        return f"Mind the input: {error}"
    except nb.BillingIdempotencyConflict:
        return "A bug of this program: one key for two purchases."
    except nb.BillingError as error:
        # No reply, a failing portal, or a reply that is not the contract's.
        if error.outcome_unknown:
            return f"It is not known whether you were charged. Try again with the same key: {key}"
        return f"Nothing was charged. {error}"
    if isinstance(charge, nb.ChargeSettled):
        return f"Paid {nb.format_usd(charge.amount_usd)}."
    if charge.reason == "authentication_required":
        return "Nothing was charged: the bank wants to hear from you. Finish on the portal."
    return f"Nothing was charged: {charge.reason}."


if __name__ == "__main__":
    with nb.BillingClient(nb.StaticToken(os.environ["NOUS_TOKEN"])) as client:
        print(buy(client, sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else nb.new_idempotency_key()))
