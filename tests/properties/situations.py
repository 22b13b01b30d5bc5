"""Situations in which a portal answers whatever it is asked with one documented status."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from nous_billing.mock import Fault
from nous_billing.mock.ledger import Charge

OPERATIONS = ("get_billing_state", "patch_auto_top_up", "post_charge", "get_charge_status")
MANAGING = OPERATIONS[1:]
SPENDING = OPERATIONS[1:3]
CHARGE = ("post_charge",)


class Rig:
    """A portal being served, and an organisation in it that refuses only what the contract forbids."""

    def __init__(self, portal):
        self.portal = portal
        self.renew()

    def renew(self):
        """Have a new organisation, and a token of its owner."""
        self.organisation = self.portal.add_organisation("Acme", monthly_cap=Decimal(10) ** 12)
        self.organisation.bounds = (Decimal("0.01"), Decimal(1_000_000))
        self.log_in()

    def log_in(self, **login):
        """Have the token of another person, of an owner unless the role is given, that lasts for years."""
        person = self.portal.add_person("Ada", self.organisation, role=login.pop("role", "OWNER"))
        self.token = self.portal.issue_token(person, lifetime=10.0**9, **login)


@dataclass(frozen=True)
class Situation:
    """What makes a portal answer requests of an operation with one status and code."""

    operation: str
    status: int
    code: str | None
    name: str
    prepare: Callable[[Rig, Any], object]

    def __str__(self):
        return f"{self.operation}-{self.status}-{self.name}"


def _nothing(rig, case):
    pass


def _unknown_token(rig, case):
    rig.token = "nobody-issued-this"


def without_scope(rig, case=None):
    rig.log_in(scope="inference:invoke")


def _as_member(rig, case):
    rig.log_in(role="MEMBER")


def _change(**attributes):
    def prepare(rig, case):
        for name, value in attributes.items():
            setattr(rig.organisation, name, value)

    return prepare


def _used_key(rig, case):
    # By a charge of an amount that no request may have.
    rig.organisation.add_charge(Charge(case.headers["Idempotency-Key"], Decimal("0.001"), "4242", rig.portal.clock, 0))


def _used_up_limit(rig, case):
    while rig.portal._limiter.admit(rig.organisation.id) is None:
        pass


def _fault(operation, fault):
    return lambda rig, case: rig.portal.inject(fault, operation)


def _situations(operations, status, code, name, prepare):
    return [Situation(operation, status, code, name, prepare) for operation in operations]


_SUCCESS = {"get_billing_state": 200, "patch_auto_top_up": 200, "post_charge": 202, "get_charge_status": 200}

SITUATIONS = [
    *(Situation(operation, status, None, "success", _nothing) for operation, status in _SUCCESS.items()),
    *_situations(OPERATIONS, 401, "invalid_token", "unknown token", _unknown_token),
    *_situations(OPERATIONS, 401, "invalid_token", "expired", lambda rig, case: rig.portal.expire(rig.token)),
    *_situations(
        OPERATIONS, 401, "session_revoked", "logged out", lambda rig, case: rig.portal.revoke_session(rig.token)
    ),
    *_situations(MANAGING, 403, "insufficient_scope", "no scope", without_scope),
    *_situations(
        MANAGING,
        403,
        "remote_spending_revoked",
        "stopped",
        lambda rig, case: rig.portal.stop_spending(rig.token, "admin"),
    ),
    *_situations(SPENDING, 403, "role_required", "a member", _as_member),
    *_situations(
        OPERATIONS, 403, "org_access_denied", "denied", lambda rig, case: rig.portal.deny_organisation(rig.token)
    ),
    *_situations(SPENDING, 403, "cli_billing_disabled", "kill-switch", _change(cli_billing_enabled=False)),
    *_situations(SPENDING, 403, "no_payment_method", "no card", _change(card=None)),
    *_situations(CHARGE, 403, "consent_required", "no consent", _change(consent_required=True)),
    *_situations(CHARGE, 403, "monthly_cap_exceeded", "cap", _change(monthly_cap=Decimal(0))),
    *_situations(
        CHARGE, 400, "amount_out_of_bounds", "bounds", _change(bounds=(Decimal(2_000_000), Decimal(3_000_000)))
    ),
    *_situations(CHARGE, 409, "idempotency_conflict", "used key", _used_key),
    *_situations(CHARGE, 429, "rate_limited", "used up", _used_up_limit),
    *(
        Situation(operation, status, code, name, _fault(operation, Fault.reply(status, body, headers)))
        for operation, status, code, name, body, headers in [
            # What is not sent by the facade, or not counted by the mock.
            ("patch_auto_top_up", 400, "validation_failed", "refused", {"message": "No."}, {}),
            ("get_charge_status", 429, "rate_limited", "limited", {}, {"Retry-After": "7"}),
            ("post_charge", 503, "stripe_unavailable", "processor", {}, {"Retry-After": "60"}),
            *((name, 503, "temporarily_unavailable", "outage", {}, {"Retry-After": "60"}) for name in OPERATIONS),
        ]
        for body in [{"error": code, **body}]
    ),
    *(
        Situation(operation, status, None, "failing", _fault(operation, Fault.html(status)))
        for operation in OPERATIONS
        for status in (500, 502, 504)
    ),
]
