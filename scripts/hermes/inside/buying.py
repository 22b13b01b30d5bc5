"""Cases: a person buys credits, at the terminal and through the gateway."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from nous_billing.mock import Card, Fault

from .parts import Held, Part
from .world import FULL_SCOPE, LOGIN_SCOPE, World

PAID = r"\$?{} (in credits added|added to your balance)"
NOT_KNOWN = r"not known|may have been"
Step = Callable[[World], None]


def nothing(_world: World) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """A purchase of one amount, made once at the terminal and once through the gateway, each in a world of its own.

    Attributes:
        says: What the terminal must say, as a regular expression.
        code: How it must end for the gateway, as a regular expression.
        charges: How often the card must be charged.
        before: What happens before a screen is opened.
        midway: What happens after the screen was opened, before the person pays.
        again: Whether the person confirms a second time, with the same answers.
    """

    says: str
    code: str
    charges: int = 1
    before: Step = nothing
    midway: Step = nothing
    amount: str = "100"
    scope: str = FULL_SCOPE
    again: bool = False

    def parts(self) -> tuple[Part, ...]:
        return self._at_the_terminal, self._through_the_gateway

    def _at_the_terminal(self) -> Held:
        with World(self.scope) as world:
            self.before(world)
            preset = self.amount in ("100", "250", "500")
            for _ in range(1 + self.again):
                world.before("pay", lambda: self.midway(world))
                world.terminal("buy", self.amount if preset else "custom", "pay", "yes", "resume", texts=(self.amount,))
                self._run_again_after_step_up(world)
        return {
            "nothing crashes": not world.crashes,
            **world.charged(self.charges),
            "the terminal says it": bool(re.search(self.says, world.text)),
            "links lead to the login's portal": world.links_lead_home(),
        }

    def _through_the_gateway(self) -> Held:
        with World(self.scope) as world:
            self.before(world)
            for _ in range(1 + self.again):
                code = world.buy_by_rpc(self.amount, lambda: self.midway(world))
        return {
            "nothing crashes": not world.crashes,
            **world.charged(self.charges),
            "the gateway says it": bool(re.fullmatch(self.code, code)),
        }

    def _run_again_after_step_up(self, terminal: World) -> None:
        # Older versions ask the person to run the command again.
        if "Run /billing buy again" in terminal.text:
            terminal.terminal("buy", self.amount, "pay")


def card(last4: str | None) -> Step:
    def change(world: World) -> None:
        world.portal.organisation.card = None if last4 is None else Card("visa", last4)

    return change


def fault(fault: Fault, operation: str, times: int = 1) -> Step:
    return lambda world: world.portal.inject(fault, operation, times)


def switch_off(world: World) -> None:
    world.portal.organisation.cli_billing_enabled = False


def cap(world: World) -> None:
    world.portal.organisation.monthly_cap = Decimal(50)


def step_up(world: World, *, grant: bool | None) -> None:
    def answer(code: str) -> None:
        if grant is None:
            world.portal.deny_device(code)
        else:
            world.portal.approve_device(code, allow_spending=grant)

    world.answer_device(answer)


def expired(world: World) -> None:
    world.portal.expire(world.login["access_token"])
    world.edit_login(expires_at="2020-01-01T00:00:00+00:00")


def refused_early(world: World) -> None:
    world.portal.expire(world.login["access_token"])


def refresh_refused(world: World) -> None:
    expired(world)
    world.portal.revoke_session(world.login["access_token"])


def nearly_expired(world: World) -> None:
    world.edit_login(expires_at=(datetime.now(UTC) + timedelta(seconds=60)).isoformat())
    world.portal.inject(Fault.unavailable(), "oauth_token", 50)


def logged_out_for_good(world: World) -> None:
    world.portal.revoke_session(world.login["access_token"])


def spending_stopped(world: World) -> None:
    world.portal.stop_spending(world.login["access_token"], "admin")


def lost_twice(world: World) -> None:
    # Whatever repeats by itself loses each reply too; what arrives counts towards the portal's limit.
    if world.charges == 0:
        world.portal.inject(Fault.drop(acts=True), "post_charge", 4)


SETTLED = {"says": PAID.format("100"), "code": "settled"}
UNREACHABLE_TEXT = "(?i)could not|couldn't|not reach|reply|did not answer|non-JSON|not known"

PURCHASES = {
    "settled": Purchase(**SETTLED),  # type: ignore[arg-type]
    "custom amount": Purchase(amount="12.34", says=PAID.format("12.34"), code="settled"),
    "custom amount below the bounds": Purchase(amount="5", charges=0, says="Minimum is", code="amount_out_of_bounds"),
    "card declined": Purchase(before=card("9995"), says="declined", code="failed card_declined"),
    "authentication required": Purchase(
        before=card("3155"), says="verification", code="failed authentication_required"
    ),
    "card expired": Purchase(before=card("0069"), says="expired", code="failed payment_method_expired"),
    "no card": Purchase(charges=0, before=card(None), says="(?i)no saved card|no card", code="no_payment_method"),
    "kill-switch midway": Purchase(
        charges=0, midway=switch_off, says="(?i)billing is (turned )?off", code="cli_billing_disabled"
    ),
    "monthly cap": Purchase(charges=0, before=cap, says="cap reached", code="monthly_cap_exceeded"),
    "rate limit": Purchase(
        charges=0,
        before=fault(Fault.reply(429, {"error": "rate_limited"}, {"retry-after": "600"}), "post_charge"),
        says="(?i)too many charges right now.*10 min",
        code="rate_limited",
    ),
    "processor down": Purchase(
        charges=0,
        before=fault(Fault.unavailable("stripe_unavailable"), "post_charge"),
        says="isn't a payment failure",
        code="stripe_unavailable|rate_limited",
    ),
    "step-up granted": Purchase(
        scope=LOGIN_SCOPE,
        midway=lambda world: step_up(world, grant=True),
        **SETTLED,  # type: ignore[arg-type]
    ),
    "step-up downscoped": Purchase(
        scope=LOGIN_SCOPE,
        charges=0,
        midway=lambda world: step_up(world, grant=False),
        says="was not granted|has to approve",
        code="insufficient_scope",
    ),
    "step-up denied": Purchase(
        scope=LOGIN_SCOPE,
        charges=0,
        midway=lambda world: step_up(world, grant=None),
        says="(?i)re-authorization failed|couldn't enable|was not granted",
        code="insufficient_scope",
    ),
    "token expired": Purchase(before=expired, **SETTLED),  # type: ignore[arg-type]
    "token refused before its time": Purchase(before=refused_early, **SETTLED),  # type: ignore[arg-type]
    "refresh refused": Purchase(charges=0, before=refresh_refused, says="Not logged in", code="invalid_token"),
    "60 seconds left, token endpoint down": Purchase(before=nearly_expired, **SETTLED),  # type: ignore[arg-type]
    "session revoked midway": Purchase(
        charges=0, midway=logged_out_for_good, says="(?i)log in again|logged out", code="session_revoked|invalid_token"
    ),
    "spending stopped midway": Purchase(
        charges=0, midway=spending_stopped, says="(?i)spending|stopped", code="remote_spending_revoked"
    ),
    "reply lost": Purchase(before=fault(Fault.drop(acts=True), "post_charge"), **SETTLED),  # type: ignore[arg-type]
    "reply lost, and Pay again": Purchase(
        midway=lost_twice,
        again=True,
        **SETTLED,  # type: ignore[arg-type]
    ),
    "charge lost on the way": Purchase(before=fault(Fault.drop(), "post_charge"), **SETTLED),  # type: ignore[arg-type]
    "502 page after the charge": Purchase(
        before=fault(Fault.html(502, acts=True), "post_charge"),
        **SETTLED,  # type: ignore[arg-type]
    ),
    "200 page instead of the charge": Purchase(
        charges=0,
        before=fault(Fault.html(200), "post_charge", 9),
        says=UNREACHABLE_TEXT,
        code="network_error|endpoint_unavailable",
    ),
    "broken JSON after the charge": Purchase(
        before=fault(Fault.reply(202, '{"chargeId": ', acts=True), "post_charge"),
        **SETTLED,  # type: ignore[arg-type]
    ),
    "poll lost": Purchase(
        before=fault(Fault.drop(), "get_charge_status"),
        says=PAID.format("100") + "|Could not check",
        code="settled|poll: network_error",
    ),
    "poll with a 502 page": Purchase(
        before=fault(Fault.html(502), "get_charge_status"),
        says=PAID.format("100") + "|Could not check",
        code="settled|poll: .*",
    ),
    "poll limited": Purchase(
        before=fault(Fault.reply(429, {"error": "rate_limited"}, {"retry-after": "1"}), "get_charge_status"),
        says=PAID.format("100"),
        code="settled|poll: rate_limited",
    ),
}
