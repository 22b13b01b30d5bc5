"""The four billing operations, each the handler of the contract's operation of its name."""

from collections.abc import Callable
from decimal import Decimal

from . import gates
from .app import handler
from .clock import MockClock
from .contract import Operation
from .ledger import AMBIGUOUS, Charge, usd
from .limiter import Limiter
from .organisations import AutoReload, Organisation
from .replies import PORTAL_URL, Call, Refusal, Reply, ReplyLost
from .tokens import AccessToken, Tokens

_HIDDEN = {"card": None, "monthlyCap": None, "autoReload": None}


class Billing:
    """Answers the billing operations. Charges settle `settle_after` seconds after they were accepted, on `clock`."""

    def __init__(self, clock: MockClock, settle_after: float) -> None:
        self.clock = clock
        self.settle_after = settle_after
        self._tokens = Tokens(clock)
        self._limiter = Limiter(clock)

    def _admit(self, call: Call, operation: Operation, *checks: Callable[[AccessToken], None]) -> AccessToken:
        token = gates.authenticate(call, self._tokens)
        gates.scope(token, operation.scopes)
        for check in checks:
            check(token)
        return token

    @handler
    def get_billing_state(self, call: Call, operation: Operation) -> Reply:
        """What a terminal shows before a purchase. A member sees neither card nor cap nor auto-reload."""
        person = self._admit(call, operation, gates.organisation).session.person
        organisation = person.organisation
        body = {
            "org": {
                "id": organisation.id,
                "slug": organisation.slug,
                "name": organisation.name,
                "role": person.role,
            },
            "balanceUsd": usd(organisation.balance),
            "cliBillingEnabled": organisation.cli_billing_enabled,
            "chargePresets": [usd(Decimal(preset)) for preset in organisation.presets],
            "bounds": {"minUsd": usd(Decimal(organisation.bounds[0])), "maxUsd": usd(Decimal(organisation.bounds[1]))},
            **(_HIDDEN if person.role == "MEMBER" else organisation.for_managers()),
            "portalUrl": PORTAL_URL,
        }
        if person.can_change_plan is not None:
            body["canChangePlan"] = person.can_change_plan
        return Reply(200, body)

    @handler
    def patch_auto_top_up(self, call: Call, operation: Operation) -> Reply:
        """Configure auto-reload. A saved card is asked for, also to switch it off: the gates come before the body."""
        token = self._admit(
            call, operation, gates.spending, gates.role, gates.organisation, gates.kill_switch, gates.card
        )
        body = operation.read_body(call)
        organisation = token.session.person.organisation
        kept = organisation.auto_reload.card if organisation.auto_reload else None
        organisation.auto_reload = AutoReload(
            body["enabled"], Decimal(body["threshold"]), Decimal(body["topUpAmount"]), kept
        )
        return Reply(200, {"ok": True})

    @handler
    def post_charge(self, call: Call, operation: Operation) -> Reply:
        """Accept a charge.

        The limiter comes before the ledger is searched for the key, so a replay counts as a call too. A replay with the
        same amount comes before the cap: its charge is in the sum already.
        """
        token = self._admit(
            call,
            operation,
            gates.spending,
            gates.role,
            gates.organisation,
            gates.kill_switch,
            gates.card,
            gates.consent,
        )
        organisation = token.session.person.organisation
        key = call.headers.get("idempotency-key", "").strip()
        if not key:
            raise Refusal(400, "idempotency_key_required", "The header Idempotency-Key is missing or blank.")
        operation.check_parameters(call)
        amount = Decimal(operation.read_body(call)["amountUsd"])
        lowest, highest = (Decimal(bound) for bound in organisation.bounds)
        if not lowest <= amount <= highest:
            message = f"The amount must be between {usd(lowest)} and {usd(highest)} dollars."
            raise Refusal(400, "amount_out_of_bounds", message)
        wait = self._limiter.admit(organisation.id, token.session.id)
        if wait is not None:
            raise Refusal(429, "rate_limited", "Too many charges in an hour.", retry_after=wait)
        return self._charge(organisation, key, amount)

    def _charge(self, organisation: Organisation, key: str, amount: Decimal) -> Reply:
        earlier = organisation.charge_for(key)
        if earlier and earlier.amount == amount:
            return Reply(202, {"chargeId": earlier.id})
        remaining = max(organisation.spending_limit - organisation.spent_this_month, Decimal(0))
        if amount > remaining:
            raise Refusal.denied(
                "monthly_cap_exceeded",
                f"The charge would exceed the monthly cap; {usd(remaining)} dollars are left.",
                remainingUsd=usd(remaining),
                isDefaultCeiling=organisation.monthly_cap is None,
            )
        if earlier:
            raise Refusal(409, "idempotency_conflict", "The key was already used for another amount.")
        last4 = organisation.card.last4 if organisation.card else ""
        charge = Charge(key, amount, last4, self.clock, self.settle_after)
        organisation.add_charge(charge)
        if last4 == AMBIGUOUS:
            raise ReplyLost
        return Reply(202, {"chargeId": charge.id})

    @handler
    def get_charge_status(self, call: Call, operation: Operation) -> Reply:
        """Poll a charge. Not counted by the limiter, and open to every role; an unknown or foreign id is pending."""
        token = self._admit(call, operation, gates.spending, gates.organisation)
        charge_id = call.path_params["chargeId"]
        charges = token.session.person.organisation.charges
        found = next((charge for charge in charges if charge.id == charge_id), None)
        return Reply(200, found.to_wire() if found else {"status": "pending"})
