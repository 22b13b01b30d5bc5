"""Configure auto-reload: `python examples/auto_reload.py 20 100` reloads to $100 when the balance falls below $20.

`off` switches it off and leaves its amounts as they are. Try it against the mock: start
`python -m nous_billing.mock`, then run this with the variables that it prints.
"""

import os
import sys

from nous_billing import BillingClient, StaticToken, format_usd

with BillingClient(StaticToken(os.environ["NOUS_TOKEN"])) as client:
    if sys.argv[1:] == ["off"]:
        client.patch_auto_top_up(enabled=False, threshold=None, top_up_amount=None)
    else:
        threshold, top_up_amount = sys.argv[1:]
        client.patch_auto_top_up(enabled=True, threshold=threshold, top_up_amount=top_up_amount)
    now = client.get_billing_state().auto_reload

if now is not None and now.threshold_usd is not None and now.reload_to_usd is not None:
    print(
        f"Auto-reload is {'on' if now.enabled else 'off'}: "
        f"below {format_usd(now.threshold_usd)}, to {format_usd(now.reload_to_usd)}."
    )
