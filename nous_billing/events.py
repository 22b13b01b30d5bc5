"""What happens in a client, as its ``observer`` is told: requests, what happens to money, and renewed logins.

The log records of the logger ``nous_billing`` are made of the same events. No event holds a token, a cookie or another
secret. More events and more fields may be added.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded:
    """A call of a method of the client is over. Not logged.

    Attributes:
        call: A number that all events of one call have in common.
        error: The class of what the call raised, or None.
    """

    call: int
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeBegun:
    """A request is about to be sent. Not logged.

    Attributes:
        call: A number that all events of one call have in common.
        exchange: A number that this event and its ``ExchangeEnded`` have in common.
        method: Such as ``"POST"``.
        base_url: The portal's.
        path: Without its query.
        attempt: 1, and more where the same request was sent before.
    """

    call: int
    exchange: int
    method: str
    base_url: str
    path: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeEnded(ExchangeBegun):
    """A request was answered, or failed. Logged at ``DEBUG``.

    Attributes:
        status: The HTTP status, or None where none came.
        error: ``"timeout"``, ``"network_error"`` or the class of an exception. None after a complete reply.
        milliseconds: How long it took, connecting included.
        request_id: The portal's, or None.
        connection: Whether it went over a new connection or a kept one. None where that is not known.
        was_sent: Whether it may have arrived.
    """

    status: int | None
    error: str | None
    milliseconds: float
    request_id: str | None
    connection: Literal["new", "kept"] | None
    was_sent: bool

    @property
    def template(self) -> str:
        """The message of the log record; its arguments are the fields."""
        if self.error is None:
            end = "%(status)s in %(milliseconds).0f ms (request %(request_id)s"
        else:
            end = "%(error)s after %(milliseconds).0f ms (status %(status)s, may have arrived: %(was_sent)s"
        return f"%(method)s %(path)s: {end}, attempt %(attempt)d, connection %(connection)s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseEvent:
    """Something happened to money. Logged at ``INFO``.

    Attributes:
        call: A number that all events of one call have in common.
        what: ``"credits"``, or ``"upgrade"``: of a subscription.
        key: The idempotency key. None where only the charge is known, as in ``wait_for_charge``.
        amount_usd: Dollars. None where it is not known, as for an upgrade.
        organisation_id: The organisation, where it is known by now.
        charge_id: The charge, where one was accepted.
    """

    call: int
    what: Literal["credits", "upgrade"]
    key: str | None
    amount_usd: Decimal | None = None
    organisation_id: str | None = None
    charge_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseBegun(PurchaseEvent):
    """A call begins to work on a purchase that has not ended.

    Attributes:
        is_continued: Whether an earlier call began it.
    """

    template: ClassVar[str] = (
        "Purchase %(key)s begun (%(what)s, amount_usd %(amount_usd)s, organisation %(organisation_id)s, "
        "continued: %(is_continued)s)"
    )

    is_continued: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseSent(PurchaseEvent):
    """The request that charges is about to be sent.

    Attributes:
        attempt: 1, and more where this call sent it before, with the same key.
    """

    template: ClassVar[str] = (
        "Purchase %(key)s sent (%(what)s, amount_usd %(amount_usd)s, organisation %(organisation_id)s, "
        "attempt %(attempt)d)"
    )

    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseAccepted(PurchaseEvent):
    """The portal has accepted the charge. It is not paid yet."""

    template: ClassVar[str] = (
        "Purchase %(key)s accepted as charge %(charge_id)s (%(what)s, amount_usd %(amount_usd)s, organisation "
        "%(organisation_id)s)"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseEnded(PurchaseEvent):
    """It is known how a purchase ended.

    Attributes:
        status: ``"settled"``, ``"failed"`` or ``"not_made"``; of an upgrade, the portal's own. ``"refused"``: this
            ``post_charge``, ``upgrade_subscription`` or purchase of another amount charged nothing; what another call
            with the key did, it does not say.
        reason: Why it failed or was not made: the portal's reason, or the code of the error. None where it is paid.
        seconds: Since it was begun, or since the call began to wait.
        is_first: False if another call with the key has saved the same end before. Count those that are first.
    """

    template: ClassVar[str] = (
        "Purchase %(key)s %(status)s after %(seconds).1f s (%(what)s, amount_usd %(amount_usd)s, organisation "
        "%(organisation_id)s, charge %(charge_id)s, reason %(reason)s)"
    )

    status: str
    reason: str | None
    seconds: float
    is_first: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseUncertain(PurchaseEvent):
    """A call ends without knowing whether the charge was made, or how it ended. Money may have moved.

    A loop over ``follow_purchase`` that is left, even in the middle of a request, tells nothing.

    Attributes:
        error: The code of the error, such as ``"purchase_uncertain"``, or the class of another exception.
    """

    template: ClassVar[str] = (
        "Purchase %(key)s uncertain: %(error)s (%(what)s, amount_usd %(amount_usd)s, organisation %(organisation_id)s, "
        "charge %(charge_id)s)"
    )

    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRefreshed:
    """A ``StoredLogin`` has renewed its token, or could not. Logged at ``DEBUG``.

    Attributes:
        call: The call that needed it; 0 where it was no call of a client.
        base_url: The portal's.
        error: The code of the error, or the class of another exception. None where it has a new token.
    """

    template: ClassVar[str] = "Login to %(base_url)s refreshed (error %(error)s)"

    call: int
    base_url: str
    error: str | None


Event = (
    CallEnded
    | ExchangeBegun
    | ExchangeEnded
    | PurchaseBegun
    | PurchaseSent
    | PurchaseAccepted
    | PurchaseEnded
    | PurchaseUncertain
    | LoginRefreshed
)
"""All events."""

Observer = Callable[[Event], object]
"""Called with each event, in the thread or task of the call (a refresh: in a thread of the SDK). Must return soon.

What it raises is logged once for each client, and changes nothing: no result, no error, nothing that is said about
money. Only what is no ``Exception``, such as Ctrl-C while it runs, ends the call as it does anywhere else in it. Of
calls that it makes itself it is not told.

It may have a method ``request_headers``, which is called with each ``ExchangeBegun`` and returns headers to send with
that request, such as ``traceparent``.
"""
