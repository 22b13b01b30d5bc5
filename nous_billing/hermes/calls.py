"""The client of the drop-in: dicts instead of models, for every profile of Hermes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from ..auth.default_login import DefaultLogin
from ..auth.hermes_login import hermes_home, stored_login
from ..clock import Clock, SystemClock
from ..errors import BillingError
from ..money import Amount, check_amount, format_usd, without_trailing_zeros
from ..portal import portal_link
from ..protocol import operations
from ..protocol.exchange import Flow, exchange
from ..protocol.idempotency import check_idempotency_key
from ..protocol.ids import check_tier_id
from ..protocol.seconds import check_seconds
from ..transport.driver import Driver
from .links import link_base_url
from .organisation import as_dict

if TYPE_CHECKING:
    from .subject import Subject


_ENDS_OF_AN_UPGRADE = ("upgraded", "already_on_tier", "requires_action", "payment_failed")


class HermesClient:
    """A client with Hermes's login, without the purchases of a ``BillingClient``, which take time to load."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock: Clock = clock or SystemClock()
        self._driver = Driver(None, self._clock, DefaultLogin())

    def call(self, timeout: float, operation: str, *arguments: object) -> dict[str, Any]:
        """Perform the operation of this name."""
        deadline = self._clock.monotonic() + check_seconds(timeout, "timeout")
        return self._run(
            exchange(as_dict(getattr(operations, operation)(*arguments)), base_url=None, deadline=deadline)
        )

    def charge(self, amount_usd: Amount, idempotency_key: str, timeout: float) -> dict[str, Any]:
        from .subject import Subject  # What pays is not needed for a state or a poll.

        amount = without_trailing_zeros(check_amount(amount_usd, "amount_usd"))
        what = Subject(
            name=format_usd(amount),
            code=f"charge {amount}",
            operation=lambda key: as_dict(operations.post_charge(amount, key)),
            is_answer=lambda result: bool(result.get("chargeId")),
        )
        return self._pay(what, idempotency_key, timeout)

    def upgrade(self, subscription_type_id: str, idempotency_key: str, timeout: float) -> dict[str, Any]:
        from .subject import Subject

        tier = check_tier_id(subscription_type_id)
        what = Subject(
            name="the upgrade",
            code=f"upgrade {tier}",
            operation=lambda key: as_dict(operations.upgrade_subscription(tier, key)),
            is_answer=lambda result: result.get("status") in _ENDS_OF_AN_UPGRADE,
        )
        result = self._pay(what, idempotency_key, timeout)
        if "recoveryUrl" in result:
            # Hermes shows it to a person as it is.
            result["recoveryUrl"] = portal_link(link_base_url(self.stored_login()), result["recoveryUrl"])
        return result

    def close(self) -> None:
        """Close the connections."""
        self._driver.close()

    def forget_token(self) -> None:
        self._driver.memo.forget()

    def stored_login(self) -> Mapping[str, Any]:
        """Return the login of the active profile for its portal, empty if it cannot be read."""
        kept = self._driver.memo.fresh()
        if kept is not None:
            return {"portal_base_url": kept.portal_base_url}
        return stored_login()

    def _pay(self, subject: Subject, idempotency_key: str, timeout: float) -> dict[str, Any]:
        # Logging and files are not needed for a poll.
        from .paying import Paying
        from .unresolved import OF_THIS_PROCESS

        key = check_idempotency_key(idempotency_key)
        seconds = check_seconds(timeout, "timeout")
        paying = Paying(
            subject,
            key,
            home=hermes_home(),
            unresolved=OF_THIS_PROCESS,
            seconds=seconds,
            clock=self._clock,
        )
        return self._run(paying.pay())

    def _run(self, flow: Flow[dict[str, Any]]) -> dict[str, Any]:
        try:
            return _plain(self._driver.run(flow))
        except BillingError as error:
            error.payload = _plain(error.payload)
            raise


def _plain(decoded: dict[str, Any]) -> dict[str, Any]:
    """Make a reply one for any JSON encoder, in place: Hermes hands replies on as JSON, which has no ``Decimal``.

    Without recursion: what the decoder can nest must not overflow the stack here.
    """
    nested: list[dict[Any, Any] | list[Any]] = [decoded]
    for each in nested:
        for key, value in list(each.items() if isinstance(each, dict) else enumerate(each)):
            if isinstance(value, (dict, list)):
                nested.append(cast("dict[Any, Any]", value))
            elif isinstance(value, Decimal):
                each[key] = _plain_number(value)
    return decoded


def _plain_number(value: Decimal) -> float | str:
    # Only where the float has the same digits. Money of the contract is a string anyway.
    number = float(value)
    return number if Decimal(repr(number)) == value else str(value)
