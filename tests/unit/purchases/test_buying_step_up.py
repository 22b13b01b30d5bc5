"""A scope that is missing: who is asked for it, and what they are told."""

from decimal import Decimal

import pytest

from nous_billing import errors
from nous_billing._arguments import kind_of
from nous_billing.errors import (
    BillingError,
    BillingInvalidRequest,
    BillingPurchaseUncertain,
)
from tests.unit.drive import PREVIEW
from tests.unit.shop import (
    DROPPED,
    KEY,
    LOST,
    PENDING,
    UNSCOPED,
    kinds,
)

MEMBER = {"role": "MEMBER", "canChangePlan": None}
CAPABLE = {"role": "MEMBER", "canChangePlan": True}
INCAPABLE = {"role": "OWNER", "canChangePlan": False}
LATER_ROLE = {"role": "BUYER", "canChangePlan": None}
OWNER = {"role": "OWNER", "canChangePlan": None}

ADMIN_ONLY = "Only an admin of Acme can buy credits. Ask an admin."
NOT_ALLOWED = "Remote spending was not allowed for this login. Try again, and allow it on the portal."
NOT_ASKED = "This login may not buy credits. Log in again and allow remote spending."


@pytest.mark.parametrize(
    ("role", "asked", "sentence"),
    [
        *[(role, asked, ADMIN_ONLY) for role in (MEMBER, INCAPABLE) for asked in (True, False)],
        *[(role, True, NOT_ALLOWED) for role in (OWNER, CAPABLE, LATER_ROLE)],
        *[(role, False, NOT_ASKED) for role in (OWNER, CAPABLE, LATER_ROLE)],
    ],
)
def test_a_scope_that_is_not_granted_is_a_sentence_for_this_person_and_nothing_was_charged(shop, role, asked, sentence):
    shop.portal.role = role
    shop.portal.posted = [UNSCOPED]
    error = shop.buy(step_up=(lambda: False) if asked else None).error
    assert (type(error), str(error)) == (errors.BillingScopeRequired, sentence)
    assert (error.status, error.error, error.outcome_unknown) == (403, "insufficient_scope", False)
    assert (error.portal_url, error.payload["portalUrl"]) == (f"{PREVIEW}/billing", "/billing")
    assert (len(shop.portal.posts), shop.kept.status) == (1, "not_made")


@pytest.mark.parametrize(("asked", "sentence"), [(True, NOT_ALLOWED), (False, NOT_ASKED)])
def test_a_scope_that_is_missing_before_the_role_is_known_is_asked_for_and_no_admin_named(shop, asked, sentence):
    shop.portal.states = [UNSCOPED]
    error = shop.buy(step_up=(lambda: False) if asked else None).error
    assert (type(error), str(error)) == (errors.BillingScopeRequired, sentence)
    assert shop.portal.posts == []


@pytest.mark.parametrize("answer", [None, 1, 0, "yes", "", [], b"yes"], ids=repr)
@pytest.mark.parametrize("waiting", [True, False])
def test_a_step_up_that_answers_neither_true_nor_false_is_a_fault_of_the_program(shop, answer, waiting):
    shop.portal.posted, shop.portal.polled = ([], [UNSCOPED]) if waiting else ([UNSCOPED], [])
    error = shop.buy(step_up=lambda: answer).error
    assert (type(error) is BillingPurchaseUncertain) is waiting
    fault = error.last_error if waiting else error
    assert (type(fault), fault.error) == (BillingInvalidRequest, "invalid_step_up")
    assert str(fault) == (f"step_up must return True or False, not {kind_of(answer)}. Nothing more was sent.")
    assert len(shop.portal.posts) == 1
    assert shop.kept.status == ("pending" if waiting else "not_made")


def test_a_step_up_that_was_used_for_the_post_is_not_asked_again_for_a_poll(shop):
    shop.portal.posted, shop.portal.polled = [UNSCOPED], [UNSCOPED]
    asked = []
    error = shop.buy(step_up=lambda: asked.append(1) or True).error
    assert (type(error), error.charge_id, len(asked)) == (BillingPurchaseUncertain, "ch_1", 1)


def test_a_step_up_begins_no_new_repetitions(shop):
    shop.portal.posted = [DROPPED, DROPPED, UNSCOPED, DROPPED, DROPPED]
    shop.buy(step_up=lambda: True)
    assert len(shop.portal.posts) == 5
    assert shop.clock.passed == 13


def test_a_scope_that_is_granted_lets_the_purchase_go_on_under_the_same_key(shop):
    shop.portal.posted = [UNSCOPED]
    played = shop.buy(step_up=lambda: True)
    assert played.result.status == "settled"
    assert shop.portal.posts == [(KEY, b'{"amountUsd":50}')] * 2
    assert (kinds(played).count("CallUser"), shop.clock.passed) == (1, 0)


def test_nobody_is_asked_for_a_scope_twice(shop):
    shop.portal.posted = [UNSCOPED, UNSCOPED]
    asked = []
    played = shop.buy(step_up=lambda: asked.append(1) or True)
    assert type(played.error) is errors.BillingScopeRequired
    assert str(played.error) == NOT_ASKED
    assert (len(asked), len(shop.portal.posts)) == (1, 2)


def test_nobody_is_asked_where_no_step_up_was_given(shop):
    shop.portal.posted = [UNSCOPED]
    assert "CallUser" not in kinds(shop.buy())


def test_a_scope_missing_after_a_lost_reply_leaves_the_purchase_uncertain_unless_it_is_granted(shop):
    shop.portal.posted = [LOST, UNSCOPED]
    assert type(shop.buy(step_up=lambda: False).error) is BillingPurchaseUncertain
    shop.portal.posted = [UNSCOPED]
    assert shop.buy(step_up=lambda: True).result.charge_id == "ch_1"


def test_a_scope_lost_while_waiting_is_asked_for_once_and_the_wait_goes_on(shop):
    shop.portal.polled = [PENDING, UNSCOPED, PENDING]
    played = shop.buy(step_up=lambda: True)
    assert (played.result.status, len(shop.portal.posts)) == ("settled", 1)


@pytest.mark.parametrize("granted", [True, False])
def test_a_scope_lost_for_good_while_waiting_leaves_the_charge_open(shop, granted):
    shop.portal.polled = [UNSCOPED] * 3
    error = shop.buy(step_up=lambda: granted).error
    assert (type(error), error.charge_id) == (BillingPurchaseUncertain, "ch_1")
    assert (type(error.last_error), error.status) == (errors.BillingChargeUnconfirmed, 403)
    assert len(shop.portal.polled) == (1 if granted else 2)


MINE = [
    ZeroDivisionError(),
    BillingError("The browser did not open."),
    errors.BillingNetworkError("The device login was not answered.", error="network_error"),
    errors.BillingScopeRequired("mine", error="insufficient_scope"),
    BillingPurchaseUncertain("mine", key="another", amount_usd=Decimal(1)),
]


@pytest.mark.parametrize("raised", MINE, ids=lambda raised: type(raised).__name__)
@pytest.mark.parametrize("before", ["refused", "lost", "waiting"])
def test_what_the_step_up_raises_is_the_callers_and_changes_nothing_on_record(shop, raised, before):
    def step_up():
        raise raised

    shop.portal.posted = {"refused": [UNSCOPED], "lost": [LOST, UNSCOPED], "waiting": []}[before]
    shop.portal.polled = [UNSCOPED]
    with pytest.raises(type(raised)) as caught:
        shop.raising(step_up=step_up)
    assert caught.value is raised
    # The portal's own word was on record before the step-up was asked.
    assert shop.kept.status == {"refused": "not_made", "lost": "sending", "waiting": "pending"}[before]
    shop.portal.polled = []
    assert (shop.buy().result.status, len(shop.portal.charges)) == ("settled", 1)
