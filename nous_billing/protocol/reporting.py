"""Steps that tell of what happens to money. The rules themselves do no more than say so."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from .._reporting import emit, event_maker, if_broken
from ..clock import BaseClock
from ..credentials import Credentials
from ..errors import BillingError
from ..models import ChargeAccepted, ChargeFailed, ChargeSettled, SubscriptionUpgrade
from .caller import CallerFailed
from .exchange import CallUser, Flow, SendAuthenticated

if TYPE_CHECKING:
    from ..events import Event

ResultT = TypeVar("ResultT", ChargeAccepted, SubscriptionUpgrade)


def report(name: str, **values: Any) -> Flow[None]:
    """Tell of an event, by the name of its class."""
    yield from CallUser(partial(emit, event_maker(name, **values)), changes_login=False)


class Paying:
    """Tells how the one exchange that charges goes.

    Args:
        values: Those that all its events have: ``what``, ``key`` and ``amount_usd``.
    """

    def __init__(self, clock: BaseClock, **values: Any) -> None:
        self._clock = clock
        self._values = values
        self._attempts = 0
        self._in_flight = False

    def before_send(self, credentials: Credentials, address: str, send: SendAuthenticated) -> Flow[None]:
        # A 401 answers a request before the portal reads the charge.
        self._in_flight = False
        self._attempts += 1
        yield from self._report("PurchaseSent", attempt=self._attempts)
        self._in_flight = True

    def run(self, flow: Flow[ResultT]) -> Flow[ResultT]:
        begun = self._clock.monotonic()
        if_broken(self._broken)
        yield from self._report("PurchaseBegun", is_continued=False)
        try:
            result = yield from flow
        except BillingError as error:
            self._in_flight = error.outcome_unknown
            if error.outcome_unknown:
                yield from self._report("PurchaseUncertain", error=error.error)
            else:
                # Not "not made": an earlier call with this key, of which nothing is known here, may have charged.
                seconds = self._clock.monotonic() - begun
                yield from self._report("PurchaseEnded", status="refused", reason=error.error, seconds=seconds)
            raise
        if isinstance(result, ChargeAccepted):
            self._values["charge_id"] = result.charge_id
            yield from self._report("PurchaseAccepted")
        elif result.outcome_unknown:
            yield from self._report("PurchaseUncertain", error=result.status)
        else:
            self._in_flight = False
            seconds = self._clock.monotonic() - begun
            yield from self._report("PurchaseEnded", status=result.status, reason=result.reason, seconds=seconds)
        return result

    def _broken(self, error: BaseException) -> Callable[[int], Event] | None:
        uncertain = event_maker("PurchaseUncertain", error=type(error).__name__, **self._values)
        return uncertain if self._in_flight else None

    def _report(self, name: str, **values: Any) -> Flow[None]:
        return report(name, **self._values, **values)


def waiting(
    flow: Flow[ChargeSettled | ChargeFailed], charge_id: str, clock: BaseClock
) -> Flow[ChargeSettled | ChargeFailed]:
    """Wait for a charge by its id alone, and tell how it ended."""
    begun = clock.monotonic()
    values: dict[str, Any] = {"what": "credits", "key": None, "charge_id": charge_id}
    if_broken(lambda error: event_maker("PurchaseUncertain", error=type(error).__name__, **values))
    try:
        charge = yield from flow
    except (BillingError, CallerFailed) as raised:
        error = raised if isinstance(raised, BillingError) else raised.error
        # What a function of the caller raised says nothing of the charge.
        if error.outcome_unknown or error is not raised:
            yield from report("PurchaseUncertain", error=error.error, **values)
        raise
    if isinstance(charge, ChargeSettled):
        values |= {"amount_usd": charge.amount_usd, "reason": None}
    else:
        values |= {"reason": charge.reason}
    if_broken(None)
    yield from report("PurchaseEnded", status=charge.status, seconds=clock.monotonic() - begun, **values)
    return charge
