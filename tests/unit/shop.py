"""A portal, a store and calls that buy, all in memory: what the tests of purchases share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from nous_billing._base_purchasing import BasePurchasing
from nous_billing._secrets import reveal
from nous_billing.credentials import Credentials, StaticToken
from nous_billing.errors import BillingError
from nous_billing.protocol.exchange import CallUser, Flow, Resolve, RunBlocking, Send, Sleep
from nous_billing.protocol.replies import Failure, Reply
from nous_billing.purchases.purchase import Purchase
from tests.unit.drive import NOW, OWNER_STATE, PREVIEW, FakeClock, Played, answer_steps, reply

KEY = "key-1"
SETTLED_AT = "2026-06-13T10:00:00Z"

PENDING = reply(200, {"status": "pending"})
DECLINED = reply(200, {"status": "failed", "reason": "card_declined"})
UNSENT = Failure("connection refused", sent=False)
# The request was lost on the way; ``LOST`` is the same to the buyer, but the charge was made.
DROPPED = Failure("reset by peer", sent=True)
LOST = "made, and the reply is lost"
UNSCOPED = reply(403, {"error": "insufficient_scope", "portalUrl": "/billing"})
REJECTED = reply(401, {"error": "invalid_token"})

Outcome = Reply | Failure | str

REFUSALS = [
    reply(400, {"error": "validation_failed"}),
    reply(400, {"error": "amount_out_of_bounds"}),
    reply(400, {"error": "idempotency_key_required"}),
    reply(401, {"error": "session_revoked"}),
    UNSCOPED,
    reply(403, {"error": "remote_spending_revoked"}),
    reply(403, {"error": "role_required"}),
    reply(403, {"error": "org_access_denied"}),
    reply(403, {"error": "cli_billing_disabled"}),
    reply(403, {"error": "no_payment_method"}),
    reply(403, {"error": "monthly_cap_exceeded"}),
    reply(403, {"error": "consent_required"}),
    reply(404, {"error": "not_found"}),
    reply(422, {"error": "a_gate_of_tomorrow"}),
    reply(429, {"error": "rate_limited"}, {"retry-after": "60"}),
    reply(503, {"error": "temporarily_unavailable"}, {"retry-after": "60"}),
    reply(503, {"error": "stripe_unavailable"}, {"retry-after": "1"}),
]
EACH_REFUSAL = pytest.mark.parametrize("refusal", REFUSALS, ids=range(len(REFUSALS)))

# A purchase that was begun an hour ago: it may have been sent, and was accepted.
SENDING = Purchase(
    key=KEY,
    amount_usd=Decimal(50),
    started_at=datetime.fromtimestamp(NOW - 3600, UTC),
    portal_base_url=PREVIEW,
    organisation_id="org_1",
    organisation_name="Acme",
    revision=1,
)
ACCEPTED = replace(SENDING, status="pending", charge_id="ch_1", revision=2)


class FakePortal:
    """Keeps one charge per organisation and key, as the portal does.

    Attributes:
        posted: What becomes of each charge that is posted, in order; after these all are accepted.
        polled: What each poll is answered, in order; after these the charge is settled.
        tokens: The organisation that each token is for, None where the portal refuses the token.
    """

    def __init__(self) -> None:
        self.posted: list[Outcome] = []
        self.polled: list[Reply | Failure] = []
        self.states: list[Reply | Failure] = []
        self.tokens: dict[str, str | None] = {"token-1": "org_1", "token-2": "org_1", "elsewhere": "org_2"}
        self.bounds = {"minUsd": "10", "maxUsd": "10000"}
        self.role: dict[str, Any] = {"role": "OWNER", "canChangePlan": True}
        self.charges: dict[tuple[str, str], tuple[str, bytes]] = {}
        self.posts: list[tuple[str, bytes]] = []

    def answer(self, method: str, path: str, token: str, key: str, body: bytes | None) -> Reply | Failure:
        organisation = self.tokens[token]
        if organisation is None:
            return REJECTED
        if path == "/api/billing/state":
            org = {**OWNER_STATE["org"], "id": organisation, "role": self.role["role"]}
            may_change = self.role["canChangePlan"]
            state = {**OWNER_STATE, "bounds": self.bounds, "org": org, "canChangePlan": may_change}
            return self.states.pop(0) if self.states else reply(200, state)
        if method == "GET":
            settled = {"status": "settled", "amountUsd": "50", "settledAt": SETTLED_AT}
            known = path.rsplit("/", 1)[1] in [charge_id for charge_id, _ in self.charges.values()]
            return self.polled.pop(0) if self.polled else reply(200, settled) if known else PENDING
        assert body is not None
        self.posts.append((key, body))
        outcome = self.posted.pop(0) if self.posted else "accepted"
        if not isinstance(outcome, str):
            return outcome
        charge_id, first = self.charges.setdefault((organisation, key), (f"ch_{len(self.charges) + 1}", body))
        if first != body:
            return reply(409, {"error": "idempotency_conflict"})
        return DROPPED if outcome == LOST else reply(202, {"chargeId": charge_id})

    def send(self, step: Send) -> Reply | Failure:
        operation = step.operation
        assert step.credentials is not None
        key, body = reveal(operation.headers.get("Idempotency-Key", "")), reveal(operation.body)
        return self.answer(operation.method, operation.path, step.credentials.access_token, key, body)


class Shelf:
    """A store like the directory: what has ended stays. Keeps all that was ever saved, in order."""

    def __init__(self, *purchases: Purchase) -> None:
        self.kept = {purchase.key: purchase for purchase in purchases}
        self.history: list[Purchase] = []

    def load(self, key: str | None = None) -> list[Purchase]:
        return [kept for kept in self.kept.values() if kept.key == key or (key is None and not kept.has_ended)]

    def save(self, purchase: Purchase) -> bool:
        kept = self.kept.get(purchase.key)
        if purchase.revision != (kept.revision if kept else 0) + 1:
            return False
        self.kept[purchase.key] = purchase
        self.history.append(purchase)
        return True

    @property
    def statuses(self) -> list[str]:
        return [purchase.status for purchase in self.history]


class Shop:
    """One portal, one store, and the calls made with them."""

    def __init__(self, clock: FakeClock, store: Any = None) -> None:
        self.clock = clock
        self.portal = FakePortal()
        self.store: Any = Shelf() if store is None else store
        self.token = "token-1"
        # What the source has after a 401.
        self.next_token = "token-2"
        self.address = PREVIEW
        self.seen: list[Purchase | BillingError] = []
        self.on_progress: Callable[[Any], None] = self.seen.append

    @property
    def client(self) -> BasePurchasing[FakeClock]:
        return BasePurchasing(StaticToken("unused"), None, 15.0, self.clock)

    def buying(
        self,
        amount: Any = "50",
        key: str = KEY,
        *,
        step_up: Callable[[], Any] | None = None,
        cancelled: Callable[[], bool] | None = None,
        interval: float = 2.0,
        cap: float = 300.0,
        organisation_id: str | None = None,
        client: BasePurchasing[FakeClock] | None = None,
    ) -> Any:
        client = client or self.client
        purchase = client._new_purchase(amount, key)
        return client._buying(
            purchase, self.store, step_up, self.on_progress, cancelled, interval, cap, organisation_id
        )

    def answer(self, step: Any) -> Any:
        """Carry out a step as the drivers do."""
        if isinstance(step, Resolve):
            if step.rejected is not None:
                self.token = self.next_token
            return Credentials(self.token, self.address)
        if isinstance(step, Send):
            return self.portal.send(step)
        if isinstance(step, Sleep):
            return self.clock.sleep(step.seconds)
        try:
            if isinstance(step, RunBlocking):
                return step.work()
            assert isinstance(step, CallUser)
            return step.question()
        except BillingError as error:
            return error

    def run(self, flow: Flow[Any]) -> Played:
        return answer_steps(flow, self.answer)

    def buy(self, *args: Any, **options: Any) -> Played:
        return self.run(self.buying(*args, **options).buy())

    def raising(self, *args: Any, **options: Any) -> Purchase:
        """Buy, and raise what that raises, typed or not."""
        played = self.buy(*args, **options)
        if played.caught is not None:
            raise played.caught
        purchase: Purchase = played.result
        return purchase

    def resume(
        self, *, cancelled: Callable[[], bool] | None = None, cap: float = 300.0, organisation_id: str | None = None
    ) -> Played:
        return self.run(self.client._resuming(self.store, self.on_progress, cancelled, 2.0, cap, organisation_id))

    @property
    def kept(self) -> Purchase:
        purchase: Purchase = self.store.load(KEY)[0]
        return purchase


def advance(flow: Flow[Any], value: Any) -> Any:
    """Give a flow what came of its step; return its next one."""
    return flow.throw(value) if isinstance(value, BaseException) else flow.send(value)


def posts(played: Played) -> list[Send]:
    return [step for step in played.sent if step.operation.method == "POST"]


def kinds(played: Played) -> list[str]:
    """What a call did, step by step, but for telling the caller and asking whether to stop."""
    return [
        f"{step.operation.method} {step.operation.path}" if isinstance(step, Send) else type(step).__name__
        for step in played.steps
        if not isinstance(step, CallUser) or step.changes_login
    ]
