"""What is told of a charge, an upgrade and a wait, to the last field: alarms and books are made of it."""

from dataclasses import asdict
from decimal import Decimal

import pytest

from nous_billing._reporting import Listener, in_call
from nous_billing.errors import BillingError, BillingNetworkError
from nous_billing.models import ChargeAccepted, ChargeFailed, ChargeSettled, SubscriptionUpgrade
from nous_billing.protocol.caller import CallerFailed
from nous_billing.protocol.reporting import Paying, waiting
from tests.unit.drive import answer_call, answer_steps, credentials

CREDITS = {"what": "credits", "key": "k", "amount_usd": Decimal("50.25"), "organisation_id": None, "charge_id": None}
UPGRADE = {**CREDITS, "what": "upgrade", "amount_usd": None}
WAIT = {**CREDITS, "key": None, "amount_usd": None, "charge_id": "ch_1"}
# No other call has told the end before.
FIRST = {"is_first": True}
SETTLED = ChargeSettled(amount_usd=Decimal("50.25"), settled_at=None)
FAILED = ChargeFailed(reason="card_declined")
LOST = BillingNetworkError("Lost.", error="network_error", outcome_unknown=True)
REFUSED = BillingError("Refused.", error="role_required")


def upgraded(status, reason=None):
    return SubscriptionUpgrade(status=status, reason=reason, recovery_url="https://portal.test/billing")


def told(begin, end, clock, sent=0):
    """Run what pays or waits, which takes three seconds; return the events but for the number of their call."""
    events, paying = [], None

    def flow():
        for _ in range(sent):
            yield from paying.before_send(credentials(), "https://portal.test", None)
        clock.passed += 3
        if isinstance(end, Exception):
            raise end
        return end

    with in_call(Listener(events.append)):
        if begin is None:
            run = waiting(flow(), "ch_1", clock)
        else:
            paying = Paying(clock, **begin)
            run = paying.run(flow())
        try:
            played = answer_steps(run, answer_call)
        except CallerFailed as error:
            assert error is end  # noqa: PT017 - not each of them ends so
        else:
            assert (played.result or played.error) is end
    assert len({event.call for event in events}) == 1
    # The last one is that of the call itself.
    return [(type(event).__name__, {k: v for k, v in asdict(event).items() if k != "call"}) for event in events[:-1]]


@pytest.mark.parametrize("begin", [CREDITS, UPGRADE], ids=["credits", "upgrade"])
@pytest.mark.parametrize(
    ("end", "name", "more"),
    [
        (LOST, "PurchaseUncertain", {"error": "network_error"}),
        (REFUSED, "PurchaseEnded", {"status": "refused", "reason": "role_required", "seconds": 3.0, **FIRST}),
        (ChargeAccepted(charge_id="ch_1"), "PurchaseAccepted", {"charge_id": "ch_1"}),
        (upgraded("upgraded"), "PurchaseEnded", {"status": "upgraded", "reason": None, "seconds": 3.0, **FIRST}),
        (
            upgraded("payment_failed", "card_declined"),
            "PurchaseEnded",
            {"status": "payment_failed", "reason": "card_declined", "seconds": 3.0, **FIRST},
        ),
        (upgraded("odd"), "PurchaseUncertain", {"error": "odd"}),
    ],
)
def test_a_payment_is_told_with_all_that_is_known_of_it(begin, end, name, more, clock):
    values = {key: begin[key] for key in ("what", "key", "amount_usd")}
    assert told(values, end, clock, sent=2) == [
        ("PurchaseBegun", {**begin, "is_continued": False}),
        ("PurchaseSent", {**begin, "attempt": 1}),
        ("PurchaseSent", {**begin, "attempt": 2}),
        (name, {**begin, **more}),
    ]


@pytest.mark.parametrize(
    ("end", "events"),
    [
        (
            SETTLED,
            [
                (
                    "PurchaseEnded",
                    {
                        **WAIT,
                        "amount_usd": Decimal("50.25"),
                        "status": "settled",
                        "reason": None,
                        "seconds": 3.0,
                        **FIRST,
                    },
                )
            ],
        ),
        (FAILED, [("PurchaseEnded", {**WAIT, "status": "failed", "reason": "card_declined", "seconds": 3.0, **FIRST})]),
        (LOST, [("PurchaseUncertain", {**WAIT, "error": "network_error"})]),
        (CallerFailed(LOST), [("PurchaseUncertain", {**WAIT, "error": "network_error"})]),
        (CallerFailed(REFUSED), [("PurchaseUncertain", {**WAIT, "error": REFUSED.error})]),
        (REFUSED, []),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_wait_is_told_where_it_ends_or_is_not_known(end, events, clock):
    assert told(None, end, clock) == events
