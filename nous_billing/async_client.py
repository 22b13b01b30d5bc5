"""The client for asyncio. It builds flows and runs them; the rules are in ``protocol`` and ``purchases``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ._async_purchasing import AsyncPurchasing
from ._async_subscriptions import AsyncSubscriptions
from ._reporting import Listener
from ._secrets import concealed
from .clock import DEFAULT_TIMEOUT, AsyncClock, AsyncSystemClock
from .credentials import AsyncCredentialSource, CredentialSource
from .models import BillingState, ChargeAccepted, ChargeFailed, ChargeSettled, ChargeStatus
from .money import Amount
from .protocol import operations
from .protocol.settlement import DEFAULT_CAP, DEFAULT_INTERVAL, AsyncOnPoll

if TYPE_CHECKING:
    from ssl import SSLContext
    from uuid import UUID

    import httpx

    from .events import Observer
    from .transport.proxies import ProxySetting


class AsyncBillingClient(AsyncPurchasing, AsyncSubscriptions):
    """``BillingClient`` for asyncio: the same methods and rules, awaited.

    Belongs to one event loop at a time. Cancelling a task ends its call only; a token refresh that has begun finishes.

    Args:
        credentials: Where the token comes from. None: ``NOUS_TOKEN``, the login of Hermes, or the SDK's own.
        base_url: The portal's address; takes precedence over the environment and the credentials.
        timeout: Seconds for one call, including a token refresh and a retry.
        http_client: Your own ``httpx.AsyncClient``, or one of httpx2; it stays open. Its headers and parameters are
            used, not its timeouts, redirects, authentication, cookies or base URL.
        ssl_context: For a private certificate authority or a client certificate; replaces the system's certificates.
            The client sets its ALPN protocols to HTTP/1.1.
        proxy: The URL of a proxy. None: that of the environment (``HTTPS_PROXY``, ``ALL_PROXY``, ``NO_PROXY``). False:
            none. Loopback is never proxied.
        user_agent: The name of your application, such as ``"myapp/1.2"``: sent before the SDK's own.
        observer: Called with each event of ``nous_billing.events``. What it raises is logged, and changes nothing.
        clock: A clock for tests.

    Raises:
        BillingInvalidRequest: As for ``BillingClient``. Its methods raise one where asyncio does not run
            (``error="no_event_loop"``).
    """

    def __init__(
        self,
        credentials: CredentialSource | AsyncCredentialSource | None = None,
        *,
        base_url: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        http_client: httpx.AsyncClient | None = None,
        ssl_context: SSLContext | None = None,
        proxy: ProxySetting = None,
        user_agent: str | None = None,
        observer: Observer | None = None,
        clock: AsyncClock | None = None,
    ) -> None:
        base_url, proxy = concealed(base_url), concealed(proxy)
        super().__init__(
            credentials, base_url, timeout, clock or AsyncSystemClock(), ssl_context=ssl_context, proxy=proxy
        )
        from .transport.async_driver import AsyncDriver  # Loads asyncio, which a BillingClient does not need.

        self._driver = AsyncDriver(
            http_client,
            self._clock,
            self._source,
            ssl_context=ssl_context,
            proxy=proxy,
            listener=Listener(observer),
            application=user_agent,
        )

    async def get_billing_state(
        self, *, timeout: float | None = None, headers: Mapping[str, str] | None = None
    ) -> BillingState:
        """Read the balance, the card, the bounds and the rest of the billing state. Needs no scope.

        Args:
            timeout: Seconds for this call, instead of the client's.
            headers: Your own, sent with each request of the call; the SDK's are refused (``error="invalid_headers"``).

        Raises:
            BillingError: See ``nous_billing.errors``.
        """
        return await self._driver.run(self._show_state(timeout), headers)

    async def patch_auto_top_up(
        self,
        *,
        enabled: bool,
        threshold: Amount | None,
        top_up_amount: Amount | None,
        organisation_id: str | None = None,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Configure auto-reload. Needs the scope ``billing:manage``.

        Args:
            enabled: Whether auto-reload is on. With False the amounts may be 0, or None to keep the current ones.
            threshold: The balance in dollars below which it is reloaded.
            top_up_amount: The balance in dollars that it is reloaded **to**; more than the threshold.
            organisation_id: The organisation that the person confirmed (``state.org.id``). A login for another one is
                refused. None: the one whose billing state this client read last, if the token says which it is for.
            timeout: Seconds for this call, instead of the client's.
            headers: Your own, sent with each request of the call; the SDK's are refused (``error="invalid_headers"``).

        Raises:
            BillingInvalidRequest: An argument cannot be used, or the login is for another organisation; nothing was
                sent (``error="invalid_amount"``, ``"wrong_organisation"`` and others).
            BillingError: See ``nous_billing.errors``. If ``outcome_unknown`` is True, the settings may have been saved:
                read the billing state.
        """
        await self._driver.run(
            self._patch_auto_top_up(enabled, threshold, top_up_amount, organisation_id, timeout), headers
        )

    async def post_charge(
        self,
        *,
        amount_usd: Amount,
        idempotency_key: str | UUID,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> ChargeAccepted:
        """Buy credits. Needs the scope ``billing:manage``. Accepted is **not** paid: wait with ``wait_for_charge``.

        Sent once. The one exception is a 401, which the portal answers before it reads the charge.

        Args:
            amount_usd: Dollars: a ``Decimal``, an int or a string; a float only if it is a whole number of cents.
            idempotency_key: One for each confirmed purchase; see ``new_idempotency_key``. A retry with it buys once.
            timeout: Seconds for this call, instead of the client's.
            headers: Your own, sent with each request of the call; the SDK's are refused (``error="invalid_headers"``).

        Raises:
            BillingInvalidRequest: An argument cannot be used; nothing was sent (``error="invalid_amount"``,
                ``"idempotency_key_required"``, ``"invalid_idempotency_key"``).
            BillingError: See ``nous_billing.errors``. If ``outcome_unknown`` is True, the charge may have been made:
                call again with the same key.
        """
        return await self._driver.run(self._charge(amount_usd, idempotency_key, timeout), headers)

    async def get_charge_status(
        self, charge_id: str, *, timeout: float | None = None, headers: Mapping[str, str] | None = None
    ) -> ChargeStatus:
        """Poll a charge once. Needs the scope ``billing:manage``. An unknown id stays pending forever.

        Args:
            charge_id: The ``charge_id`` of an accepted charge.
            timeout: Seconds for this call, instead of the client's.
            headers: Your own, sent with each request of the call; the SDK's are refused (``error="invalid_headers"``).

        Raises:
            BillingInvalidRequest: The id is not valid; nothing was sent (``error="invalid_charge_id"``).
            BillingError: See ``nous_billing.errors``.
        """
        return await self._driver.run(self._exchange(operations.get_charge_status(charge_id), timeout), headers)

    async def wait_for_charge(
        self,
        charge_id: str,
        *,
        interval: float = DEFAULT_INTERVAL,
        cap: float = DEFAULT_CAP,
        on_poll: AsyncOnPoll | None = None,
        cancelled: Callable[[], bool | Awaitable[bool]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> ChargeSettled | ChargeFailed:
        """Poll a charge until it is settled or failed, through network errors, 5xx replies and rate limits.

        Args:
            charge_id: The ``charge_id`` of an accepted charge.
            interval: Seconds between two polls; up to 30 if the portal asks to slow down.
            cap: Seconds until the last poll begins.
            on_poll: Called after each poll with the status, or with a ``BillingError`` that may be temporary.
            cancelled: Called about four times a second between two polls. Return True to stop waiting.
            headers: Your own, sent with each request of the call; the SDK's are refused (``error="invalid_headers"``).

        Raises:
            BillingChargeTimeout: Still pending at the cap.
            BillingChargeUnconfirmed: Access was lost while waiting.
            BillingChargeCancelled: ``cancelled`` returned True.
            BillingInvalidRequest: An argument cannot be used; nothing was sent.
        """
        return await self._driver.run(self._settlement(charge_id, interval, cap, on_poll, cancelled), headers)

    async def aclose(self) -> None:
        """Close the connections. Your own ``http_client`` stays open."""
        await self._driver.aclose()
        if self._default_login is not None:
            from asyncio import to_thread

            await to_thread(self._default_login.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()
