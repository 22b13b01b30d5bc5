"""The rules of configuring auto-reload. It can always be switched off, whatever its amounts are."""

from __future__ import annotations

from decimal import Decimal

from ..errors import BillingInvalidRequest
from ..money import Amount, check_amount
from . import operations
from .exchange import BeforeSend, Flow, exchange


def patch_auto_top_up(
    enabled: bool,
    threshold: Amount | None,
    top_up_amount: Amount | None,
    *,
    base_url: str | None,
    deadline: float,
    before_send: BeforeSend | None = None,
) -> Flow[None]:
    """Save the settings. When switching off, an amount that is None is read from the billing state first.

    Args:
        base_url: As for ``exchange``.
        deadline: As for ``exchange``, for both requests together.
        before_send: Called before the settings are sent.
    """
    complete = enabled is not False or (threshold is not None and top_up_amount is not None)
    # Checks all arguments before anything is sent.
    operation = operations.patch_auto_top_up(enabled, _or_zero(threshold, enabled), _or_zero(top_up_amount, enabled))
    if not complete:
        state = yield from exchange(operations.get_billing_state(), base_url=base_url, deadline=deadline)
        current = state.auto_reload
        threshold_now, reload_to_now = (current.threshold_usd, current.reload_to_usd) if current else (None, None)
        operation = operations.patch_auto_top_up(
            enabled,
            _sendable(threshold_now) if threshold is None else threshold,
            _sendable(reload_to_now) if top_up_amount is None else top_up_amount,
        )
    yield from exchange(operation, base_url=base_url, deadline=deadline, before_send=before_send)


def _or_zero(amount: Amount | None, enabled: bool) -> Amount | None:
    return 0 if amount is None and enabled is False else amount


def _sendable(current: Decimal | None) -> Decimal:
    try:
        return check_amount(current)
    except BillingInvalidRequest:
        # There is none, or no request may contain it. Neither must prevent switching it off.
        return Decimal(0)
