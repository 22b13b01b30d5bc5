"""What the control interface shows, as JSON. It shows no token."""

from typing import Any

from .clock import MockClock
from .ledger import Charge, timestamp, usd
from .organisations import Organisation, Person
from .portal import Portal
from .recording import RecordedRequest

Json = dict[str, Any]


def state(portal: Portal) -> Json:
    """The whole portal."""
    return {
        "clock": clock(portal.clock),
        "organisations": [organisation(each) for each in portal.organisations],
        "people": [person(each) for each in portal.people],
        "devices": [{"userCode": each.user_code, "scope": each.scope} for each in portal.oauth.devices.waiting()],
        "violations": list(portal.violations),
    }


def clock(clock: MockClock) -> Json:
    """The time."""
    return {"now": timestamp(clock.datetime()), "frozen": clock.frozen}


def organisation(organisation: Organisation) -> Json:
    """An organisation with its ledger."""
    low, high = organisation.bounds
    tier, cap = organisation.plan.tier, organisation.monthly_cap
    return {
        "id": organisation.id,
        "slug": organisation.slug,
        "name": organisation.name,
        "balanceUsd": usd(organisation.balance),
        "card": organisation.card.to_wire() if organisation.card else None,
        "cliBillingEnabled": organisation.cli_billing_enabled,
        "monthlyCapUsd": None if cap is None else usd(cap),
        "consentRequired": organisation.consent_required,
        "minUsd": usd(low),
        "maxUsd": usd(high),
        "tierId": tier.id if tier else None,
        "charges": [_charge(each) for each in organisation.charges],
    }


def person(person: Person) -> Json:
    """A person."""
    return {
        "id": person.id,
        "name": person.name,
        "organisation": person.organisation.id,
        "role": person.role,
        "canChangePlan": person.can_change_plan,
    }


def request(request: RecordedRequest) -> Json:
    """A request as it arrived, without its secrets."""
    # The form of an OAuth request has the code of a device.
    secret = (request.operation or "").startswith("oauth_")
    return {
        "operation": request.operation,
        "method": request.method,
        "path": request.path,
        "headers": request.shown_headers,
        "body": "***" if secret else request.body.decode(errors="replace"),
        "status": request.status,
    }


def _charge(charge: Charge) -> Json:
    return {
        "id": charge.id,
        "key": charge.key,
        "amountUsd": usd(charge.amount),
        "status": charge.status,
        "reason": charge.reason,
        "createdAt": timestamp(charge.created_at),
    }
