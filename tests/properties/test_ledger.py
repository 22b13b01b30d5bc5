"""The ledger of the mock, held against a model of it: random interleavings of all that moves money or stops it."""

import math
import ssl
from dataclasses import dataclass, field
from decimal import Decimal

import httpx
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from nous_billing.mock import Card, MockClock, MockPortal
from tests.mock.api import Api

HOUR = 3600
SETTLE_AFTER = 3
CARDS = {"4242": None, "9995": "card_declined"}
AMOUNTS = st.sampled_from([Decimal("10"), Decimal("10.01"), Decimal("499.99"), Decimal("1000"), Decimal("9.99")])


@dataclass
class ModelCharge:
    id: str
    amount: Decimal
    made_at: float
    month: tuple[int, int]
    reason: str | None

    def status(self, now):
        if now < self.made_at + SETTLE_AFTER:
            return "pending"
        return "failed" if self.reason else "settled"


@dataclass
class ModelOrganisation:
    """What an organisation must be, by the rules of the contract alone."""

    opening: Decimal
    cap: Decimal | None = None
    is_open: bool = True
    last4: str | None = "4242"
    charges: dict[str, ModelCharge] = field(default_factory=dict)

    def balance(self, now):
        return self.opening + sum(each.amount for each in self.charges.values() if each.status(now) == "settled")

    def left(self, now, month):
        spent = [each for each in self.charges.values() if each.month == month and each.status(now) != "failed"]
        return max((1000 if self.cap is None else self.cap) - sum(each.amount for each in spent), 0)


class Ledger(RuleBasedStateMachine):
    """Two organisations with two people each, and one token of each of them."""

    ssl_context = ssl.create_default_context()
    tried = 0

    def __init__(self):
        super().__init__()
        type(self).tried += 1
        self.portal = MockPortal(MockClock(frozen=True), settle_after=SETTLE_AFTER)
        self.http = httpx.Client(base_url=self.portal.start(), verify=self.ssl_context, trust_env=False, timeout=5)
        self.real = [self.portal.organisation, self.portal.add_organisation("Globex", balance="0.5")]
        self.model = [ModelOrganisation(Decimal(100)), ModelOrganisation(Decimal("0.5"))]
        people = [self.portal.add_person(f"P{each}", self.real[each % 2], "ADMIN") for each in range(4)]
        self.tokens = [self.portal.issue_token(person, lifetime=10.0**9) for person in people]
        self.passed = {name: [] for name in ["org 0", "org 1", *self.tokens]}
        self.seen = {}

    def teardown(self):
        self.http.close()
        self.portal.stop()
        assert self.portal.violations == []

    @property
    def now(self):
        return self.portal.clock.now()

    @property
    def month(self):
        today = self.portal.clock.datetime()
        return today.year, today.month

    def expected(self, organisation, key, amount, names):
        """The status and the code of a charge, by the contract's order of the gates."""
        if not organisation.is_open:
            return 403, "cli_billing_disabled"
        if organisation.last4 is None:
            return 403, "no_payment_method"
        if not 10 <= amount <= 10_000:
            return 400, "amount_out_of_bounds"
        if any(sum(at > self.now - HOUR for at in self.passed[name]) >= 5 for name in names):
            return 429, "rate_limited"
        earlier = organisation.charges.get(key)
        if earlier and earlier.amount == amount:
            return 202, None
        if amount > organisation.left(self.now, self.month):
            return 403, "monthly_cap_exceeded"
        return (409, "idempotency_conflict") if earlier else (202, None)

    @rule(who=st.integers(0, 3), key=st.sampled_from(["a", "b", "c", "d", "e", "f", "g"]), amount=AMOUNTS)
    def charge(self, who, key, amount):
        organisation, token = self.model[who % 2], self.tokens[who]
        names = (f"org {who % 2}", token)
        status, code = self.expected(organisation, key, amount, names)
        reply = Api(self.http, token).charge(amount, key)
        assert (reply.status_code, reply.json().get("error")) == (status, code)
        if status == 429:
            waits = [sorted(self.passed[name])[-5] + HOUR - self.now for name in names if len(self.passed[name]) >= 5]
            assert int(reply.headers["retry-after"]) == math.ceil(max(waits))
        elif status in (202, 409) or code == "monthly_cap_exceeded":
            for name in names:
                self.passed[name].append(self.now)
        if status == 202:
            made = ModelCharge(reply.json()["chargeId"], amount, self.now, self.month, CARDS[organisation.last4])
            assert reply.json()["chargeId"] == organisation.charges.setdefault(key, made).id

    @rule(who=st.integers(0, 3))
    def charge_up_to_the_limit_and_once_more(self, who):
        for key in ("one", "two", "three", "four", "five", "six"):
            self.charge(who, key, Decimal(10))

    @rule(who=st.integers(0, 3), of=st.integers(0, 1), number=st.integers(0, 5))
    def poll(self, who, of, number):
        charges = list(self.model[of].charges.values())
        charge = charges[number % len(charges)] if charges else None
        body = Api(self.http, self.tokens[who]).poll(charge.id if charge else "ch_unknown").json()
        if charge is None or of != who % 2:
            assert body == {"status": "pending"}
            return
        assert body["status"] == charge.status(self.now)
        assert body.get("reason") == (charge.reason if body["status"] == "failed" else None)
        if body["status"] == "settled":
            assert Decimal(body["amountUsd"]) == charge.amount
        if body["status"] != "pending":
            # It ended once, and as it did then.
            assert self.seen.setdefault(charge.id, body) == body

    @rule(seconds=st.sampled_from([0, 1, 3, 600, HOUR - 1, HOUR, 20 * 24 * HOUR]))
    def let_time_pass(self, seconds):
        self.portal.clock.advance(seconds)

    @rule(which=st.integers(0, 1), cap=st.sampled_from([None, Decimal(0), Decimal("500"), Decimal(100_000)]))
    def set_the_cap(self, which, cap):
        self.real[which].monthly_cap = self.model[which].cap = cap

    @rule(which=st.integers(0, 1), is_open=st.booleans())
    def turn_the_kill_switch(self, which, is_open):
        self.real[which].cli_billing_enabled = self.model[which].is_open = is_open

    @rule(which=st.integers(0, 1), last4=st.sampled_from([None, "4242", "4242", "9995"]))
    def change_the_card(self, which, last4):
        self.real[which].card = None if last4 is None else Card("visa", last4)
        self.model[which].last4 = last4

    @invariant()
    def the_balance_is_the_sum_of_the_settled_charges(self):
        for which in (0, 1):
            state = Api(self.http, self.tokens[which]).state().json()
            assert state["org"]["id"] == self.real[which].id
            assert Decimal(state["balanceUsd"]) == self.model[which].balance(self.now)

    @invariant()
    def there_is_one_charge_for_a_key(self):
        for real, model in zip(self.real, self.model, strict=True):
            assert [(each.key, each.id, each.amount) for each in real.charges] == [
                (key, each.id, each.amount) for key, each in model.charges.items()
            ]

    @invariant()
    def no_sixth_charge_passes_within_an_hour(self):
        for passed in self.passed.values():
            assert sum(at > self.now - HOUR for at in passed) <= 5


def test_the_ledger_keeps_to_its_model(record_property):
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=max(1, settings().max_examples // 3),
            stateful_step_count=40,
            suppress_health_check=list(HealthCheck),
        ),
    )
    record_property("examples", Ledger.tried)
