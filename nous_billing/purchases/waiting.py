"""Waiting for the charge of a purchase, and saving how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..errors import BillingChargeUnconfirmed, BillingScopeRequired
from ..models import ChargeFailed, ChargeSettled
from ..protocol.exchange import BeforeSend, Flow
from ..protocol.settlement import OnPoll
from .call import PurchaseCall
from .organisation import OrganisationCheck
from .purchase import Purchase

Wait = Callable[[str, OnPoll, BeforeSend], Flow[ChargeSettled | ChargeFailed]]
"""Waits for a charge, by its id."""


def settle(call: PurchaseCall, organisation: OrganisationCheck, wait: Wait, charge_id: str) -> Flow[Purchase]:
    """Wait until the charge has ended, and save that."""
    record = call.record
    while True:
        try:
            charge = yield from wait(charge_id, record.tell_of_poll, organisation.verify_best_effort)
            break
        except BillingChargeUnconfirmed as error:
            failure = error
        if not isinstance(failure.last_error, BillingScopeRequired):
            raise failure
        yield from call.ask_for_scope(failure)
    if isinstance(charge, ChargeSettled):
        ended = replace(record.purchase, status="settled", settled_at=charge.settled_at, added_usd=charge.amount_usd)
    else:
        ended = replace(record.purchase, status="failed", reason=charge.reason)
    yield from record.save_best_effort(ended)
    # Not before: who is interrupted in the saving of it has not been told.
    record.may_be_made = False
    return record.purchase
