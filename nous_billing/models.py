"""The results of calls: frozen dataclasses, with money as ``Decimal`` exactly as the portal sent it.

The result of a call is a ``Result``: it also has ``raw``, ``headers`` and ``request_id``.

Enumerations are open: a role, reason or status that the contract does not know yet is passed on unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from ._result import Result as Result
from ._subscription_models import CurrentSubscription as CurrentSubscription
from ._subscription_models import PendingChange as PendingChange
from ._subscription_models import Subscription as Subscription
from ._subscription_models import SubscriptionOrganisation as SubscriptionOrganisation
from ._subscription_models import SubscriptionPreview as SubscriptionPreview
from ._subscription_models import SubscriptionTier as SubscriptionTier
from ._subscription_models import SubscriptionUpgrade as SubscriptionUpgrade
from ._wire_types import ChargeId as ChargeId
from ._wire_types import Number as Number
from ._wire_types import PortalUrl as PortalUrl

# Pickles and tracebacks name the public module.
for _moved in (
    SubscriptionOrganisation,
    CurrentSubscription,
    SubscriptionTier,
    Subscription,
    SubscriptionPreview,
    PendingChange,
    SubscriptionUpgrade,
):
    _moved.__module__ = __name__
del _moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """The organisation that the token is bound to. ``role`` is the person's: ``"OWNER"``, ``"ADMIN"``, ``"MEMBER"``
    …"""

    id: str
    slug: str
    name: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The smallest and the greatest charge, in dollars."""

    min_usd: Decimal
    max_usd: Decimal

    def allow(self, amount_usd: Decimal) -> bool:
        """Whether one charge may be of so many dollars. Bounds with a minimum above the maximum say nothing: True."""
        return self.min_usd > self.max_usd or self.min_usd <= amount_usd <= self.max_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The card that a charge would use. A Link wallet has the brand ``"Link"`` and an empty ``last4``."""

    brand: str
    last4: str
    resolved_via: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPaymentMethod:
    """A card. ``wallet`` is the wallet that it is in, or None."""

    kind: Literal["card"]
    brand: str
    last4: str
    wallet: str | None = None
    resolved_via: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPaymentMethod:
    """A Link wallet, and the address that it is known by."""

    kind: Literal["link"]
    email: str | None = None
    resolved_via: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPaymentMethod:
    """A kind that this SDK does not know yet. Its fields are in ``raw``."""

    kind: str
    raw: dict[str, Any] = field(default_factory=dict[str, Any], repr=False, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyCap:
    """What may be spent in a month, in dollars; ``limit_usd`` is None if there is no limit."""

    limit_usd: Decimal | None
    spent_this_month_usd: Decimal
    is_default_ceiling: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoReloadCard:
    """The card of auto-reload. ``kind``: ``"canonical"`` (the same as a charge's), ``"none"`` or ``"distinct"``."""

    kind: str
    payment_method_id: str | None = None
    brand: str | None = None
    last4: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoReload:
    """Auto-reload: below ``threshold_usd`` dollars the balance is reloaded **to** ``reload_to_usd`` dollars."""

    enabled: bool
    threshold_usd: Decimal | None
    reload_to_usd: Decimal | None
    card: AutoReloadCard | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingState(Result):
    """What a terminal shows before a purchase.

    Attributes:
        card: None for a member, and if no reusable card is saved.
        payment_method: The same for portals that know more than cards. None for a member and from older portals.
        monthly_cap: None for a member.
        auto_reload: None for a member.
        can_change_plan: A capability that outranks the role, or None if the portal does not say.
        portal_url: An absolute link to billing on the portal.
    """

    org: Organisation
    balance_usd: Decimal
    cli_billing_enabled: bool
    charge_presets: tuple[Decimal, ...]
    bounds: Bounds
    card: Card | None
    payment_method: CardPaymentMethod | LinkPaymentMethod | OtherPaymentMethod | None = None
    monthly_cap: MonthlyCap | None
    auto_reload: AutoReload | None
    can_change_plan: bool | None = None
    portal_url: PortalUrl

    @property
    def is_admin(self) -> bool:
        """Whether the role is ``OWNER`` or ``ADMIN``."""
        return self.org.role in ("OWNER", "ADMIN")

    @property
    def can_charge(self) -> bool:
        """Whether the person may buy, by capability or else by role, **and** the kill-switch is on."""
        may = self.is_admin if self.can_change_plan is None else self.can_change_plan
        return may and self.cli_billing_enabled


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoTopUpSaved:
    """The settings of auto-reload were saved."""

    ok: Literal[True]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeAccepted(Result):
    """The charge was accepted. It is **not** paid until its status is settled."""

    charge_id: ChargeId


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargePending(Result):
    """Not settled yet, or an unknown id. ``status`` is ``"pending"``, or one that this SDK does not know."""

    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeSettled(Result):
    """Paid: the balance has been raised by ``amount_usd`` dollars.

    Attributes:
        settled_at: When, with an offset, or None if the portal gives no date that can be read.
    """

    amount_usd: Decimal
    settled_at: datetime | None = None
    status: Literal["settled"] = "settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeFailed(Result):
    """Not paid, for good. ``reason`` is ``"authentication_required"`` (finish on the portal), ``"card_declined"`` …"""

    reason: str
    status: Literal["failed"] = "failed"


ChargeStatus = ChargePending | ChargeSettled | ChargeFailed
"""What is known of a charge."""
