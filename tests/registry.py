"""What the tests are told by hand of operations and error codes; what follows from the contract is in ``documented``.

A new operation costs one entry of ``ENTRIES``; a new error code, one row of ``RAISES``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import nous_billing as nb
from nous_billing.mock.ledger import Charge
from nous_billing.mock.plans import Plan, Tier

KEY = "7f2c1b9e-3d54-4c8a-9a51-0f6f1f2f7a10"


@dataclass(frozen=True)
class Entry:
    """What the contract does not say of an operation.

    Attributes:
        arguments: Those of the facade's method, all of them.
        gates: Codes with which the mock refuses by itself; any other that the contract declares is injected.
        reads_only: Whether it changes nothing although it is no GET.
        optional: The arguments that may be None, as in one of several bodies.
        prepare: Has the portal allow whatever the contract allows.
    """

    arguments: Mapping[str, Any]
    gates: tuple[str, ...] = ()
    reads_only: bool = False
    optional: tuple[str, ...] = ()
    prepare: Callable[["Rig"], object] = lambda rig: None


_ACCESS = ("insufficient_scope", "remote_spending_revoked", "org_access_denied")
_SUBSCRIPTION = (*_ACCESS, "role_required", "cli_billing_disabled")
_MANAGE = (*_ACCESS, "role_required", "cli_billing_disabled", "no_payment_method")

ENTRIES: dict[str, Entry] = {
    "get_billing_state": Entry({}, ("org_access_denied",)),
    "patch_auto_top_up": Entry({"enabled": True, "threshold": "20", "top_up_amount": "100.5"}, _MANAGE),
    "post_charge": Entry(
        {"amount_usd": "50.25", "idempotency_key": KEY},
        (
            *_MANAGE,
            "consent_required",
            "monthly_cap_exceeded",
            "amount_out_of_bounds",
            "idempotency_conflict",
            "rate_limited",
        ),
    ),
    "get_charge_status": Entry({"charge_id": "ch_1"}, _ACCESS),
    "get_subscription": Entry({}, ("org_access_denied",)),
    "preview_subscription_change": Entry(
        {"subscription_type_id": "tier_super"}, _SUBSCRIPTION, reads_only=True, prepare=lambda rig: rig.rank_any_tier(9)
    ),
    "set_pending_subscription_change": Entry(
        {"subscription_type_id": "tier_basic"},
        _SUBSCRIPTION,
        optional=("subscription_type_id",),
        prepare=lambda rig: rig.rank_any_tier(0),
    ),
    "delete_pending_subscription_change": Entry({}, _SUBSCRIPTION),
    "upgrade_subscription": Entry(
        {"subscription_type_id": "tier_super", "idempotency_key": KEY},
        (*_MANAGE, "consent_required", "monthly_cap_exceeded", "idempotency_conflict", "upgrade_cap_exceeded"),
        prepare=lambda rig: rig.rank_any_tier(9),
    ),
}

RAISES: dict[str, type[nb.BillingError]] = {
    "invalid_token": nb.BillingAuthError,
    "session_revoked": nb.BillingSessionRevoked,
    "insufficient_scope": nb.BillingScopeRequired,
    "remote_spending_revoked": nb.BillingRemoteSpendingRevoked,
    "role_required": nb.BillingRoleRequired,
    "org_access_denied": nb.BillingAccessDenied,
    "cli_billing_disabled": nb.BillingDisabled,
    "no_payment_method": nb.BillingNoPaymentMethod,
    "monthly_cap_exceeded": nb.BillingMonthlyCapExceeded,
    "consent_required": nb.BillingConsentRequired,
    "card_paused": nb.BillingNoPaymentMethod,
    "card_expired": nb.BillingNoPaymentMethod,
    "card_mismatch": nb.BillingNoPaymentMethod,
    "auto_top_up_disabled_failures": nb.BillingAccessDenied,
    "subscription_mutation_rejected": nb.BillingAccessDenied,
    "preview_rejected": nb.BillingAccessDenied,
    "upgrade_cap_exceeded": nb.BillingUpgradeCapExceeded,
    "validation_failed": nb.BillingInvalidRequest,
    "amount_out_of_bounds": nb.BillingInvalidRequest,
    "idempotency_key_required": nb.BillingInvalidRequest,
    "idempotency_conflict": nb.BillingIdempotencyConflict,
    "rate_limited": nb.BillingRateLimited,
    "temporarily_unavailable": nb.BillingRateLimited,
    "stripe_unavailable": nb.BillingStripeUnavailable,
}


class AnyTier(Plan):
    """A plan that has every tier that somebody asks for."""

    rank = 0

    def find(self, tier_id: str) -> Tier:
        return super().find(tier_id) or Tier(tier_id, "Any", self.rank, Decimal(100), Decimal(100))


class Rig:
    """A portal being served, and an organisation in it that refuses only what the contract forbids."""

    def __init__(self, portal: Any) -> None:
        self.portal = portal
        self.renew()

    def renew(self) -> None:
        """Have a new organisation, and a token of its owner."""
        self.organisation = self.portal.add_organisation("Acme", monthly_cap=Decimal(10) ** 12)
        self.organisation.bounds = (Decimal("0.01"), Decimal(1_000_000))
        self.log_in()

    def log_in(self, **login: Any) -> None:
        """Have the token of another person, of an owner unless the role is given, that lasts for years."""
        person = self.portal.add_person("Ada", self.organisation, role=login.pop("role", "OWNER"))
        self.token = self.portal.issue_token(person, lifetime=10.0**9, **login)

    def rank_any_tier(self, rank: int) -> None:
        """Have a tier of every id, above or below that of the organisation."""
        self.organisation.plan = AnyTier(self.portal.clock, "tier_basic" if rank else "tier_super")
        self.organisation.plan.rank = rank

    def change(self, **attributes: Any) -> None:
        """Change the organisation."""
        for name, value in attributes.items():
            setattr(self.organisation, name, value)

    def use_key(self, key: str) -> None:
        """Have a charge with the key, of an amount that no request may have."""
        self.organisation.add_charge(Charge(key, Decimal("0.001"), "4242", self.portal.clock, 0))

    def use_up_the_upgrades(self) -> None:
        while self.portal._upgrades.admit(self.organisation.id) is None:
            pass

    def use_up_the_limit(self) -> None:
        while self.portal._limiter.admit(self.organisation.id) is None:
            pass


# By code, the ways to have the mock refuse with it a request that has the key.
WAYS: dict[str, dict[str, Callable[[Rig, str], object]]] = {
    "invalid_token": {
        "unknown token": lambda rig, key: setattr(rig, "token", "nobody-issued-this"),
        "expired": lambda rig, key: rig.portal.expire(rig.token),
    },
    "session_revoked": {"logged out": lambda rig, key: rig.portal.revoke_session(rig.token)},
    "insufficient_scope": {"no scope": lambda rig, key: rig.log_in(scope="inference:invoke")},
    "remote_spending_revoked": {
        "stopped by the person": lambda rig, key: rig.portal.stop_spending(rig.token, "self"),
        "stopped by an admin": lambda rig, key: rig.portal.stop_spending(rig.token, "admin"),
    },
    "role_required": {"a member": lambda rig, key: rig.log_in(role="MEMBER")},
    "org_access_denied": {"denied": lambda rig, key: rig.portal.deny_organisation(rig.token)},
    "cli_billing_disabled": {"kill-switch": lambda rig, key: rig.change(cli_billing_enabled=False)},
    "no_payment_method": {"no card": lambda rig, key: rig.change(card=None)},
    "consent_required": {"no consent": lambda rig, key: rig.change(consent_required=True)},
    "monthly_cap_exceeded": {"cap": lambda rig, key: rig.change(monthly_cap=Decimal(0))},
    "amount_out_of_bounds": {"bounds": lambda rig, key: rig.change(bounds=(Decimal(2_000_000), Decimal(3_000_000)))},
    "idempotency_conflict": {"used key": lambda rig, key: rig.use_key(key)},
    "upgrade_cap_exceeded": {"five today": lambda rig, key: rig.use_up_the_upgrades()},
    "rate_limited": {"used up": lambda rig, key: rig.use_up_the_limit()},
}
