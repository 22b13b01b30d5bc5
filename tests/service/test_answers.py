"""What the example of a service says of an error, without any process."""

import json
from decimal import Decimal

import pytest

import nous_billing as nb
from examples.service.answers import of_error


@pytest.mark.parametrize(
    ("last_error", "expected"),
    [
        (nb.BillingPurchaseStoreError("down", outcome_unknown=True), (503, "not_known")),
        (nb.BillingPurchaseStoreError("not saved"), (503, "not_known")),
        (nb.BillingNetworkError("gone"), (202, "not_known")),
        (None, (202, "not_known")),
    ],
)
def test_what_the_database_could_not_be_asked_for_is_not_said_to_be_accepted(last_error, expected):
    error = nb.BillingPurchaseUncertain("?", key="k", amount_usd=Decimal(50), charge_id=None, last_error=last_error)
    assert (of_error(error, "k").status_code, json.loads(of_error(error, "k").body)["outcome"]) == expected
