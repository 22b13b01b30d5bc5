"""A small run of `make chaos-service`."""

import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from nous_billing import Purchase
from nous_billing.mock import MockPortal
from nous_billing.mock.ledger import Charge
from tests.chaos.claims import ACCEPTED, FAILED, NOT_CHARGED, SETTLED
from tests.chaos.words import LOST, OPEN, RECORD, TWICE, UNTYPED
from tests.service.chaos import ServiceChaos
from tests.service.judging import Answer, Intent
from tests.service.table import is_bad, table
from tests.sql.database import postgres

SEED = 20240613
AMOUNT = "50"


@pytest.mark.parametrize("worker", ["worker", "durable_worker"])
def test_nobody_is_charged_twice_or_told_what_is_not_so_and_nothing_is_lost(tmp_path, worker):
    with postgres() as server:
        chaos = ServiceChaos(tmp_path, server, worker=worker, purchases=10, seed=SEED, progress=lambda line: None)
        counts = chaos.run()
    print(table({worker: counts}))
    assert not is_bad(counts), [complaint for intent in chaos.intents for complaint in intent.complaints]
    assert counts["purchases"] == 10
    # How often depends on the machine.
    assert min(counts["kills"], counts["faults"], counts["charges in the ledger"]) > 0


class TestJudge:
    """It finds what it is there to find."""

    @pytest.fixture
    def intent(self):
        self.portal = MockPortal(settle_after=0)
        return Intent(self.portal.organisation, "ada", "top-up", AMOUNT, "key-1", walks_away=False)

    @pytest.mark.parametrize(
        ("status", "body", "wrong"),
        [
            (200, {"outcome": "paid", "charge_id": "ch_9", "amount_usd": AMOUNT}, {ACCEPTED, SETTLED}),
            (402, {"outcome": "declined", "charge_id": "ch_1", "amount_usd": AMOUNT}, {FAILED}),
            (422, {"outcome": "refused", "amount_usd": AMOUNT}, {NOT_CHARGED}),
            (503, {"outcome": "refused", "message": "Try again."}, {NOT_CHARGED}),
            (202, {"outcome": "not_known", "message": "Nothing was charged."}, {NOT_CHARGED}),
            (404, {"outcome": "not_found"}, {LOST}),
            (500, {"message": "Internal Server Error"}, {UNTYPED}),
            (200, {"outcome": "declined"}, {UNTYPED}),
            (200, {"outcome": "paid", "charge_id": "ch_1", "amount_usd": AMOUNT}, set()),
            (202, {"outcome": "not_known", "message": "ch_1 was accepted."}, set()),
        ],
    )
    def test_an_answer_that_is_not_so_is_counted(self, intent, status, body, wrong):
        intent.organisation.add_charge(charge_of(self.portal, "ch_1"))
        now = time.time() + 1
        intent.hear(Answer("get", now, now, status, body))
        assert set(intent.wrong) == wrong
        assert len(intent.complaints) == len(wrong)

    @pytest.mark.parametrize(
        ("changes", "charges", "wrong"),
        [
            ({}, ["ch_1"], set()),
            ({"charge_id": "ch_2"}, ["ch_1"], {RECORD}),
            ({"status": "failed"}, ["ch_1"], {LOST, RECORD}),
            ({"status": "not_made", "charge_id": None}, ["ch_1"], {LOST, RECORD}),
            ({"status": "pending"}, ["ch_1"], {OPEN}),
            (None, ["ch_1"], {LOST, OPEN}),
        ],
    )
    def test_an_end_that_is_not_so_is_counted(self, intent, changes, charges, wrong):
        for charge_id in charges:
            intent.organisation.add_charge(charge_of(self.portal, charge_id))
        kept = Purchase(
            key="key-1", amount_usd=Decimal(AMOUNT), started_at=datetime.now(UTC), status="settled", charge_id="ch_1"
        )
        counted = intent.judge_end(None if changes is None else replace(kept, **changes))
        assert set(+counted) - {"not known in the end"} == wrong

    def test_a_second_charge_is_counted(self, intent, monkeypatch):
        monkeypatch.setattr(Intent, "charges", [charge_of(self.portal, "ch_1"), charge_of(self.portal, "ch_2")])
        assert intent.judge_end(None)[TWICE] == 1

    def test_a_charge_after_the_only_request_was_refused_is_counted(self, intent):
        began = time.time() - 1
        intent.posts.append(began)
        intent.hear(Answer("post", began, began + 0.1, 503, {"outcome": "refused", "message": "Nothing was sent."}))
        assert intent.wrong == Counter()
        intent.organisation.add_charge(charge_of(self.portal, "ch_1"))
        assert intent.judge_end(None)[NOT_CHARGED] == 1


def charge_of(portal, charge_id):
    return Charge("key-1", Decimal(AMOUNT), "4242", portal.clock, 0, charge_id)
