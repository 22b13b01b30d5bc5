"""Resumes the purchases that were left open, without ever making a charge."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import BillingPurchaseStoreError, BillingPurchaseUncertain
from ..protocol.exchange import Flow
from .buying import Buying
from .purchase import Purchase
from .store_access import AnyStore, load_open_purchases

Outcome = Purchase | BillingPurchaseUncertain | BillingPurchaseStoreError
"""The outcome of a purchase that was left open."""


def resume(
    store: AnyStore, organisation_id: str | None, buying: Callable[[Purchase, int], Buying]
) -> Flow[list[Outcome]]:
    """Resume every open purchase of a store, without ever making a charge.

    Args:
        organisation_id: Resume only the purchases of this organisation. None: all.
        buying: Makes the call for a purchase. Its second argument counts the purchases left, this one included.
    """
    found, unread = yield from load_open_purchases(store)
    purchases = [each for each in found if organisation_id is None or each.organisation_id in ("", organisation_id)]
    outcomes: list[Outcome] = []
    for number, purchase in enumerate(purchases):
        try:
            outcome = yield from buying(purchase, len(purchases) - number).watch()
        except (BillingPurchaseStoreError, BillingPurchaseUncertain) as error:
            outcomes.append(error)
        else:
            outcomes += [outcome] if outcome is not None else []
    return [*outcomes, *unread]
