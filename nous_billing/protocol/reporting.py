"""Steps that tell of what happens to money. The rules themselves do no more than say so."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar

from .._reporting import emit, event_maker
from ..clock import BaseClock
from ..errors import BillingError
from ..models import ChargeAccepted, ChargeFailed, ChargeSettled, SubscriptionUpgrade
from .caller import CallerFailed
from .exchange import CallUser, Flow

ResultT = TypeVar("ResultT", ChargeAccepted, SubscriptionUpgrade)


def report(name: str, **values: Any) -> Flow[None]:
    """Tell of an event, by the name of its class."""
    yield from CallUser(partial(emit, event_maker(name, **values)), changes_login=False)


def paying(flow: Flow[ResultT], clock: BaseClock, **values: Any) -> Flow[ResultT]:
    """Run the one exchange that charges, and tell how it went.

    Args:
        values: Those that all its events have: ``what``, ``key`` and ``amount_usd``.
    """
    begun = clock.monotonic()
    yield from report("PurchaseBegun", is_continued=False, **values)
    yield from report("PurchaseSent", attempt=1, **values)
    try:
        result = yield from flow
    except BillingError as error:
        if error.outcome_unknown:
            yield from report("PurchaseUncertain", error=error.error, **values)
        else:
            seconds = clock.monotonic() - begun
            # Not "not made": an earlier call with this key, of which nothing is known here, may have charged.
            yield from report("PurchaseEnded", status="refused", reason=error.error, seconds=seconds, **values)
        raise
    if isinstance(result, ChargeAccepted):
        yield from report("PurchaseAccepted", charge_id=result.charge_id, **values)
    elif result.outcome_unknown:
        yield from report("PurchaseUncertain", error=result.status, **values)
    else:
        seconds = clock.monotonic() - begun
        yield from report("PurchaseEnded", status=result.status, reason=result.reason, seconds=seconds, **values)
    return result


def waiting(
    flow: Flow[ChargeSettled | ChargeFailed], charge_id: str, clock: BaseClock
) -> Flow[ChargeSettled | ChargeFailed]:
    """Wait for a charge by its id alone, and tell how it ended."""
    begun = clock.monotonic()
    values: dict[str, Any] = {"what": "credits", "key": None, "charge_id": charge_id}
    try:
        charge = yield from flow
    except (BillingError, CallerFailed) as raised:
        error = raised if isinstance(raised, BillingError) else raised.error
        if error.outcome_unknown:
            yield from report("PurchaseUncertain", error=error.error, **values)
        raise
    if isinstance(charge, ChargeSettled):
        values |= {"amount_usd": charge.amount_usd, "reason": None}
    else:
        values |= {"reason": charge.reason}
    yield from report("PurchaseEnded", status=charge.status, seconds=clock.monotonic() - begun, **values)
    return charge
