"""Cases: a person looks at a subscription, changes it, cancels it, and upgrades. From version 0.19 on."""

from __future__ import annotations

import re
from collections.abc import Callable

from nous_billing.mock import Fault

from .buying import Step, card, fault, nothing, switch_off
from .parts import Case, Held, Parts
from .world import World


def subscription(
    *choices: str,
    says: str,
    method: str = "",
    code: str = "",
    tier: str | None = None,
    cancel: bool = False,
    charges: int = 0,
    before: Step = nothing,
    again: bool = False,
    ends: tuple[str | None, str | None] = ("tier_plus", None),
) -> Case:
    """What the person does at the terminal, and the same through the gateway.

    Args:
        code: How the gateway must answer: the error's code, or the status, or ``"ok"``.
        ends: The tier afterwards, and what is pending.
    """

    def looked(world: World) -> Held:
        plan = world.portal.organisation.plan
        return {
            "nothing crashes": not world.crashes,
            **world.charged(charges),
            "the plan is as it should be": (plan.tier_id, plan.pending) == ends,
        }

    def at_the_terminal() -> Held:
        with World() as world:
            before(world)
            for _ in range(1 + again):
                world.terminal(*choices, screen="_show_subscription")
        links = {"links lead to the login's portal": world.links_lead_home()}
        return {**looked(world), **links, "the terminal says it": bool(re.search(says, world.text))}

    def through_the_gateway() -> Held:
        with World() as world:
            before(world)
            arguments = {"subscription_type_id": tier} if tier else {}
            if cancel:
                arguments = {"cancel": True}  # type: ignore[dict-item]
            for _ in range(1 + again):
                answer = world.rpc(f"subscription.{method}", **arguments)
        said = (answer.get("status") or answer.get("effect") or "ok") if answer["ok"] else answer["error"]
        return {**looked(world), "the gateway says it": bool(re.fullmatch(code, str(said)))}

    return Parts(at_the_terminal, *([through_the_gateway] if method else []))


def upgrade(says: str, code: str, **kwargs: object) -> Case:
    return subscription(
        "change",
        "tier_super",
        "yes",
        says=says,
        method="upgrade",
        code=code,
        tier="tier_super",
        **kwargs,  # type: ignore[arg-type]
    )


def pending(change: str) -> Callable[[World], None]:
    def schedule(world: World) -> None:
        world.portal.organisation.plan.pending = change

    return schedule


def lost_upgrade(world: World) -> None:
    world.portal.inject(Fault.drop(acts=True), "upgrade_subscription")
    world.portal.inject(Fault.drop(), "upgrade_subscription", 3)


UPGRADED = ("tier_super", None)

SUBSCRIPTIONS: dict[str, Case] = {
    "subscription screen": subscription(says="Plan: Plus", method="state", code="ok"),
    "subscription: no such route": subscription(
        before=fault(Fault.html(404), "get_subscription", 2), says="Could not load", method="state", code="ok"
    ),
    "subscription: no plan": subscription(
        before=lambda world: setattr(world.portal.organisation.plan, "tier_id", None),
        says="Free",
        method="state",
        code="ok",
        ends=(None, None),
    ),
    "subscription preview": subscription(
        "change", "tier_super", says="You will be charged", method="preview", code="charge_now", tier="tier_super"
    ),
    "subscription preview: no such tier": subscription(
        "change", says="Cancelled", method="preview", code="preview_rejected", tier="tier_none"
    ),
    "subscription change": subscription(
        "change",
        "tier_basic",
        "yes",
        says="Scheduled",
        method="change",
        code="ok",
        tier="tier_basic",
        ends=("tier_plus", "tier_basic"),
    ),
    "subscription cancel": subscription(
        "cancel_sub",
        "yes",
        says="Scheduled",
        method="change",
        code="ok",
        cancel=True,
        ends=("tier_plus", "cancellation"),
    ),
    "subscription kept": subscription(
        "keep", before=pending("cancellation"), says="Undone", method="resume", code="ok"
    ),
    "subscription: kill-switch": subscription(
        "cancel_sub",
        "yes",
        before=switch_off,
        says="(?i)switched off",
        method="change",
        code="cli_billing_disabled",
        cancel=True,
    ),
    "upgrade": upgrade("Upgraded to Super", "upgraded", charges=1, ends=UPGRADED),
    "upgrade: already on the tier": upgrade(
        "(?i)already on Super",
        "already_on_tier",
        before=fault(
            Fault.reply(200, {"status": "already_on_tier", "targetTierName": "Super"}), "upgrade_subscription"
        ),
        ends=("tier_plus", None),
    ),
    "upgrade: authentication required": upgrade("extra verification", "requires_action", before=card("3155")),
    "upgrade: payment failed": upgrade("declined", "payment_failed", before=card("9995")),
    "upgrade: limit of the day": upgrade(
        "(?i)try again tomorrow",
        "upgrade_cap_exceeded",
        before=fault(Fault.reply(429, {"error": "upgrade_cap_exceeded"}), "upgrade_subscription"),
    ),
    "upgrade: unknown status": upgrade(
        "(?i)may have|check|not known",
        "later",
        before=fault(Fault.reply(200, {"status": "later"}), "upgrade_subscription"),
    ),
    "upgrade: reply lost": upgrade(
        "Upgraded to Super",
        "upgraded",
        before=fault(Fault.drop(acts=True), "upgrade_subscription"),
        charges=1,
        ends=UPGRADED,
    ),
    "upgrade: reply lost, and again": upgrade(
        "Upgraded to Super|may or may not have been charged",
        "upgraded|already_on_tier",
        before=lost_upgrade,
        again=True,
        charges=1,
        ends=UPGRADED,
    ),
}
