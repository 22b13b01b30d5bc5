"""What both clients share: checking arguments and building flows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from ._arguments import NotCopied, check_clock, check_functions, wrong_type
from ._confirmed import check_before
from .clock import BaseClock
from .credentials import AsyncCredentialSource, CredentialSource
from .errors import BillingError
from .models import (
    BillingState,
    ChargeAccepted,
    ChargeFailed,
    ChargeSettled,
    ChargeStatus,
    Organisation,
    PendingChange,
    Subscription,
    SubscriptionOrganisation,
    SubscriptionUpgrade,
)
from .money import Amount, check_amount
from .portal import check_base_url
from .protocol import operations
from .protocol.auto_reload import patch_auto_top_up
from .protocol.caller import call_user, unwrap_caller_errors
from .protocol.exchange import BeforeSend, Flow, exchange
from .protocol.idempotency import check_idempotency_key
from .protocol.operations import Operation
from .protocol.reporting import Paying, waiting
from .protocol.seconds import check_seconds
from .protocol.settlement import TellOfPoll, settlement
from .protocol.upgrade import wait_for_upgrade

if TYPE_CHECKING:
    from ssl import SSLContext
    from uuid import UUID

    from .auth.default_login import DefaultLogin
    from .transport.proxies import ProxySetting

T = TypeVar("T")
ClockT = TypeVar("ClockT", bound=BaseClock)


class BaseClient(NotCopied, Generic[ClockT]):
    def __init__(
        self,
        credentials: CredentialSource | AsyncCredentialSource | None,
        base_url: str | None,
        timeout: float,
        clock: ClockT,
        *,
        ssl_context: SSLContext | None = None,
        proxy: ProxySetting = None,
    ) -> None:
        if credentials is not None and (isinstance(credentials, type) or not hasattr(credentials, "resolve")):
            wanted = "a credential source such as StaticToken(token)"
            raise wrong_type("credentials", wanted, credentials, "invalid_credentials")
        self._base_url = None if base_url is None else check_base_url(base_url, "base_url")
        self._timeout = check_seconds(timeout, "timeout")
        check_clock(clock)
        self._clock = clock
        self._default_login: DefaultLogin | None = None
        if credentials is None:
            from .auth.default_login import DefaultLogin

            credentials = self._default_login = DefaultLogin(ssl_context, proxy)
        self._source: CredentialSource | AsyncCredentialSource = credentials
        # The organisation of the billing state that was read last; and of it or the subscription, the later of the two.
        self._shown: Organisation | None = None
        self._shown_last: Organisation | SubscriptionOrganisation | None = None

    def _exchange(
        self, operation: Operation[T], timeout: float | None, before_send: BeforeSend | None = None
    ) -> Flow[T]:
        deadline = self._deadline(timeout)
        return exchange(operation, base_url=self._base_url, deadline=deadline, before_send=before_send)

    def _charge(self, amount_usd: Amount, idempotency_key: str | UUID, timeout: float | None) -> Flow[ChargeAccepted]:
        key, amount = check_idempotency_key(idempotency_key), check_amount(amount_usd, "amount_usd")
        paying = Paying(self._clock, what="credits", key=key, amount_usd=amount)
        return paying.run(self._exchange(operations.post_charge(amount, key), timeout, paying.before_send))

    def _upgrade(
        self,
        subscription_type_id: str,
        idempotency_key: str | UUID,
        organisation_id: str | None,
        timeout: float | None,
    ) -> Flow[SubscriptionUpgrade]:
        key = check_idempotency_key(idempotency_key)
        operation = operations.upgrade_subscription(subscription_type_id, key)
        paying = Paying(self._clock, what="upgrade", key=key)
        before_send = check_before("upgrade", organisation_id, self._shown_last, paying.before_send)
        return paying.run(self._exchange(operation, timeout, before_send))

    def _change_subscription(
        self, operation: Operation[PendingChange], organisation_id: str | None, timeout: float | None
    ) -> Flow[PendingChange]:
        return self._exchange(operation, timeout, check_before("change", organisation_id, self._shown_last))

    def _patch_auto_top_up(
        self,
        enabled: bool,
        threshold: Amount | None,
        top_up_amount: Amount | None,
        organisation_id: str | None,
        timeout: float | None,
    ) -> Flow[None]:
        return patch_auto_top_up(
            enabled,
            threshold,
            top_up_amount,
            base_url=self._base_url,
            deadline=self._deadline(timeout),
            before_send=check_before("change", organisation_id, self._shown),
        )

    def _deadline(self, timeout: float | None) -> float:
        seconds = self._timeout if timeout is None else check_seconds(timeout, "timeout")
        return self._clock.monotonic() + seconds

    def _show_state(self, timeout: float | None) -> Flow[BillingState]:
        state = yield from self._exchange(operations.get_billing_state(), timeout)
        self._shown = self._shown_last = state.org
        return state

    def _show_subscription(self, timeout: float | None) -> Flow[Subscription]:
        subscription = yield from self._exchange(operations.get_subscription(), timeout)
        self._shown_last = subscription.org
        return subscription

    def _upgrade_wait(self, subscription_type_id: str, interval: float, cap: float) -> Flow[Subscription]:
        return wait_for_upgrade(
            subscription_type_id,
            interval=interval,
            cap=cap,
            base_url=self._base_url,
            timeout=self._timeout,
            clock=self._clock,
        )

    def _settlement(
        self,
        charge_id: str,
        interval: float,
        cap: float,
        on_poll: Callable[[ChargeStatus | BillingError], object] | None,
        cancelled: Callable[[], object] | None,
    ) -> Flow[ChargeSettled | ChargeFailed]:
        check_functions(on_poll=on_poll, cancelled=cancelled)

        def tell(outcome: ChargeStatus | BillingError) -> Flow[None]:
            if on_poll is not None:
                yield from call_user("on_poll", partial(on_poll, outcome))

        flow = self._waiting(charge_id, tell, cancelled, interval, cap)
        return unwrap_caller_errors(waiting(flow, charge_id, self._clock))

    def _waiting(
        self,
        charge_id: str,
        tell: TellOfPoll,
        cancelled: Callable[[], object] | None,
        interval: float,
        cap: float,
        before_send: BeforeSend | None = None,
        once: bool = False,
    ) -> Flow[ChargeSettled | ChargeFailed]:
        return settlement(
            charge_id,
            interval=interval,
            cap=cap,
            tell=tell,
            cancelled=cancelled,
            base_url=self._base_url,
            timeout=self._timeout,
            clock=self._clock,
            before_send=before_send,
            once=once,
        )
