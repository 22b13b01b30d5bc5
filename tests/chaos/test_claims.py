"""The audit itself: what is wrong with a sentence is found, and what is so is let be."""

from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from nous_billing import BillingNetworkError, BillingPurchaseUncertain, BillingRateLimited, Purchase
from tests.chaos.claims import ACCEPTED, FAILED, NOT_CHARGED, NOT_SENT, SETTLED, statement, wrong_words

MADE = 1000.0


def charge(status):
    return SimpleNamespace(id="ch_1", status=status, amount=Decimal(50), created_at=datetime.fromtimestamp(MADE, UTC))


def purchase(status, charge_id="ch_1", added_usd=None):
    return Purchase(
        key="k",
        amount_usd=Decimal(50),
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        status=status,
        charge_id=charge_id,
        added_usd=added_usd,
    )


def uncertain(text, charge_id=None):
    return BillingPurchaseUncertain(text, key="k", amount_usd=Decimal(50), charge_id=charge_id)


REFUSED = BillingRateLimited("Too many charges in the last hour. Try again later.", status=429)
LOST = BillingNetworkError("The connection was lost. Nothing was charged.", outcome_unknown=True)
UNSENT = BillingNetworkError("The portal could not be reached. Nothing was sent.")
PAID, DECLINED = charge("settled"), charge("failed")


@pytest.mark.parametrize(
    ("told", "charges", "wrong"),
    [
        (REFUSED, [PAID], {NOT_CHARGED}),
        (REFUSED, [], set()),
        (LOST, [PAID], {NOT_CHARGED}),
        (LOST, [], set()),
        (UNSENT, [], {NOT_SENT}),
        (purchase("not_made", None), [PAID], {NOT_CHARGED}),
        (purchase("not_made", None), [], set()),
        (purchase("sending", None), [PAID], set()),
        (purchase("pending"), [], {ACCEPTED}),
        (purchase("pending"), [PAID], set()),
        (purchase("pending", "ch_2"), [PAID], {ACCEPTED}),
        (purchase("settled", added_usd=Decimal(50)), [PAID], set()),
        (purchase("settled", added_usd=Decimal(51)), [PAID], {SETTLED}),
        (purchase("settled", added_usd=Decimal(50)), [DECLINED], {SETTLED}),
        (purchase("settled", added_usd=Decimal(50)), [], {SETTLED, ACCEPTED}),
        (purchase("failed"), [DECLINED], set()),
        (purchase("failed"), [PAID], {FAILED}),
        (uncertain("It is not known whether $50 was charged."), [PAID], set()),
        (uncertain("$50 was accepted as charge ch_1; how that ended is not known yet.", "ch_1"), [PAID], set()),
        (uncertain("$50 was accepted as charge ch_2; how that ended is not known yet."), [PAID], {ACCEPTED}),
        (uncertain("$50 was accepted as charge None; how that ended is not known yet."), [], {ACCEPTED}),
    ],
)
def test_what_is_told_is_held_against_the_ledger(told, charges, wrong):
    said = statement(told, is_final=True)
    assert wrong_words(said, charges, known_until=MADE + 1, sent_at=MADE) == wrong


def test_who_could_not_know_of_a_charge_yet_has_said_nothing_wrong():
    assert wrong_words(statement(REFUSED, is_final=True), [PAID], known_until=MADE) == set()


def test_an_error_that_is_outlived_says_nothing_of_the_purchase_but_in_its_text():
    assert wrong_words(statement(REFUSED), [PAID], known_until=MADE + 1) == set()
    assert wrong_words(statement(LOST), [PAID], known_until=MADE + 1) == {NOT_CHARGED}


@pytest.mark.parametrize(
    ("is_final", "sent_later", "wrong"), [(True, True, True), (False, True, False), (False, False, True)]
)
def test_what_is_outlived_says_nothing_of_what_is_sent_later(is_final, sent_later, wrong):
    said = statement(UNSENT, is_final=is_final)
    sent_at = said.at + (1 if sent_later else -1)
    assert (NOT_SENT in wrong_words(said, [], known_until=MADE, sent_at=sent_at)) is wrong
