"""The rules of waiting until the subscription shows an upgrade, without I/O."""

from __future__ import annotations

from ..clock import BaseClock
from ..errors import BillingError, BillingTimeout
from ..models import Subscription
from . import operations
from .exchange import Flow, exchange, pause_until
from .ids import check_tier_id
from .replies import without_outcome
from .seconds import check_seconds
from .settlement import PASSING, pause_seconds

DEFAULT_UPGRADE_CAP = 30.0


def wait_for_upgrade(
    subscription_type_id: str,
    *,
    interval: float,
    cap: float,
    base_url: str | None,
    timeout: float,
    clock: BaseClock,
) -> Flow[Subscription]:
    """Read the subscription until it is on a tier, or until the cap passes."""
    tier_id = check_tier_id(subscription_type_id)
    operation = operations.get_subscription()
    check_seconds(interval, "interval")
    end = clock.monotonic() + check_seconds(cap, "cap")
    while True:
        outcome: Subscription | BillingError
        try:
            outcome = yield from exchange(operation, base_url=base_url, deadline=clock.monotonic() + timeout)
            if outcome.current is not None and outcome.current.tier_id == tier_id:
                return outcome
        except PASSING as error:
            outcome = error
        if clock.monotonic() >= end:
            raise _not_shown(cap, outcome)
        yield from pause_until(min(clock.monotonic() + pause_seconds(outcome, interval), end), clock, None)


def _not_shown(cap: float, outcome: Subscription | BillingError) -> BillingTimeout:
    last = outcome if isinstance(outcome, BillingError) else None
    seen = (
        f"could not be read: {without_outcome(last.message)}"
        if last
        else f"did not show the upgrade in {cap:g} seconds."
    )
    error = BillingTimeout(
        f"The subscription {seen} This is not a failure: the upgrade may still show. Read the subscription again.",
        status=last.status if last else None,
        error="upgrade_timeout",
        portal_url=outcome.portal_url,
        headers=outcome.headers,
        outcome_unknown=True,
    )
    error.__cause__ = last
    return error
