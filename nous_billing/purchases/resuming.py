"""Going on with the purchases that were left open, as far as that cannot make a charge."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import BillingPurchaseStoreError, BillingPurchaseUncertain
from ..protocol.exchange import Flow
from .buying import Buying
from .purchase import Purchase, PurchaseStore
from .record import open_purchases

Outcome = Purchase | BillingPurchaseUncertain | BillingPurchaseStoreError
"""What became of a purchase that was left open."""


def resume(store: PurchaseStore, buying: Callable[[Purchase, int], Buying]) -> Flow[list[Outcome]]:
    """Go on with every purchase of a store that has not ended, as far as that cannot make a charge.

    Args:
        buying: Makes the call for a purchase, of which so many are left, this one among them.
    """
    purchases, unread = yield from open_purchases(store)
    outcomes: list[Outcome] = []
    for number, purchase in enumerate(purchases):
        try:
            outcomes.append((yield from buying(purchase, len(purchases) - number).watch()))
        except BillingPurchaseUncertain as error:
            outcomes.append(error)
    return outcomes if unread is None else [*outcomes, unread]
