"""Going on with the purchases that were left open, as far as that cannot make a charge."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import BillingPurchaseStoreError, BillingPurchaseUncertain
from ..protocol.exchange import Flow
from .buying import Buying
from .purchase import Purchase
from .store_access import AnyStore, load_open_purchases

Outcome = Purchase | BillingPurchaseUncertain | BillingPurchaseStoreError
"""What became of a purchase that was left open."""


def resume(
    store: AnyStore, organisation_id: str | None, buying: Callable[[Purchase, int], Buying]
) -> Flow[list[Outcome]]:
    """Go on with every purchase of a store that has not ended, as far as that cannot make a charge.

    Args:
        organisation_id: Leave out the purchases of other organisations; None for none.
        buying: Makes the call for a purchase, of which so many are left, this one among them.
    """
    found, unread = yield from load_open_purchases(store)
    purchases = [each for each in found if organisation_id is None or each.organisation_id in ("", organisation_id)]
    outcomes: list[Outcome] = []
    for number, purchase in enumerate(purchases):
        try:
            outcomes.append((yield from buying(purchase, len(purchases) - number).watch()))
        except BillingPurchaseUncertain as error:
            outcomes.append(error)
    return [*outcomes, *unread]
