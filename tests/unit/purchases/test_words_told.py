"""Purchase, store, ledger and the words told, in any order of all that can happen to them: no word is ever wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from nous_billing.credentials import Credentials
from nous_billing.errors import BillingError, BillingIdempotencyConflict, BillingPurchaseUncertain
from nous_billing.protocol.exchange import CallUser, Resolve, RunBlocking, Send, Sleep
from nous_billing.protocol.replies import Failure
from nous_billing.purchases.purchase import Purchase
from tests.unit.drive import PREVIEW, FakeClock, reply
from tests.unit.shop import DECLINED, DROPPED, LOST, PENDING, REFUSALS, REJECTED, UNSENT, Shelf, Shop, advance

KEYS = ["key-a", "key-a", "key-a", "key-b"]
LOGINS = {"token-1": "org_1", "elsewhere": "org_2"}
# What a person takes for: nothing was paid for this.
NOTHING = ("Nothing was charged", "No payment failed", "Nothing more was charged")

LATE = Failure("the time allowed for the call has passed", sent=True, timed_out=True)
FOREIGN = [reply(status, b"<html>") for status in (200, 302, 500, 502, 503, 504)] + [reply(409), reply(202, b"{")]
OUTCOMES = st.one_of(
    st.sampled_from(["accepted", LOST, LOST]), st.sampled_from([DROPPED, LATE, UNSENT, REJECTED, *FOREIGN, *REFUSALS])
)
POLLS = st.sampled_from([PENDING, PENDING, DECLINED, UNSENT, DROPPED, REJECTED, *FOREIGN[2:6], *REFUSALS])
STATES = st.sampled_from([None] * 8 + [UNSENT, DROPPED, reply(500), reply(403), reply(429), reply(200, b"<html>")])


class Mine(BillingError):
    """What the caller's own code raises."""


class Untold(Exception):
    """The same, and no error of billing."""


class FailingShelf(Shelf):
    """Fails where it is told to: before it has done what it was asked for, or after."""

    failures: list[str]

    def load(self, key: str | None = None) -> list[Purchase]:
        self._fail("before")
        return super().load(key)

    def save(self, purchase: Purchase) -> bool:
        self._fail("before")
        saved = super().save(purchase)
        self._fail("after")
        return saved

    def _fail(self, when: str) -> None:
        if self.failures and self.failures[0] in (when, "not now") and self.failures.pop(0) == when:
            raise OSError("full")


class Press:
    """One call, which stands before its next step."""

    def __init__(self, words: Words, flow: Any, key: str | None, login: str) -> None:
        self.words, self.key, self.login = words, key, login
        self.raises: BaseException | None = None
        # The organisation of its last request.
        self.seen_as = ""
        self._flow = flow
        self.step: Any = None
        self.go_on(None)

    def go_on(self, value: Any) -> None:
        """Go on to the next step, or to the end."""
        try:
            self.step = next(self._flow) if self.step is None else advance(self._flow, value)
        except StopIteration as end:
            self.step = None
            for outcome in end.value if isinstance(end.value, list) else [end.value]:
                self.words.check_told(outcome, self)
        except BillingError as error:
            self.step = None
            if not isinstance(error, Mine):
                self.words.check_told(error, self)

    def die(self) -> None:
        self._flow.close()
        self.step = None

    def answer_caller(self) -> Any:
        raised, self.raises = self.raises, None
        if raised is not None:
            raise raised
        return self.step.question()


class Words(RuleBasedStateMachine):
    """Two keys, two organisations, calls side by side; what each is told is held against the ledger as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.shop = Shop(FakeClock(), FailingShelf())
        self.shop.store.failures = []
        self.shop.next_token = "token-1"
        self.running: list[Press] = []
        # Which charges failed; all others are paid when they are asked for.
        self.failed: set[str] = set()

    @precondition(lambda self: len(self.running) < 4)
    @rule(
        key=st.sampled_from(KEYS),
        amount=st.sampled_from(["50", "50", "50", "60"]),
        login=st.sampled_from(["token-1", "token-1", "elsewhere"]),
        confirmed=st.sampled_from([None, None, "org_1"]),
        grants=st.sampled_from([None, True, False]),
        asked=st.sampled_from([None, None, lambda: False]),
        outcomes=st.lists(OUTCOMES, max_size=4),
        count=st.integers(0, 60),
    )
    def press(
        self,
        key: str,
        amount: str,
        login: str,
        confirmed: str | None,
        grants: bool | None,
        asked: Any,
        outcomes: list[Any],
        count: int,
    ) -> None:
        step_up = None if grants is None else lambda: grants
        options: dict[str, Any] = {"step_up": step_up, "cancelled": asked, "cap": 9}
        self._begin(self.shop.buying(amount, key, organisation_id=confirmed, **options).buy(), key, login)
        self.go_on(len(self.running) - 1, count, outcomes, [], None)

    @precondition(lambda self: len(self.running) < 4)
    @rule(login=st.sampled_from(list(LOGINS)))
    def resume(self, login: str) -> None:
        client, shop = self.shop.client, self.shop
        self._begin(client._resuming(shop.store, shop.on_progress, None, 2.0, 9.0), None, login)

    def _begin(self, flow: Any, key: str | None, login: str) -> None:
        self.running.append(Press(self, flow, key, login))

    @precondition(lambda self: self.running)
    @rule(
        which=st.integers(0, 3),
        count=st.integers(1, 40),
        outcomes=st.lists(OUTCOMES, min_size=1, max_size=4),
        polls=st.lists(POLLS, max_size=3),
        state=STATES,
    )
    def go_on(self, which: int, count: int, outcomes: list[Any], polls: list[Any], state: Any) -> None:
        """Let one call go on by some steps; the its requests come to this."""
        press = self.running[which % len(self.running)]
        self.shop.portal.posted, self.shop.portal.polled = list(outcomes), list(polls)
        self.shop.portal.states = [] if state is None else [state]
        while count and press.step is not None:
            try:
                press.go_on(self._answer(press))
            except Untold:
                press.die()
            count -= 1
        self.running = [each for each in self.running if each.step is not None]

    def _answer(self, press: Press) -> Any:
        step, shop = press.step, self.shop
        try:
            if isinstance(step, Resolve):
                return Credentials(press.login, PREVIEW)
            if isinstance(step, Send):
                assert step.credentials is not None
                press.seen_as = LOGINS[step.credentials.access_token]
                answer = shop.portal.send(step)
                if answer == DECLINED:
                    self.failed.add(step.operation.path.rsplit("/", 1)[1])
                return answer
            if isinstance(step, Sleep):
                return shop.clock.sleep(step.seconds)
            if isinstance(step, CallUser):
                return press.answer_caller()
            assert isinstance(step, RunBlocking)
            return step.work()
        except BillingError as error:
            return error

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 3))
    def the_process_dies(self, which: int) -> None:
        self.running.pop(which % len(self.running)).die()

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 3), login=st.sampled_from(list(LOGINS)))
    def somebody_logs_in(self, which: int, login: str) -> None:
        self.running[which % len(self.running)].login = login

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 3), typed=st.booleans())
    def the_callers_code_raises(self, which: int, typed: bool) -> None:
        self.running[which % len(self.running)].raises = Mine("mine", status=403) if typed else Untold()

    @rule(failures=st.lists(st.sampled_from(["before", "after", "not now"]), max_size=4))
    def the_store_fails(self, failures: list[str]) -> None:
        self.shop.store.failures = failures

    @rule(seconds=st.sampled_from([1, 59, 3600, 2 * 86400, -3600]), asleep=st.booleans())
    def the_clock_jumps(self, seconds: int, asleep: bool) -> None:
        if asleep or seconds < 0:
            self.shop.clock.jumped += seconds
        else:
            self.shop.clock.passed += seconds

    def charges(self, key: str) -> list[str]:
        return [charge_id for (_, of), (charge_id, _) in self.shop.portal.charges.items() if of == key]

    def check_told(self, outcome: Any, press: Press) -> None:
        if isinstance(outcome, Purchase):
            assert self.charges(outcome.key) == [outcome.charge_id]
            assert (outcome.status == "failed") <= (outcome.charge_id in self.failed)
            assert outcome.status in ("settled", "failed")
            assert press.key is None or outcome.organisation_id == press.seen_as
        elif isinstance(outcome, BillingPurchaseUncertain):
            assert outcome.charge_id is None or self.charges(outcome.key) == [outcome.charge_id]
            assert not any(word in str(outcome) for word in NOTHING)
        elif isinstance(outcome, BillingIdempotencyConflict):
            return
        elif press.key is not None and outcome.error != "wrong_organisation":
            assert not self.charges(press.key) or outcome.outcome_unknown, outcome
            assert not (self.charges(press.key) and any(word in str(outcome) for word in NOTHING))

    @invariant()
    def one_charge_for_a_key_in_one_organisation(self) -> None:
        for key in KEYS:
            assert len(self.charges(key)) <= 1

    @invariant()
    def the_store_never_says_less_than_that_a_charge_may_have_been_made(self) -> None:
        for key in KEYS:
            kept = self.shop.store.kept.get(key)
            if self.charges(key):
                assert kept is not None
                assert kept.status != "not_made"
            if kept is not None and kept.charge_id is not None:
                assert self.charges(key) == [kept.charge_id]

    def teardown(self) -> None:
        """In the end the same key finds out, for each purchase that a person still wants to know of."""
        self.shop.store.failures = []
        self.shop.portal.posted, self.shop.portal.polled, self.shop.portal.states = [], [], []
        for key, kept in list(self.shop.store.kept.items()):
            # A day has not passed.
            self.shop.store.kept[key] = replace(kept, started_at=self._now())
            self.shop.token = {organisation: token for token, organisation in LOGINS.items()}[kept.organisation_id]
            ended = self.shop.buy(format(kept.amount_usd, "f"), key)
            assert ended.caught is None, ended.caught
            assert ended.result == self.shop.store.kept[key]
            assert self.charges(key) == [ended.result.charge_id]

    def _now(self) -> Any:
        return self.shop.buying("50", "now")._record.purchase.started_at


def test_no_word_about_a_purchase_is_ever_wrong() -> None:
    run_state_machine_as_test(
        Words,
        settings=settings(max_examples=150, stateful_step_count=40, suppress_health_check=list(HealthCheck)),
    )
