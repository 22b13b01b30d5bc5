"""The results of calls about a subscription; public in ``models``."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from ._result import Result
from ._wire_types import PortalUrl


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
class Subscription(Result):
    """The subscription of an organisation, and the tiers that there are.

    Attributes:
        context: ``"personal"``, ``"team"`` …
        can_change_plan: A capability that outranks the role, or None if the portal does not say.
        portal_url: An absolute link to billing on the portal.
        current: None without a plan.
    """

    org: SubscriptionOrganisation
    context: str
    can_change_plan: bool | None = None
    portal_url: PortalUrl
    current: CurrentSubscription | None
    tiers: tuple[SubscriptionTier, ...]

    @property
    def may_change_plan(self) -> bool:
        """Whether the person may change the plan, by capability or else by role."""
        return self.org.role in ("OWNER", "ADMIN") if self.can_change_plan is None else self.can_change_plan


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionPreview(Result):
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

    @property
    def is_blocked(self) -> bool:
        """Whether the change is not possible. An effect that this SDK does not know counts as blocked."""
        return self.effect not in ("charge_now", "scheduled", "no_op")


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChange(Result):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionUpgrade(Result):
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

    @property
    def is_upgraded(self) -> bool:
        """Whether the organisation is on the tier."""
        return self.status in ("upgraded", "already_on_tier")

    @property
    def outcome_unknown(self) -> bool:
        """Whether money may have moved: with a status that this SDK does not know. Read the subscription."""
        return not self.is_upgraded and self.status not in ("requires_action", "payment_failed")
