"""Waits for the charge of a purchase, and saves how it ended."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from ..errors import BillingChargeTimeout, BillingChargeUnconfirmed, BillingPurchaseStoreError, BillingScopeRequired
from ..models import ChargeFailed, ChargeSettled
from ..protocol.exchange import BeforeSend, Flow
from ..protocol.settlement import TellOfPoll
from .call import PurchaseCall
from .organisation import OrganisationCheck
from .purchase import Purchase

Wait = Callable[[str, TellOfPoll, BeforeSend, float | None], Flow[ChargeSettled | ChargeFailed]]
"""Waits for a charge by its id, for so many seconds; None: polls it only once."""


def settle(call: PurchaseCall, organisation: OrganisationCheck, wait: Wait) -> Flow[None]:
    """Wait until the charge has ended, and save the result. While another call polls it, watch the store instead.

    Raises:
        BillingChargeUnsettled: How it ended is not known.
        BillingError: As for ``refresh`` of the record.
    """
    record = call.record
    end = call.clock.monotonic() + call.cap
    while not (yield from _may_poll(call)):
        with suppress(BillingPurchaseStoreError):
            yield from record.refresh()
        if record.stored is None:
            break  # Somebody has removed it from the store.
        if record.purchase.has_ended:
            record.may_be_made = False
            yield from organisation.verify_reader()
            return
        left = end - call.clock.monotonic()
        if left <= 0:
            raise call.uncertain(None)
        yield from call.pause(min(call.interval, left))
    while True:
        left = end - call.clock.monotonic()
        # The portal reports an unknown charge as pending: after a day more than one poll learns nothing new.
        once = left <= 0 or call.is_too_old()
        try:
            yield from _poll(call, organisation, wait, None if once else left)
            return
        except BillingChargeUnconfirmed as error:
            failure = error
        if not isinstance(failure.last_error, BillingScopeRequired):
            raise failure
        yield from call.ask_for_scope(failure)
        end = call.clock.monotonic() + call.cap


def check(call: PurchaseCall, organisation: OrganisationCheck, wait: Wait) -> Flow[None]:
    """Poll the charge once, unless another call polls it, and save the result if it has ended.

    Raises:
        BillingError: Its status could not be read, or it has been pending for too long.
    """
    if not (yield from _may_poll(call)):
        yield from organisation.verify_reader()
        return
    try:
        yield from _poll(call, organisation, wait, None)
    except BillingChargeTimeout as timeout:
        if call.is_too_old():
            raise
        if timeout.last_error is not None:
            raise timeout.last_error from None


def _poll(call: PurchaseCall, organisation: OrganisationCheck, wait: Wait, seconds: float | None) -> Flow[None]:
    """Poll the charge for so many seconds, or once, and save the result.

    Raises:
        BillingChargeUnsettled: How it ended is not known.
    """
    record = call.record
    charge_id = str(record.purchase.charge_id)
    charge = yield from wait(charge_id, record.tell_of_poll, organisation.verify_best_effort, seconds)
    yield from record.save_best_effort(_ended(record.purchase, charge))
    # Not before the save: a caller that is interrupted while saving has not been told the result.
    record.may_be_made = False


def _may_poll(call: PurchaseCall) -> Flow[bool]:
    # Two calls that poll the same charge do no harm; a purchase that nobody polls would.
    with suppress(BillingPurchaseStoreError):
        return (yield from call.record.lease.acquire())
    return True


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
