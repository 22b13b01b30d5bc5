"""The handlers of the subscription operations."""

from typing import Any

from . import gates
from .calls import Call, handler
from .clock import MockClock
from .ledger import AMBIGUOUS, FAILURES, timestamp, usd
from .limiter import Limiter
from .organisations import Organisation, check_monthly_cap
from .plans import Plan, Tier
from .replies import PORTAL_URL, Refusal, Reply, ReplyLost

UPGRADES_A_DAY = 5
_DAY = 86400.0
_RAIL = "stripe"


class Subscriptions:
    """What the portal does with subscriptions. The saved card's last four digits decide how an upgrade ends."""

    def __init__(self, clock: MockClock) -> None:
        self._upgrades = Limiter(clock, UPGRADES_A_DAY, _DAY)

    @handler(gates.organisation)
    def get_subscription(self, call: Call) -> Reply:
        """The plan and the tiers, for every role."""
        person, organisation = call.person, call.organisation
        body: dict[str, Any] = {
            "org": {
                "id": organisation.id,
                "name": organisation.name,
                "role": person.role,
                "slug": organisation.slug,
            },
            "context": organisation.plan.context,
            "portalUrl": PORTAL_URL,
            "current": organisation.plan.current_to_wire(),
            "tiers": organisation.plan.tiers_to_wire(),
        }
        if person.can_change_plan is not None:
            body["canChangePlan"] = person.can_change_plan
        return Reply(200, body)

    @handler(gates.spending, gates.role, gates.organisation, gates.kill_switch)
    def preview_subscription_change(self, call: Call) -> Reply:
        """Quote a change: `charge_now`, `scheduled`, `no_op`, or `blocked` with its reason."""
        plan = call.organisation.plan
        target = plan.find(call.body["subscriptionTypeId"])
        if target is None:
            raise Refusal(409, "preview_rejected", "There is no such tier.", portalUrl=PORTAL_URL)
        current = plan.tier
        quote: dict[str, Any] = {"targetTierId": target.id, "targetTierName": target.name, "amountDueNowCents": None}
        if current is not None:
            quote |= {
                "currentTierId": current.id,
                "currentTierName": current.name,
                "monthlyCreditsDelta": usd(target.credits - current.credits),
            }
        blocked = _blocked(current, target)
        if blocked:
            quote |= {"effect": "blocked", "reason": blocked}
        elif target == current:
            quote |= {"effect": "no_op"}
        elif current is not None and target.order > current.order:
            quote |= {"effect": "charge_now", "amountDueNowCents": int(plan.price_of(target) * 100)}
        else:
            quote |= {"effect": "scheduled", "effectiveAt": timestamp(plan.ends_at)}
        return Reply(200, quote)

    @handler(gates.spending, gates.role, gates.organisation, gates.kill_switch)
    def set_pending_subscription_change(self, call: Call) -> Reply:
        """Schedule a lower tier, or the end of the plan."""
        plan = call.organisation.plan
        current = plan.tier
        if call.body["type"] == "cancellation":
            if current is None:
                raise _rejected("There is no subscription to cancel.")
            plan.pending = "cancellation"
            message = f"The subscription ends on {plan.ends_at:%B} {plan.ends_at.day}."
            return Reply(200, {"rail": _RAIL, "cancelAtPeriodEnd": True, "message": message})
        target = _known(plan, call.body["subscriptionTypeId"])
        if target.order >= _may_change(current, target).order:
            raise _rejected("Only a lower tier can be scheduled. An upgrade is made at once.")
        plan.pending = target.id
        message = f"The plan changes to {target.name} on {plan.ends_at:%B} {plan.ends_at.day}."
        change = {"changeType": "downgrade", "targetTierName": target.name, "message": message}
        return Reply(200, {"rail": _RAIL, **change})

    @handler(gates.spending, gates.role, gates.organisation, gates.kill_switch)
    def delete_pending_subscription_change(self, call: Call) -> Reply:
        """Keep the plan as it is."""
        call.organisation.plan.undo_pending()
        return Reply(200, {"rail": _RAIL, "cancelAtPeriodEnd": False, "message": "The subscription goes on as it is."})

    @handler(*gates.MANAGE, gates.consent)
    def upgrade_subscription(self, call: Call) -> Reply:
        """Charge the rest of the period and change the tier, once for the key."""
        organisation, plan = call.organisation, call.organisation.plan
        target = _known(plan, call.body["subscriptionTypeId"])

        def check() -> None:
            wait = self._upgrades.admit(organisation.id) if target != plan.tier else None
            if wait is not None:
                raise Refusal(429, "upgrade_cap_exceeded", "There were 5 upgrades today.", retry_after=wait)
            check_monthly_cap(organisation, plan.price_of(target))

        # A replay is answered as before, even where the upgrade could no longer be made.
        return call.once(lambda: self._upgrade(organisation, call, target), check)

    def _upgrade(self, organisation: Organisation, call: Call, target: Tier) -> Reply:
        if target.order < _may_change(organisation.plan.tier, target).order:
            raise _rejected("This is no upgrade. A lower tier is scheduled for the end of the period.")
        answer: dict[str, Any] = {"targetTierId": target.id, "targetTierName": target.name}
        if target == organisation.plan.tier:
            return Reply(200, {"status": "already_on_tier", **answer})
        last4 = organisation.card.last4 if organisation.card else ""
        failure = FAILURES.get(last4)
        if failure:
            organisation.plan.unfinished = call.key, target
            status = "requires_action" if failure == "authentication_required" else "payment_failed"
            return Reply(200, {"status": status, **answer, "reason": failure, "recoveryUrl": PORTAL_URL})
        organisation.plan.upgrade(call.key, target)
        reply = Reply(200, {"status": "upgraded", **answer})
        if last4 == AMBIGUOUS:
            raise ReplyLost(reply)
        return reply


def _known(plan: Plan, tier_id: str) -> Tier:
    target = plan.find(tier_id)
    if target is None:
        raise _rejected("There is no such tier.")
    return target


def _may_change(current: Tier | None, target: Tier) -> Tier:
    """The tier that a change starts from. Refused where the change is blocked."""
    blocked = _blocked(current, target)
    if current is None or blocked:
        raise _rejected(blocked)
    return current


def _blocked(current: Tier | None, target: Tier) -> str:
    if current is None:
        return "There is no subscription yet. Choose a plan on the portal."
    if not target.enabled and target != current:
        return "This tier can no longer be chosen."
    return ""


def _rejected(message: str) -> Refusal:
    return Refusal(409, "subscription_mutation_rejected", message, portalUrl=PORTAL_URL)
