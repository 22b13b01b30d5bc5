"""The methods of BillingClient that buy and continue purchases; the rules are in ``purchases``."""

from __future__ import annotations

from collections.abc import Callable

from ._base_purchasing import BasePurchasing, Store
from .clock import Clock
from .money import Amount
from .protocol.settlement import DEFAULT_CAP, DEFAULT_INTERVAL
from .purchases.purchase import Purchase
from .purchases.record import OnProgress
from .purchases.resuming import Outcome
from .transport.driver import Driver


class Purchasing(BasePurchasing[Clock]):
    _driver: Driver

    def buy_credits(
        self,
        amount_usd: Amount,
        *,
        idempotency_key: str,
        organisation_id: str | None = None,
        store: Store | None = None,
        step_up: Callable[[], bool] | None = None,
        on_progress: OnProgress | None = None,
        cancelled: Callable[[], bool] | None = None,
        interval: float = DEFAULT_INTERVAL,
        cap: float = DEFAULT_CAP,
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
            step_up: Called once if the scope is missing, such as ``lambda: login.step_up(show_code)``; if it
                returns True, the purchase continues. Exceptions of your functions propagate unchanged.
            on_progress: Called with the purchase after each step and poll, and with each error that does not end it.
            cancelled: Called before each request, and about four times a second while waiting. Return True to stop.
            interval, cap: As for ``wait_for_charge``, once the charge is accepted.

        Returns:
            The purchase: ``"settled"`` (paid; see ``discrepancies``) or ``"failed"`` (not charged; see ``reason``).

        Raises:
            BillingPurchaseUncertain: It may have been charged. Call again with the same key, unless ``is_too_old``.
            BillingDuplicateCharge: The portal made more than one charge for the key.
            BillingPurchaseInterrupted: The same after Ctrl-C; a ``KeyboardInterrupt``.
            BillingPurchaseCancelled: ``cancelled`` returned True before a charge could be made.
            BillingPurchaseStoreError: The purchase could not be saved; nothing was sent.
            BillingIdempotencyConflict: The key was used for another amount: a bug in the calling program.
            BillingInvalidRequest: An argument cannot be used, or the login is not for the organisation of the purchase
                or the confirmed one (``error="wrong_organisation"``); nothing was sent.
            BillingError: A definite refusal; nothing was charged. See ``nous_billing.errors``.
        """
        purchase = self._new_purchase(amount_usd, idempotency_key)
        buying = self._buying(purchase, store, step_up, on_progress, cancelled, interval, cap, organisation_id)
        try:
            return self._driver.run(buying.buy())
        except KeyboardInterrupt as interrupt:
            interrupted = buying.interrupted()
            if interrupted is None:
                raise
            raise interrupted from interrupt

    def resume_purchases(
        self,
        store: Store | None = None,
        *,
        organisation_id: str | None = None,
        on_progress: OnProgress | None = None,
        cancelled: Callable[[], bool] | None = None,
        interval: float = DEFAULT_INTERVAL,
        cap: float = DEFAULT_CAP,
    ) -> list[Outcome]:
        """Find out the outcome of purchases that were left open. Never makes a charge.

        Waits for accepted charges. For the others a person decides whether to buy again, with the same key.

        Args:
            store: As for ``buy_credits``. None: the purchases of this process.
            organisation_id: Only the purchases of this organisation. None: all.
            on_progress, cancelled: As for ``buy_credits``.
            interval, cap: As for ``buy_credits``. ``cap`` covers all of them together; each is polled at least once.

        Returns:
            One item for each open purchase, oldest first: the purchase if it has ended by now, otherwise a
            ``BillingPurchaseUncertain``. Then a ``BillingPurchaseStoreError`` for each that could not be read.

        Raises:
            BillingInvalidRequest: An argument cannot be used.
        """
        return self._driver.run(self._resuming(store, on_progress, cancelled, interval, cap, organisation_id))
