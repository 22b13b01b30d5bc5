"""The handlers of the billing operations. `calls` binds them by name and checks the requests before them."""

from decimal import Decimal

from . import gates
from .calls import Call, handler
from .clock import MockClock
from .ids import Ids
from .ledger import AMBIGUOUS, Charge, usd
from .limiter import Limiter
from .organisations import AutoReload, Organisation, check_monthly_cap
from .replies import PORTAL_URL, Refusal, Reply, ReplyLost
from .tokens import Tokens

_HIDDEN = {"card": None, "paymentMethod": None, "monthlyCap": None, "autoReload": None}


class Billing:
    """What the portal does for each operation. A charge settles `settle_after` seconds after it was accepted."""

    def __init__(self, clock: MockClock, settle_after: float) -> None:
        self.clock = clock
        self.settle_after = settle_after
        self.ids: Ids = Ids()
        self._tokens = Tokens(clock, self.ids)
        self._limiter = Limiter(clock)

    @handler(gates.organisation)
    def get_billing_state(self, call: Call) -> Reply:
        """What a terminal shows before a purchase. A member sees neither card nor cap nor auto-reload."""
        person, organisation = call.person, call.organisation
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

    @handler(*gates.MANAGE)
    def patch_auto_top_up(self, call: Call) -> Reply:
        """Configure auto-reload. It requires a saved card, even to switch it off."""
        body, organisation = call.body, call.organisation
        kept = organisation.auto_reload.card if organisation.auto_reload else None
        organisation.auto_reload = AutoReload(
            body["enabled"], Decimal(body["threshold"]), Decimal(body["topUpAmount"]), kept
        )
        return Reply(200, {"ok": True})

    @handler(*gates.MANAGE, gates.consent)
    def post_charge(self, call: Call) -> Reply:
        """Accept a charge.

        The limiter counts replays too: it comes before any look at the key. A replay passes the cap, whose sum already
        contains its charge.
        """
        organisation, amount = call.organisation, Decimal(call.body["amountUsd"])
        lowest, highest = (Decimal(bound) for bound in organisation.bounds)
        if not lowest <= amount <= highest:
            message = f"The amount must be between {usd(lowest)} and {usd(highest)} dollars."
            raise Refusal(400, "amount_out_of_bounds", message)
        wait = self._limiter.admit(organisation.id, call.token.session.id)
        if wait is not None:
            raise Refusal(429, "rate_limited", "Too many charges in an hour.", retry_after=wait)
        return call.once(
            act=lambda: self._charge(organisation, call.key, amount),
            check=lambda: check_monthly_cap(organisation, amount),
        )

    def _charge(self, organisation: Organisation, key: str, amount: Decimal) -> Reply:
        last4 = organisation.card.last4 if organisation.card else ""
        charge = Charge(key, amount, last4, self.clock, self.settle_after, self.ids.new("charge"))
        organisation.add_charge(charge)
        reply = Reply(202, {"chargeId": charge.id})
        if last4 == AMBIGUOUS:
            raise ReplyLost(reply)
        return reply

    @handler(gates.spending, gates.organisation)
    def get_charge_status(self, call: Call) -> Reply:
        """Poll a charge. No limiter counts it, every role may, and an unknown or foreign id is pending."""
        charge_id = call.parameters["chargeId"]
        found = next((charge for charge in call.organisation.charges if charge.id == charge_id), None)
        return Reply(200, found.to_wire() if found else {"status": "pending"})
