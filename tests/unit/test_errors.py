"""The exceptions: their tree, what they carry, and that they survive a pickle."""

import copy
import inspect
import pickle
import re
from decimal import Decimal
from types import MappingProxyType

import pytest

import nous_billing
from nous_billing import errors
from nous_billing.errors import (
    BillingChargeUnsettled,
    BillingError,
    BillingMonthlyCapExceeded,
    BillingPurchaseInterrupted,
    BillingPurchaseUncertain,
    BillingRateLimited,
)

# Held fixed: others catch by these.
TREE = {
    "BillingAuthError": "BillingError",
    "BillingSessionRevoked": "BillingAuthError",
    "BillingLoginNotSaved": "BillingError",
    "BillingScopeRequired": "BillingError",
    "BillingAccessDenied": "BillingError",
    "BillingRemoteSpendingRevoked": "BillingAccessDenied",
    "BillingRoleRequired": "BillingAccessDenied",
    "BillingDisabled": "BillingAccessDenied",
    "BillingNoPaymentMethod": "BillingAccessDenied",
    "BillingConsentRequired": "BillingAccessDenied",
    "BillingMonthlyCapExceeded": "BillingAccessDenied",
    "BillingRateLimited": "BillingError",
    "BillingStripeUnavailable": "BillingRateLimited",
    "BillingUpgradeCapExceeded": "BillingRateLimited",
    "BillingInvalidRequest": "BillingError",
    "BillingIdempotencyConflict": "BillingError",
    "BillingNetworkError": "BillingError",
    "BillingTimeout": "BillingNetworkError",
    "BillingServerError": "BillingError",
    "BillingResponseError": "BillingError",
    "BillingChargeUnsettled": "BillingError",
    "BillingChargeTimeout": "BillingChargeUnsettled",
    "BillingChargeUnconfirmed": "BillingChargeUnsettled",
    "BillingChargeCancelled": "BillingChargeUnsettled",
    "BillingPurchaseUncertain": "BillingError",
    "BillingDuplicateCharge": "BillingPurchaseUncertain",
    "BillingPurchaseCancelled": "BillingError",
    "BillingPurchaseStoreError": "BillingError",
    "BillingPurchaseNotFound": "BillingPurchaseStoreError",
}
CLASSES = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, BillingError)]


def full(cls):
    """An error of the class in which every attribute says something."""
    last = BillingRateLimited("Slow down.", status=429, error="rate_limited", retry_after=7, payload={"code": "c"})
    if issubclass(cls, BillingChargeUnsettled):
        return cls("It may still settle.", charge_id="ch_1", error="charge_timeout", last_error=last)
    if issubclass(cls, BillingPurchaseUncertain):
        return cls("It may be made.", key="k", amount_usd=Decimal("50.00"), charge_id="ch_1", last_error=last)
    error = cls(
        "Something a person can read.",
        status=403,
        error="a_code",
        portal_url="https://preview.example/billing",
        retry_after=60,
        payload={"code": "c", "actor": "admin", "recovery": "login", "sum": Decimal("1.10"), "inner": {"a": [1]}},
        outcome_unknown=True,
    )
    if isinstance(error, BillingMonthlyCapExceeded):
        error.remaining_usd = Decimal("12.50")
        error.is_default_ceiling = False
    return error


def attributes(error):
    last = getattr(error, "last_error", None)
    return type(error), error.args, {**vars(error), "last_error": last and attributes(last)}


def drawn_tree():
    """Read the drawing in the module's docstring: the further right a name, the deeper it is."""
    tree, above = {}, []
    for line in inspect.getdoc(errors).splitlines():
        if drawn := re.match(r"([ │├└─]*)(Billing\w+)", line):
            depth, name = len(drawn[1]), drawn[2]
            above = [(column, parent) for column, parent in above if column < depth]
            if above:
                tree[name] = above[-1][1]
            above.append((depth, name))
    return tree


def test_the_classes_are_the_tree_of_the_design():
    assert {cls.__name__: cls.__base__.__name__ for cls in CLASSES if cls is not BillingError} == TREE


def test_the_tree_drawn_in_the_docstring_is_the_tree_of_the_classes():
    assert drawn_tree() == TREE


def test_every_class_is_exported():
    assert {cls.__name__ for cls in CLASSES} <= set(nous_billing.__all__)
    assert all(getattr(nous_billing, cls.__name__) is cls for cls in CLASSES)


@pytest.mark.parametrize("cls", CLASSES)
def test_a_copy_and_a_pickle_keep_every_attribute(cls):
    error = full(cls)
    pickled = [pickle.loads(pickle.dumps(error, protocol)) for protocol in range(6)]
    for same in (copy.copy(error), copy.deepcopy(error), *pickled):
        assert same is not error
        assert attributes(same) == attributes(error)
        assert str(same) == str(error)
        assert (same.code, same.outcome_unknown) == (error.code, True)


@pytest.mark.parametrize("cls", CLASSES)
def test_a_pickle_and_a_traceback_name_the_public_module(cls):
    modules = {module for _, module in re.findall(rb"(c|\x8c.)(nous_billing[\w.]*)", pickle.dumps(full(cls)))}
    assert (modules - {b"nous_billing._reply_headers"}, cls.__module__) == (
        {b"nous_billing.errors"},
        "nous_billing.errors",
    )


def test_what_a_subclass_of_somebody_else_adds_survives_a_pickle_too():
    error = pickle.loads(pickle.dumps(Foreign(7)))
    assert (str(error), error.extra) == ("made from 7", 7)


class Foreign(BillingError):
    def __init__(self, extra):
        super().__init__(f"made from {extra}")
        self.extra = extra


@pytest.mark.parametrize("cls", CLASSES)
def test_the_text_of_an_error_is_its_message(cls):
    error = full(cls)
    assert str(error) == error.message == error.args[0]


@pytest.mark.parametrize("payload", [None, {}, {"code": "c"}, MappingProxyType({"code": "c"})])
def test_the_payload_is_always_a_dict(payload):
    assert type(BillingError("x", payload=payload).payload) is dict
    assert BillingError("x", payload=payload).payload == (payload or {})


def test_the_payload_is_the_errors_own():
    given = {"code": "c"}
    error = BillingError("x", payload=given)
    given.clear()
    assert error.payload == {"code": "c"}


@pytest.mark.parametrize("name", ["code", "actor", "recovery"])
@pytest.mark.parametrize(("said", "value"), [("self", "self"), ("", ""), (5, None), (None, None), ([], None)])
def test_code_actor_and_recovery_are_read_off_the_payload_where_it_says_them(name, said, value):
    assert getattr(BillingError("x", payload={name: said}), name) == value
    assert getattr(BillingError("x"), name) is None


def test_an_error_says_nothing_that_it_was_not_told():
    error = BillingError("x")
    told = (error.status, error.error, error.portal_url, error.retry_after, error.payload, error.outcome_unknown)
    assert told == (None, None, None, None, {}, False)
    cap = BillingMonthlyCapExceeded("x")
    assert (cap.remaining_usd, cap.is_default_ceiling) == (None, None)


def test_a_wait_that_ends_unsettled_carries_what_the_last_poll_ran_into():
    last = BillingError(
        "x", status=401, error="e", portal_url="https://p.example", retry_after=3, payload={"actor": "self"}
    )
    error = BillingChargeUnsettled("y", charge_id="ch_1", error="charge_timeout", last_error=last)
    assert error.last_error is last
    assert (error.status, error.portal_url, error.retry_after, error.actor) == (401, "https://p.example", 3, "self")
    assert (error.error, error.outcome_unknown, error.charge_id) == ("charge_timeout", True, "ch_1")


def test_a_wait_that_ends_unsettled_without_a_failed_poll_has_nothing_of_one():
    error = BillingChargeUnsettled("y", charge_id="ch_1", error="charge_timeout")
    assert (error.last_error, error.status, error.portal_url, error.retry_after, error.payload) == (None,) * 4 + ({},)
    assert error.outcome_unknown is True


def test_an_uncertain_purchase_leads_to_the_link_of_what_it_ran_into_or_else_to_its_own():
    def link(last):
        return BillingPurchaseUncertain(
            "x", key="k", amount_usd=Decimal(50), last_error=last, portal_url="https://p.example/billing"
        ).portal_url

    assert link(None) == link(BillingError("y")) == "https://p.example/billing"
    assert link(BillingError("y", portal_url="https://p.example/team")) == "https://p.example/team"


def test_ctrl_c_in_a_purchase_is_a_keyboard_interrupt_that_nothing_for_billing_errors_swallows():
    uncertain = BillingPurchaseUncertain("It may be made.", key="k", amount_usd=Decimal(50))
    error = BillingPurchaseInterrupted(uncertain)
    assert BillingPurchaseInterrupted.__bases__ == (KeyboardInterrupt,)
    assert not isinstance(error, Exception)
    assert (error.uncertain, str(error)) == (uncertain, "It may be made.")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.uncertain.key) == (BillingPurchaseInterrupted, "k")


def test_an_uncertain_purchase_says_all_that_is_known_of_it():
    last = BillingError("x", status=503, retry_after=3, payload={"code": "c"})
    error = BillingPurchaseUncertain("y", key="k", amount_usd=Decimal(50), charge_id="ch_1", last_error=last)
    assert (error.error, error.outcome_unknown) == ("purchase_uncertain", True)
    assert (error.key, error.amount_usd, error.charge_id, error.last_error) == ("k", Decimal(50), "ch_1", last)
    assert (error.status, error.retry_after, error.code, error.portal_url) == (503, 3, "c", None)
    bare = BillingPurchaseUncertain("y", key="k", amount_usd=Decimal(50))
    assert (bare.charge_id, bare.last_error, bare.status, bare.payload) == (None, None, None, {})
