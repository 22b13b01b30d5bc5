"""The methods of AsyncBillingClient that buy and continue purchases; the rules are in ``purchases``."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from ._base_purchasing import AnyPurchaseStore, BasePurchasing
from .clock import AsyncClock
from .money import Amount
from .protocol.settlement import DEFAULT_CAP, DEFAULT_INTERVAL
from .purchases.following import Following
from .purchases.purchase import Purchase
from .purchases.record import AsyncOnProgress
from .purchases.resuming import Outcome

if TYPE_CHECKING:
    from uuid import UUID

    from .transport.async_driver import AsyncDriver


class AsyncPurchasing(BasePurchasing[AsyncClock]):
    _driver: AsyncDriver

    async def buy_credits(
        self,
        amount_usd: Amount,
        *,
        idempotency_key: str | UUID,
        organisation_id: str | None = None,
        store: AnyPurchaseStore | None = None,
        step_up: Callable[[], bool | Awaitable[bool]] | None = None,
        on_progress: AsyncOnProgress | None = None,
        cancelled: Callable[[], bool | Awaitable[bool]] | None = None,
        interval: float = DEFAULT_INTERVAL,
        cap: float = DEFAULT_CAP,
        headers: Mapping[str, str] | None = None,
    ) -> Purchase:
        """Buy credits and wait until they are paid. Needs the scope ``billing:manage``.

        Idempotent: the same call with the same key continues the same purchase, in this process or, with a ``store``,
        in a later one, and charges at most once. A charge that may not have arrived, or whose reply was lost, is sent
        again with the same key after 1, 3 and 9 seconds. Each token must belong to the purchase's organisation.

        Args:
            amount_usd: Dollars, as for ``post_charge``; within the bounds of the billing state.
            idempotency_key: One for each purchase that a person confirmed; see ``new_idempotency_key``.
            organisation_id: The organisation that the person confirmed (``state.org.id``). A login for another one is
                refused before anything is sent. None: a new purchase is for that of the state that was read last.
            store: Where each step is saved before the next, to survive a crash: a directory, or a store of your own.
                None: the memory of this process, shared by all clients.
            step_up: Called once if the scope is missing, such as ``lambda: login.astep_up(show_code)``; if it
                returns True, the purchase continues. Exceptions of your functions propagate unchanged.
            on_progress: Called with the purchase after each step and poll, and with each error that does not end it.
            cancelled: Called before each request, and about four times a second while waiting. Return True to stop.
            interval, cap: As for ``wait_for_charge``, once the charge is accepted.
            headers: Your own, sent with each request of the call; the SDK's are refused (``error="invalid_headers"``).

        Returns:
            The purchase: ``"settled"`` (paid; see ``discrepancies``) or ``"failed"`` (not charged; see ``reason``).

        Raises:
            BillingPurchaseUncertain: It may have been charged. Call again with the same key, unless ``is_too_old``.
            BillingDuplicateCharge: The portal made more than one charge for the key.
            BillingPurchaseCancelled: ``cancelled`` returned True before a charge could be made.
            BillingPurchaseStoreError: The purchase could not be saved; nothing was sent.
            BillingIdempotencyConflict: The key was used for another amount: a bug in the calling program.
            BillingInvalidRequest: An argument cannot be used, or the login is not for the organisation of the purchase
                or the confirmed one (``error="wrong_organisation"``); nothing was sent.
            BillingError: A definite refusal; nothing was charged. See ``nous_billing.errors``.

        If the task is cancelled, it is not known whether the charge was made: call again with the same key.
        """
        purchase = self._new_purchase(amount_usd, idempotency_key)
        buying = self._buying(purchase, store, step_up, on_progress, cancelled, interval, cap, organisation_id)
        return await self._driver.run(buying.buy(), headers)

    async def begin_purchase(
        self,
        amount_usd: Amount,
        *,
        idempotency_key: str | UUID,
        organisation_id: str | None = None,
        store: AnyPurchaseStore | None = None,
        step_up: Callable[[], bool | Awaitable[bool]] | None = None,
        on_progress: AsyncOnProgress | None = None,
        cancelled: Callable[[], bool | Awaitable[bool]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Purchase:
        """Begin a purchase as ``buy_credits`` does, and return once the portal has accepted the charge.

        For a web service, which must not wait: ``check_purchase`` or ``follow_purchase`` then find out how it ends. The
        rules, the store and the errors are those of ``buy_credits``.

        Args:
            amount_usd, idempotency_key, organisation_id, store: As for ``buy_credits``.
            step_up, on_progress, cancelled: As for ``buy_credits``.
            headers: Your own, sent with each request of the call; the SDK's are refused (``error="invalid_headers"``).

        Returns:
            The purchase: ``"pending"`` (accepted, not paid yet), or ``"settled"`` or ``"failed"`` if it had ended
            before.

        Raises:
            BillingError: As for ``buy_credits``.
        """
        purchase = self._new_purchase(amount_usd, idempotency_key)
        buying = self._buying(
            purchase, store, step_up, on_progress, cancelled, DEFAULT_INTERVAL, DEFAULT_CAP, organisation_id
        )
        return await self._driver.run(buying.begin(), headers)

    async def check_purchase(
        self,
        idempotency_key: str | UUID,
        *,
        store: AnyPurchaseStore | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Purchase:
        """Load a purchase from the store, and poll its charge once if it is pending. Never makes a charge.

        While another call polls the charge, in a store that machines share, this one returns what the store has.

        Args:
            idempotency_key: The purchase's key.
            store: As for ``buy_credits``. None: the purchases of this process.
            headers: Your own, sent with each request of the call; the SDK's are refused (``error="invalid_headers"``).

        Returns:
            The purchase, in any of its states; ``message`` is for a person.

        Raises:
            BillingPurchaseNotFound: The store has no purchase with this key.
            BillingPurchaseUncertain: The poll failed (see ``last_error``), or the purchase is too old to be found out.
            BillingPurchaseStoreError: The store could not be read.
            BillingInvalidRequest: An argument cannot be used, or the purchase has ended and the login is not for its
                organisation (``error="wrong_organisation"``).
            BillingError: The purchase was not made, and the billing state could not be read to verify the login.
        """
        return await self._driver.run(self._checking(idempotency_key, store), headers)

    def follow_purchase(
        self,
        idempotency_key: str | UUID,
        *,
        store: AnyPurchaseStore | None = None,
        interval: float = DEFAULT_INTERVAL,
        cap: float = DEFAULT_CAP,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncGenerator[Purchase, None]:
        """Follow a purchase until it has ended, such as for server-sent events. Never makes a charge.

        Checks it as ``check_purchase`` does, and outlives errors that may be temporary. Nothing runs between two items,
        so a loop can be left at any time.

        Args:
            idempotency_key: The purchase's key.
            store: As for ``buy_credits``. None: the purchases of this process.
            interval: Seconds between two checks; up to 30 if the portal asks to slow down.
            cap: Seconds until the last check.
            headers: Your own, sent with each request of the call; the SDK's are refused (``error="invalid_headers"``).

        Yields:
            The purchase as it is now, and then each time that it has changed. The last one has ended.

        Raises:
            BillingPurchaseUncertain: How it ended is not known at the cap, or can no longer be found out.
            BillingError: As for ``check_purchase``.
        """
        return self._follow(self._following(idempotency_key, store, interval, cap), headers)

    async def _follow(self, following: Following, headers: Mapping[str, str] | None) -> AsyncGenerator[Purchase, None]:
        while (purchase := await self._driver.run(following.next(), headers)) is not None:
            yield purchase

    async def resume_purchases(
        self,
        store: AnyPurchaseStore | None = None,
        *,
        organisation_id: str | None = None,
        on_progress: AsyncOnProgress | None = None,
        cancelled: Callable[[], bool | Awaitable[bool]] | None = None,
        interval: float = DEFAULT_INTERVAL,
        cap: float = DEFAULT_CAP,
        headers: Mapping[str, str] | None = None,
    ) -> list[Outcome]:
        """Find out the outcome of purchases that were left open. Never makes a charge.

        Waits for accepted charges. A person decides whether to continue the others: ``buy_credits``, with the same key.

        Args:
            store: As for ``buy_credits``. None: the purchases of this process.
            organisation_id: Only the purchases of this organisation. None: all.
            on_progress, cancelled: As for ``buy_credits``.
            interval, cap: As for ``buy_credits``. ``cap`` covers all of them together; each is polled at least once.
            headers: Your own, sent with each request of the call; the SDK's are refused (``error="invalid_headers"``).

        Returns:
            One item for each open purchase, oldest first: the purchase if it has ended by now, otherwise a
            ``BillingPurchaseUncertain``. Then a ``BillingPurchaseStoreError`` for each that could not be read. A
            ``LeasingPurchaseStore`` leaves out what another call is working on.

        Raises:
            BillingInvalidRequest: An argument cannot be used.
        """
        return await self._driver.run(
            self._resuming(store, on_progress, cancelled, interval, cap, organisation_id), headers
        )
