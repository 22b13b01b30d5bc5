"""Waits for the charge of a purchase, and saves how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..errors import BillingChargeUnconfirmed, BillingScopeRequired
from ..models import ChargeFailed, ChargeSettled
from ..protocol.exchange import BeforeSend, Flow
from ..protocol.settlement import TellOfPoll
from .call import PurchaseCall
from .organisation import OrganisationCheck
from .purchase import Purchase

Wait = Callable[[str, TellOfPoll, BeforeSend, bool], Flow[ChargeSettled | ChargeFailed]]
"""Waits for a charge by its id, or polls it only once."""


def settle(call: PurchaseCall, organisation: OrganisationCheck, wait: Wait, charge_id: str) -> Flow[None]:
    """Wait until the charge has ended, and save the result.

    Raises:
        BillingChargeUnsettled: How it ended is not known.
    """
    record = call.record
    while True:
        # The portal reports an unknown charge as pending: after a day more than one poll learns nothing new.
        once = call.is_too_old()
        try:
            charge = yield from wait(charge_id, record.tell_of_poll, organisation.verify_best_effort, once)
            break
        except BillingChargeUnconfirmed as error:
            failure = error
        if not isinstance(failure.last_error, BillingScopeRequired):
            raise failure
        yield from call.ask_for_scope(failure)
    yield from record.save_best_effort(_ended(record.purchase, charge))
    # Not before the save: a caller that is interrupted while saving has not been told the result.
    record.may_be_made = False


def _ended(purchase: Purchase, charge: ChargeSettled | ChargeFailed) -> Purchase:
    if isinstance(charge, ChargeFailed):
        return replace(purchase, status="failed", reason=charge.reason)
    discrepancies = purchase.discrepancies
    if charge.amount_usd != purchase.amount_usd:
        discrepancies = (*discrepancies, "other_amount")
    return replace(
        purchase,
        status="settled",
        settled_at=charge.settled_at,
        added_usd=charge.amount_usd,
        discrepancies=discrepancies,
    )
