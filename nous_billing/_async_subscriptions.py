"""The methods of AsyncBillingClient for subscriptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ._base_client import BaseClient
from .clock import AsyncClock
from .models import PendingChange, Subscription, SubscriptionPreview, SubscriptionUpgrade
from .protocol import operations
from .protocol.settlement import DEFAULT_INTERVAL
from .protocol.upgrade import DEFAULT_UPGRADE_CAP

if TYPE_CHECKING:
    from uuid import UUID

    from .transport.async_driver import AsyncDriver


class AsyncSubscriptions(BaseClient[AsyncClock]):
    _driver: AsyncDriver

    async def get_subscription(
        self, *, timeout: float | None = None, headers: Mapping[str, str] | None = None
    ) -> Subscription:
        """Read the subscription and the tiers that there are. Needs no scope.

        Args:
            timeout: Seconds for this call, instead of the client's.
            headers: Your own, sent with each request of the call; the SDK's are refused (``error="invalid_headers"``).

        Raises:
            BillingResponseError: The portal has no subscriptions yet (``error="endpoint_unavailable"``).
            BillingError: See ``nous_billing.errors``.
        """
        return await self._driver.run(self._show_subscription(timeout), headers)

    async def preview_subscription_change(
        self, subscription_type_id: str, *, timeout: float | None = None, headers: Mapping[str, str] | None = None
    ) -> SubscriptionPreview:
        """Ask what a change to a tier would do, and what it would charge. Changes nothing. Needs ``billing:manage``.

        Args:
            subscription_type_id: The ``tier_id`` of a tier of the subscription.
            timeout: Seconds for this call, instead of the client's.
            headers: Your own, sent with each request of the call; the SDK's are refused (``error="invalid_headers"``).

        Raises:
            BillingInvalidRequest: The id cannot be one; nothing was sent (``error="invalid_subscription_type"``).
            BillingError: See ``nous_billing.errors``.
        """
        return await self._driver.run(
            self._exchange(operations.preview_subscription_change(subscription_type_id), timeout), headers
        )

    async def set_pending_subscription_change(
        self,
        *,
        subscription_type_id: str | None = None,
        organisation_id: str | None = None,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> PendingChange:
        """Change to another tier, or cancel, at the end of the period. Charges nothing. Needs ``billing:manage``.

        A new pending change takes the place of the one before. Upgrades are refused: see ``upgrade_subscription``.

        Args:
            subscription_type_id: The ``tier_id`` of a lower tier. None: the subscription ends with the period.
            organisation_id: The organisation that the person confirmed (``state.org.id``). A login for another one is
                refused. None: the one whose billing state or subscription this client read last, if the token says
                which it is for.
            timeout: Seconds for this call, instead of the client's.
            headers: Your own, sent with each request of the call; the SDK's are refused (``error="invalid_headers"``).

        Raises:
            BillingInvalidRequest: The id cannot be one, or the login is for another organisation; nothing was sent
                (``error="invalid_subscription_type"``, ``"wrong_organisation"``).
            BillingAccessDenied: This change is not possible (``error="subscription_mutation_rejected"`` and others).
            BillingError: See ``nous_billing.errors``. If ``outcome_unknown`` is True, the change may have been saved:
                read the subscription.
        """
        return await self._driver.run(
            self._change_subscription(
                operations.set_pending_subscription_change(subscription_type_id), organisation_id, timeout
            ),
            headers,
        )

    async def delete_pending_subscription_change(
        self,
        *,
        organisation_id: str | None = None,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> PendingChange:
        """Keep the subscription as it is: neither another tier nor its end is pending any more.

        Needs ``billing:manage``. Charges nothing, but the subscription renews again.

        Args:
            organisation_id: The organisation that the person confirmed (``state.org.id``). A login for another one is
                refused. None: the one whose billing state or subscription this client read last, if the token says
                which it is for.
            timeout: Seconds for this call, instead of the client's.
            headers: Your own, sent with each request of the call; the SDK's are refused (``error="invalid_headers"``).

        Raises:
            BillingInvalidRequest: The login is for another organisation (``error="wrong_organisation"``); nothing was
                sent.
            BillingError: See ``nous_billing.errors``. If ``outcome_unknown`` is True, the change may have been saved:
                read the subscription.
        """
        return await self._driver.run(
            self._change_subscription(operations.delete_pending_subscription_change(), organisation_id, timeout),
            headers,
        )

    async def upgrade_subscription(
        self,
        subscription_type_id: str,
        *,
        idempotency_key: str | UUID,
        organisation_id: str | None = None,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> SubscriptionUpgrade:
        """Upgrade now, and charge the card for the rest of the period. **Money moves.** Needs ``billing:manage``.

        Sent once. The one exception is a 401, which the portal answers before it reads the upgrade.

        Args:
            subscription_type_id: The ``tier_id`` of a higher tier. ``preview_subscription_change`` tells its price.
            idempotency_key: One for each confirmed upgrade; see ``new_idempotency_key``. A retry with it charges once.
            organisation_id: The organisation that the person confirmed (``state.org.id``). A login for another one is
                refused. None: the one whose billing state or subscription this client read last, if the token says
                which it is for.
            timeout: Seconds for this call, instead of the client's.
            headers: Your own, sent with each request of the call; the SDK's are refused (``error="invalid_headers"``).

        Returns:
            How it ended. With ``"requires_action"`` and ``"payment_failed"`` a person finishes it at ``recovery_url``.

        Raises:
            BillingInvalidRequest: An argument cannot be used, or the login is for another organisation; nothing was
                sent (``error="invalid_subscription_type"``, ``"idempotency_key_required"``,
                ``"invalid_idempotency_key"``, ``"wrong_organisation"``).
            BillingUpgradeCapExceeded: The organisation has had its upgrades of the day; nothing was charged.
            BillingError: See ``nous_billing.errors``. If ``outcome_unknown`` is True, the upgrade may have been made:
                call again with the same key, or see ``wait_for_upgrade``.
        """
        return await self._driver.run(
            self._upgrade(subscription_type_id, idempotency_key, organisation_id, timeout), headers
        )

    async def wait_for_upgrade(
        self,
        subscription_type_id: str,
        *,
        interval: float = DEFAULT_INTERVAL,
        cap: float = DEFAULT_UPGRADE_CAP,
        headers: Mapping[str, str] | None = None,
    ) -> Subscription:
        """Read the subscription until it is on a tier, through network errors, 5xx replies and rate limits.

        Args:
            subscription_type_id: The ``tier_id`` that an upgrade was made to.
            interval: Seconds between two reads; up to 30 if the portal asks to slow down.
            cap: Seconds until the last read begins.
            headers: Your own, sent with each request of the call; the SDK's are refused (``error="invalid_headers"``).

        Raises:
            BillingTimeout: It does not show the tier yet (``error="upgrade_timeout"``); it still may.
            BillingInvalidRequest: An argument cannot be used; nothing was sent.
            BillingError: The subscription can no longer be read. See ``nous_billing.errors``.
        """
        return await self._driver.run(self._upgrade_wait(subscription_type_id, interval, cap), headers)
