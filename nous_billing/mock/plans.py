"""The subscription of an organisation: its tiers, its period, and the one change that may be pending."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from .clock import MockClock
from .ledger import timestamp, usd

PERIOD = timedelta(days=30)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Tier:
    """A tier: dollars a month, and the dollars of credits that it gives. `order` ranks it."""

    id: str
    name: str
    order: int
    price: Decimal
    credits: Decimal
    enabled: bool = True


TIERS = (
    Tier("tier_basic", "Basic", 1, Decimal(10), Decimal(11)),
    Tier("tier_plus", "Plus", 2, Decimal(20), Decimal(22)),
    Tier("tier_super", "Super", 3, Decimal(40), Decimal(46)),
    Tier("tier_legacy", "Legacy", 4, Decimal(50), Decimal(50), enabled=False),
)


@dataclass(frozen=True)
class Upgrade:
    """An upgrade that was paid, in dollars."""

    key: str
    tier: Tier
    amount: Decimal
    made_at: datetime


@dataclass
class Plan:
    """The plan of an organisation. Time moves it: at the end of its period it renews, changes or ends.

    `tier_id` is None without a plan. `pending` is the id of the tier that follows, or `"cancellation"`. `unfinished` is
    the upgrade that a person has to finish: its key and its tier.
    """

    clock: MockClock
    tier_id: str | None = "tier_plus"
    tiers: Sequence[Tier] = TIERS
    context: str = "personal"
    pending: str | Literal["cancellation"] | None = None
    used: Decimal = Decimal(0)
    upgrades: list[Upgrade] = field(default_factory=list[Upgrade])
    unfinished: tuple[str, Tier] | None = None

    def __post_init__(self) -> None:
        self.ends_at: datetime = self.clock.datetime() + PERIOD

    def find(self, tier_id: str) -> Tier | None:
        """The tier with this id."""
        return next((tier for tier in self.tiers if tier.id == tier_id), None)

    @property
    def tier(self) -> Tier | None:
        """The tier that the organisation is on."""
        self._renew()
        return None if self.tier_id is None else self.find(self.tier_id)

    def price_of(self, target: Tier) -> Decimal:
        """Dollars that an upgrade charges now: the difference for the rest of the period, in whole cents."""
        tier = self.tier
        left = Decimal((self.ends_at - self.clock.datetime()) // _SECOND) / (PERIOD // _SECOND)
        amount = (target.price - (tier.price if tier else 0)) * left
        return amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)

    def upgrade(self, key: str, target: Tier) -> None:
        """Pay for the rest of the period, and move to the tier now. Nothing is pending or unfinished any more."""
        self.upgrades.append(Upgrade(key, target, self.price_of(target), self.clock.datetime()))
        self.tier_id, self.pending, self.unfinished = target.id, None, None

    def finish_upgrade(self) -> None:
        """Pay the unfinished upgrade. Raises LookupError without one."""
        if self.unfinished is None:
            raise LookupError("No upgrade waits for a person.")
        self.upgrade(*self.unfinished)

    def undo_pending(self) -> None:
        """Keep the plan. What the end of a period has carried out already stays so."""
        self._renew()
        self.pending = None

    def _renew(self) -> None:
        while self.tier_id is not None and self.clock.datetime() >= self.ends_at:
            if self.pending is not None:
                self.tier_id = None if self.pending == "cancellation" else self.pending
            self.pending, self.used = None, Decimal(0)
            self.ends_at += PERIOD

    def current_to_wire(self) -> dict[str, Any] | None:
        """The plan as JSON, or None without one."""
        tier = self.tier
        if tier is None:
            return None
        follows = self.find(self.pending) if self.pending else None
        cancelled = self.pending == "cancellation"
        return {
            "tierId": tier.id,
            "tierName": tier.name,
            "monthlyCredits": usd(tier.credits),
            "creditsRemaining": usd(tier.credits - self.used),
            "cycleEndsAt": timestamp(self.ends_at),
            "cancelAtPeriodEnd": cancelled,
            **({"cancellationEffectiveAt": timestamp(self.ends_at)} if cancelled else {}),
            **(
                {"pendingDowngradeTierName": follows.name, "pendingDowngradeAt": timestamp(self.ends_at)}
                if follows
                else {}
            ),
        }

    def tiers_to_wire(self) -> list[dict[str, Any]]:
        """The tiers as JSON; one that is not enabled is shown only to who is on it."""
        current = self.tier
        return [
            {
                "tierId": tier.id,
                "name": tier.name,
                "tierOrder": tier.order,
                "dollarsPerMonthDisplay": usd(tier.price),
                "monthlyCredits": usd(tier.credits),
                "isCurrent": tier is current,
                "isEnabled": tier.enabled,
            }
            for tier in self.tiers
            if tier.enabled or tier is current
        ]
