"""Organisations, their people and their cards."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .clock import MockClock
from .key_memory import KeyMemory
from .ledger import Charge, usd
from .plans import Plan
from .replies import Refusal, Reply

DEFAULT_CEILING = Decimal("1000")


@dataclass(frozen=True)
class Card:
    """A saved card. The last four digits decide how a charge ends, see `nous_billing.mock.ledger`."""

    brand: str
    last4: str
    resolved_via: str | None = None

    def to_wire(self) -> dict[str, Any]:
        """The card as the billing state shows it."""
        shown = {"brand": self.brand, "last4": self.last4}
        return shown if self.resolved_via is None else {**shown, "resolvedVia": self.resolved_via}

    def to_payment_method(self) -> dict[str, Any]:
        """The same as a later portal shows it. A Link wallet has the brand `Link`."""
        if self.brand != "Link":
            return {"kind": "card", **self.to_wire()}
        return {"kind": "link", **({} if self.resolved_via is None else {"resolvedVia": self.resolved_via})}


@dataclass
class AutoReload:
    """The auto-reload settings, in dollars. `card` is the JSON object of another card than the organisation's."""

    enabled: bool = False
    threshold: Decimal | None = None
    reload_to: Decimal | None = None
    card: dict[str, Any] | None = None


class Organisation:
    """An organisation. Its attributes are plain and may be changed at any time; amounts are dollars."""

    def __init__(
        self,
        name: str,
        clock: MockClock,
        *,
        number: int,
        balance: Decimal | str,
        card: Card | None,
        cli_billing_enabled: bool,
        monthly_cap: Decimal | str | None,
    ) -> None:
        self.id: str = f"org_{number}"
        self.slug: str = "-".join(name.lower().split())
        self.name = name
        self.card = card
        self.cli_billing_enabled = cli_billing_enabled
        self.monthly_cap: Decimal | None = None if monthly_cap is None else Decimal(monthly_cap)
        self.bounds: tuple[Decimal, Decimal] = (Decimal("10"), Decimal("10000"))
        self.presets: Sequence[Decimal] = (Decimal("100"), Decimal("250"), Decimal("500"))
        self.consent_required = False
        self.auto_reload: AutoReload | None = AutoReload()
        self._clock = clock
        self.keys: KeyMemory = KeyMemory()
        self.plan: Plan = Plan(clock)
        self._charges: dict[str, Charge] = {}
        self._opening = Decimal(balance)

    def __repr__(self) -> str:
        return f"Organisation({self.name!r}, balance={usd(self.balance)!r}, charges={len(self._charges)})"

    @property
    def balance(self) -> Decimal:
        """Dollars to spend: a charge counts from the moment it is settled."""
        return self._opening + self._settled()

    @balance.setter
    def balance(self, value: Decimal | str) -> None:
        self._opening = Decimal(value) - self._settled()

    @property
    def charges(self) -> list[Charge]:
        """The ledger, oldest first."""
        return list(self._charges.values())

    @property
    def spending_limit(self) -> Decimal:
        """The organisation's own monthly cap, or the default ceiling."""
        return DEFAULT_CEILING if self.monthly_cap is None else Decimal(self.monthly_cap)

    @property
    def spent_this_month(self) -> Decimal:
        """Settled and pending charges of the calendar month (UTC), and its upgrades."""
        now = self._clock.datetime()
        paid = [(c.created_at, c.amount) for c in self.charges if c.status != "failed"]
        paid += [(upgrade.made_at, upgrade.amount) for upgrade in self.plan.upgrades]
        month = [amount for made_at, amount in paid if (made_at.year, made_at.month) == (now.year, now.month)]
        return sum(month, Decimal(0))

    def for_managers(self) -> dict[str, Any]:
        """The part of the billing state that is hidden from a member."""
        reload = self.auto_reload
        canonical = {"kind": "canonical" if self.card else "none"}
        return {
            "card": self.card.to_wire() if self.card else None,
            "paymentMethod": self.card.to_payment_method() if self.card else None,
            "monthlyCap": {
                "limitUsd": usd(self.spending_limit),
                "spentThisMonthUsd": usd(self.spent_this_month),
                "isDefaultCeiling": self.monthly_cap is None,
            },
            "autoReload": reload
            and {
                "enabled": reload.enabled,
                "thresholdUsd": None if reload.threshold is None else usd(reload.threshold),
                "reloadToUsd": None if reload.reload_to is None else usd(reload.reload_to),
                "card": reload.card or canonical,
            },
        }

    def charge_for(self, key: str) -> Charge | None:
        """The charge that was made with this idempotency key."""
        return self._charges.get(key)

    def add_charge(self, charge: Charge) -> None:
        """Enter a charge in the ledger, and remember its key as that of a `post_charge`."""
        self._charges[charge.key] = charge
        request = "post_charge", dict[str, object](), {"amountUsd": charge.amount}
        self.keys.remember(charge.key, request, Reply(202, {"chargeId": charge.id}))

    def _settled(self) -> Decimal:
        return sum((charge.amount for charge in self.charges if charge.status == "settled"), Decimal(0))


@dataclass
class Person:
    """Someone in an organisation. `can_change_plan` outranks the role if it is set."""

    id: str
    name: str
    organisation: Organisation
    role: str = "OWNER"
    can_change_plan: bool | None = None

    @property
    def may_manage(self) -> bool:
        """Whether this person may spend and configure."""
        return self.role in {"OWNER", "ADMIN"} if self.can_change_plan is None else self.can_change_plan


def check_monthly_cap(organisation: Organisation, amount: Decimal) -> None:
    """Refuse a payment above what is left of the monthly cap."""
    remaining = max(organisation.spending_limit - organisation.spent_this_month, Decimal(0))
    if amount > remaining:
        raise Refusal.denied(
            "monthly_cap_exceeded",
            f"The charge would exceed the monthly cap; {usd(remaining)} dollars are left.",
            remainingUsd=usd(remaining),
            isDefaultCeiling=organisation.monthly_cap is None,
        )
