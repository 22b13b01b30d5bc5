"""Drives the facade's flows by hand: the steps they ask for, and the answers that a test gives."""

import json
from collections.abc import Callable
from typing import Any

from nous_billing._secrets import reveal
from nous_billing.credentials import Credentials
from nous_billing.errors import BillingError
from nous_billing.protocol import operations
from nous_billing.protocol.exchange import CallUser, Flow, Resolve, Send, Sleep, exchange
from nous_billing.protocol.replies import Failure, Reply

PREVIEW = "https://preview.example"
NOW = 1_750_000_000.0
DEADLINE = 15.0
# Of a flow that ends.
_MOST_STEPS = 20_000

OWNER_STATE: dict[str, Any] = {
    "org": {"id": "org_1", "slug": "acme", "name": "Acme", "role": "OWNER"},
    "balanceUsd": "142.5",
    "cliBillingEnabled": True,
    "chargePresets": ["100", "250", "500"],
    "bounds": {"minUsd": "10", "maxUsd": "10000"},
    "card": {"brand": "visa", "last4": "4242", "resolvedVia": "subPin"},
    "monthlyCap": {"limitUsd": "1000", "spentThisMonthUsd": "250.75", "isDefaultCeiling": True},
    "autoReload": {
        "enabled": True,
        "thresholdUsd": "20",
        "reloadToUsd": "100.00",
        "card": {"kind": "distinct", "paymentMethodId": "pm_1", "brand": "visa", "last4": "0069"},
    },
    "canChangePlan": True,
    "portalUrl": "/billing?topup=open",
}
PLUS: dict[str, Any] = {
    "tierId": "tier_plus",
    "tierName": "Plus",
    "monthlyCredits": "22.50",
    "creditsRemaining": "-1.5",
    "cycleEndsAt": "2026-07-01T00:00:00Z",
    "pendingDowngradeTierName": "Basic",
    "pendingDowngradeAt": "2026-07-01T00:00:00Z",
    "cancelAtPeriodEnd": False,
    "cancellationEffectiveAt": None,
}
TIER: dict[str, Any] = {
    "tierId": "tier_plus",
    "name": "Plus",
    "tierOrder": 2,
    "dollarsPerMonthDisplay": "20",
    "monthlyCredits": "22.50",
    "isCurrent": True,
    "isEnabled": False,
}
SUBSCRIPTION: dict[str, Any] = {
    "org": {"id": "org_1", "name": "Acme", "role": "ADMIN"},
    "context": "personal",
    "portalUrl": "/plan",
    "current": PLUS,
    "tiers": [TIER],
}


class FakeClock:
    """Time that passes only when a test says so, or when somebody sleeps.

    Attributes:
        passed: Seconds since the beginning.
        jumped: Seconds by which the date alone went on: the machine was asleep, or somebody set its clock.
    """

    def __init__(self) -> None:
        self.passed = 0.0
        self.jumped = 0.0

    def monotonic(self) -> float:
        return 1000.0 + self.passed

    def time(self) -> float:
        return NOW + self.passed + self.jumped

    def sleep(self, seconds: float) -> None:
        self.passed += seconds


def reply(status: int = 200, body: Any = b"", headers: dict[str, str] | None = None, **more: Any) -> Reply:
    """A reply; a body that is not bytes is written as JSON."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return Reply(status=status, headers=headers or {}, body=body, received_at=NOW, **more)


class Played:
    """What came of a flow: the steps that it asked for, and its result or its error."""

    def __init__(self, steps: list[Any], result: Any = None, error: BillingError | None = None) -> None:
        self.steps = steps
        self.result = result
        self.caught = error

    @property
    def error(self) -> BillingError:
        assert self.caught is not None, f"it succeeded: {self.result!r}"
        return self.caught

    @property
    def sent(self) -> list[Send]:
        return [step for step in self.steps if isinstance(step, Send)]

    @property
    def resolved(self) -> list[Resolve]:
        return [step for step in self.steps if isinstance(step, Resolve)]


def answer_steps(flow: Flow[Any], answer: Callable[[Any], Any]) -> Played:
    """Run a flow to its end. An answer that is an exception is thrown into it."""
    steps: list[Any] = []
    try:
        step = next(flow)
        while len(steps) < _MOST_STEPS:
            steps.append(step)
            value = answer(step)
            step = flow.throw(value) if isinstance(value, BaseException) else flow.send(value)
    except StopIteration as end:
        return Played(steps, result=end.value)
    except BillingError as error:
        return Played(steps, error=error)
    raise AssertionError(f"it does not end: {steps[-3:]}")


def play(flow: Flow[Any], *answers: Any) -> Played:
    """Run a flow with exactly these answers."""
    left = list(answers)

    def answer(step: Any) -> Any:
        assert left, f"it asked for one step more: {step}"
        return left.pop(0)

    played = answer_steps(flow, answer)
    assert not left, f"it did not ask for {left}"
    return played


def credentials(token: str = "token-1", base_url: str | None = PREVIEW) -> Credentials:
    return Credentials(token, base_url)


def call(operation: operations.Operation[Any], *answers: Any, base_url: str | None = None) -> Played:
    """One call, logged in; the answers are those to its requests (and to what it asks for after a 401)."""
    return play(exchange(operation, base_url=base_url, deadline=DEADLINE), credentials(), *answers)


def refusal(answer: Reply, operation: operations.Operation[Any]) -> BillingError:
    """The error that a reply becomes. After a 401 there is no other token."""
    answers = [answer]
    if answer.status == 401 and b"session_revoked" not in reveal(answer.body):
        answers.append(credentials())  # type: ignore[arg-type]
    return call(operation, *answers).error


def short(value: Any) -> str | None:
    """A test id of a value that is too long, or too great an int, for pytest's own."""
    if isinstance(value, int) and value.bit_length() > 128:
        return "huge-int"
    return f"{value[:20]!r}..." if isinstance(value, (str, bytes)) and len(value) > 40 else None


def charge() -> operations.Operation[Any]:
    return operations.post_charge("50", "key-1")


def answer_call(step: CallUser) -> object:
    """Call a function of the caller as the drivers do; an error is what it returns."""
    try:
        return step.question()
    except BillingError as error:
        return error


def waiting(
    flow: Flow[Any], polls: list[Reply | Failure | BillingError], clock: FakeClock
) -> tuple[Played, list[float]]:
    """Wait for a charge on a fake clock. Each poll ends as the next of ``polls`` says, the last one again and again; an
    error is what the source of the credentials raises. Returns also when each poll was begun."""
    begun: list[float] = []

    def answer(step: Any) -> Any:
        if isinstance(step, Sleep):
            return clock.sleep(step.seconds)
        if isinstance(step, CallUser):
            return answer_call(step)
        if isinstance(step, Resolve) and step.rejected is None:
            begun.append(clock.passed)
            outcome = polls[min(len(begun), len(polls)) - 1]
            return outcome if isinstance(outcome, BillingError) else credentials()
        if isinstance(step, Resolve):
            return credentials()
        return polls[min(len(begun), len(polls)) - 1]

    return answer_steps(flow, answer), begun
