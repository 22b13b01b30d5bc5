"""The results of calls: frozen dataclasses, with money as ``Decimal`` exactly as the portal sent it.

Enumerations are open: a role, reason or status that the contract does not know yet is passed on unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from ._wire_types import ChargeId as ChargeId
from ._wire_types import Number as Number
from ._wire_types import PortalUrl as PortalUrl


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
class BillingState:
    """What a terminal shows before a purchase.

    Attributes:
        card: None for a member, and if no reusable card is saved.
        payment_method: The same for portals that know more than cards. None for a member and from older portals.
        monthly_cap: None for a member.
        auto_reload: None for a member.
        can_change_plan: A capability that outranks the role, or None if the portal does not say.
        portal_url: An absolute link to billing on the portal.
        raw: The decoded JSON, unknown fields included; its numbers are ``int`` and ``Decimal``.
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
    raw: dict[str, Any] = field(default_factory=dict[str, Any], repr=False, hash=False)

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
class ChargeAccepted:
    """The charge was accepted. It is **not** paid until its status is settled."""

    charge_id: ChargeId
    raw: dict[str, Any] = field(default_factory=dict[str, Any], repr=False, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargePending:
    """Not settled yet, or an unknown id. ``status`` is ``"pending"``, or one that this SDK does not know."""

    status: str
    raw: dict[str, Any] = field(default_factory=dict[str, Any], repr=False, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeSettled:
    """Paid: the balance has been raised by ``amount_usd`` dollars.

    Attributes:
        settled_at: When, with an offset, or None if the portal gives no date that can be read.
    """

    amount_usd: Decimal
    settled_at: datetime | None = None
    raw: dict[str, Any] = field(default_factory=dict[str, Any], repr=False, hash=False)
    status: Literal["settled"] = "settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeFailed:
    """Not paid, for good. ``reason`` is ``"authentication_required"`` (finish on the portal), ``"card_declined"`` …"""

    reason: str
    raw: dict[str, Any] = field(default_factory=dict[str, Any], repr=False, hash=False)
    status: Literal["failed"] = "failed"


ChargeStatus = ChargePending | ChargeSettled | ChargeFailed
"""What is known of a charge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionOrganisation:
    """The organisation that the token is bound to, as a subscription names it."""

    id: str
    name: str
    role: str
    slug: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentSubscription:
    """The plan of an organisation. At most one change of it is pending: another tier, or its end.

    Attributes:
        monthly_credits, credits_remaining: Dollars of credits a month, and those left in this period.
        cycle_ends_at: The end of the period, with an offset.
        pending_downgrade_tier_name, pending_downgrade_at: The tier that follows, and when, or None.
        cancel_at_period_end, cancellation_effective_at: Whether it ends with the period, and when.
    """

    tier_id: str = field(metadata={"formerly": "id"})
    tier_name: str = field(metadata={"formerly": "name"})
    monthly_credits: Decimal
    credits_remaining: Decimal | None
    cycle_ends_at: datetime | None = None
    pending_downgrade_tier_name: str | None = None
    pending_downgrade_at: datetime | None = None
    cancel_at_period_end: bool
    cancellation_effective_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionTier:
    """A tier that can be chosen, or kept only (``is_enabled`` False). A higher ``tier_order`` is an upgrade.

    ``dollars_per_month_display`` and ``monthly_credits`` are dollars.
    """

    tier_id: str = field(metadata={"formerly": "id"})
    name: str
    tier_order: int
    dollars_per_month_display: Decimal
    monthly_credits: Decimal
    is_current: bool
    is_enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """The subscription of an organisation, and the tiers that there are.

    Attributes:
        context: ``"personal"``, ``"team"`` …
        can_change_plan: A capability that outranks the role, or None if the portal does not say.
        portal_url: An absolute link to billing on the portal.
        current: None without a plan.
        raw: The decoded JSON, unknown fields included.
    """

    org: SubscriptionOrganisation
    context: str
    can_change_plan: bool | None = None
    portal_url: PortalUrl
    current: CurrentSubscription | None
    tiers: tuple[SubscriptionTier, ...]
    raw: dict[str, Any] = field(default_factory=dict[str, Any], repr=False, hash=False)

    @property
    def may_change_plan(self) -> bool:
        """Whether the person may change the plan, by capability or else by role."""
        return self.org.role in ("OWNER", "ADMIN") if self.can_change_plan is None else self.can_change_plan


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionPreview:
    """What a change to a tier would do. Nothing was changed or charged.

    Attributes:
        effect: ``"charge_now"`` (an upgrade), ``"scheduled"`` (at ``effective_at``), ``"no_op"``, ``"blocked"`` (see
            ``reason``), or one that this SDK does not know.
        monthly_credits_delta: Dollars of credits a month, more or fewer.
        amount_due_now_cents: Whole cents that an upgrade would charge now, or None.
    """

    effect: str
    reason: str | None = None
    current_tier_id: str | None = None
    current_tier_name: str | None = None
    target_tier_id: str | None = None
    target_tier_name: str | None = None
    monthly_credits_delta: Decimal | None = None
    amount_due_now_cents: int | None = None
    effective_at: datetime | None = None
    raw: dict[str, Any] = field(default_factory=dict[str, Any], repr=False, hash=False)

    @property
    def is_blocked(self) -> bool:
        """Whether the change is not possible. An effect that this SDK does not know counts as blocked."""
        return self.effect not in ("charge_now", "scheduled", "no_op")


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChange:
    """What is pending now: another tier (``target_tier_name``), or the end of the subscription.

    Attributes:
        rail: How the subscription is paid.
        message: The portal's own sentence for a person, or None.
        cancel_at_period_end: Whether it ends with the period. None if a tier was chosen.
    """

    rail: str
    message: str | None = None
    change_type: str | None = None
    target_tier_name: str | None = None
    cancel_at_period_end: bool | None = None
    raw: dict[str, Any] = field(default_factory=dict[str, Any], repr=False, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionUpgrade:
    """How an upgrade ended.

    Attributes:
        status: ``"upgraded"`` and ``"already_on_tier"``: done. ``"requires_action"`` and ``"payment_failed"``: a person
            finishes it at ``recovery_url``. Any other: see ``outcome_unknown``.
        reason: Why the payment failed, or None.
        recovery_url: An absolute link for the person: the portal's own, or else to billing on the portal.
    """

    status: str
    target_tier_id: str | None = None
    target_tier_name: str | None = None
    reason: str | None = None
    recovery_url: PortalUrl
    raw: dict[str, Any] = field(default_factory=dict[str, Any], repr=False, hash=False)

    @property
    def is_upgraded(self) -> bool:
        """Whether the organisation is on the tier."""
        return self.status in ("upgraded", "already_on_tier")

    @property
    def outcome_unknown(self) -> bool:
        """Whether money may have moved: with a status that this SDK does not know. Read the subscription."""
        return not self.is_upgraded and self.status not in ("requires_action", "payment_failed")
