"""Ids of charges and tiers: taken without surrounding white space, or refused with what was wanted and what came."""

import re

import pytest

from nous_billing.errors import BillingInvalidRequest
from nous_billing.protocol.idempotency import check_idempotency_key
from nous_billing.protocol.ids import check_charge_id, check_tier_id

CHECKS = {
    check_charge_id: ("charge_id must be the charge_id of an accepted charge, a string", "invalid_charge_id"),
    check_tier_id: (
        "subscription_type_id must be the tier_id of one of the subscription's tiers, a string",
        "invalid_subscription_type",
    ),
    check_idempotency_key: ("idempotency_key must be a string or a uuid.UUID", "invalid_idempotency_key"),
}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize(("given", "came"), [(5, "int"), (b"ch_1", "bytes")])
def test_what_is_no_string_is_refused(given, came, check):
    wanted, code = CHECKS[check]
    with pytest.raises(BillingInvalidRequest, match=f"^{re.escape(wanted)}, not {came}\\.$") as caught:
        check(given)
    assert caught.value.error == code


@pytest.mark.parametrize("check", [check_charge_id, check_tier_id])
def test_white_space_around_an_id_is_not_part_of_it(check):
    assert check("\t ch_1\n") == "ch_1"
