"""A charge that asks for the missing right once, for people who buy from a terminal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from .errors import BillingScopeRequired
from .models import ChargeAccepted
from .money import Amount

if TYPE_CHECKING:
    from .client import AsyncBillingClient, BillingClient


def post_charge_with_step_up(
    client: BillingClient, step_up: Callable[[], bool], *, amount_usd: Amount, idempotency_key: str
) -> ChargeAccepted:
    """Buy credits; where the scope is missing, step up once and send the same key again.

    Args:
        client: Its credentials are those that ``step_up`` changes.
        step_up: Asks the person, and returns whether the scope was granted, such as
            ``lambda: login.step_up(show_code)``.
        amount_usd: As for ``BillingClient.post_charge``.
        idempotency_key: As for ``BillingClient.post_charge``.

    Raises:
        BillingScopeRequired: It was not granted.
        BillingError: As for ``BillingClient.post_charge`` and for ``step_up``.
    """
    try:
        return client.post_charge(amount_usd=amount_usd, idempotency_key=idempotency_key)
    except BillingScopeRequired:
        if not step_up():
            raise
    return client.post_charge(amount_usd=amount_usd, idempotency_key=idempotency_key)


async def apost_charge_with_step_up(
    client: AsyncBillingClient, step_up: Callable[[], Awaitable[bool]], *, amount_usd: Amount, idempotency_key: str
) -> ChargeAccepted:
    """As ``post_charge_with_step_up``, with ``step_up`` such as ``lambda: login.astep_up(show_code)``."""
    try:
        return await client.post_charge(amount_usd=amount_usd, idempotency_key=idempotency_key)
    except BillingScopeRequired:
        if not await step_up():
            raise
    return await client.post_charge(amount_usd=amount_usd, idempotency_key=idempotency_key)
