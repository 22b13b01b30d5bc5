"""What a purchase says to a person, in each state: never a word about a charge that is not so."""

from dataclasses import replace
from decimal import Decimal
from typing import assert_never, get_args

import pytest

from nous_billing import Purchase, PurchaseStatus
from tests.documented import DOCUMENT
from tests.unit.drive import PREVIEW
from tests.unit.shop import ACCEPTED, SENDING

SETTLED = replace(ACCEPTED, status="settled", added_usd=Decimal("50.0"))
FAILED = replace(ACCEPTED, status="failed")


MESSAGES = [
    (
        SENDING,
        "It is not known yet whether $50.00 for Acme was charged. Wait, or look at the billing page before you buy "
        "again.",
    ),
    (ACCEPTED, "The charge of $50.00 for Acme was accepted. It is not known yet whether it is paid."),
    (SETTLED, "The purchase of $50.00 for Acme is paid."),
    (replace(SETTLED, added_usd=None), "The purchase of $50.00 for Acme is paid."),
    (
        replace(SETTLED, added_usd=Decimal(5)),
        "The purchase of $50.00 for Acme is paid. But the portal settled $5.00. Look at the billing page, and ask the "
        "portal's support.",
    ),
    (
        replace(SETTLED, discrepancies=("settled_and_failed",)),
        "The purchase of $50.00 for Acme is paid. But the portal has also reported it as failed. Look at the billing "
        "page before you buy again.",
    ),
    (
        replace(FAILED, reason="of_tomorrow"),
        "The payment of $50.00 for Acme failed: the portal says 'of_tomorrow'. Look at the billing page before you buy "
        "again.",
    ),
    *(
        (
            replace(FAILED, reason=reason),
            "The payment of $50.00 for Acme failed. Look at the billing page before you buy again.",
        )
        for reason in (None, " ")
    ),
    (
        replace(SENDING, status="not_made", organisation_name=""),
        "The purchase of $50.00 was not made. Nothing was charged.",
    ),
    (
        replace(SETTLED, other_charge_ids=("ch_2",)),
        "The portal made more than one charge of $50.00 for Acme for one purchase: ch_1, ch_2. The first has settled; "
        "it may have been paid more than once. Look at the billing page, and do not buy again.",
    ),
    (
        replace(ACCEPTED, other_charge_ids=("ch_2",)),
        "The portal made more than one charge of $50.00 for Acme for one purchase: ch_1, ch_2. How they ended is not "
        "known; it may have been paid more than once. Look at the billing page, and do not buy again.",
    ),
]


@pytest.mark.parametrize(("purchase", "message"), MESSAGES)
def test_each_state_has_a_sentence_of_its_own(purchase, message):
    assert purchase.message == message
    assert ("othing was charged" in message) == (purchase.status == "not_made")


def test_each_reason_of_the_contract_has_a_sentence_that_says_what_to_do():
    reasons = DOCUMENT["components"]["schemas"]["ChargeFailed"]["properties"]["reason"]["anyOf"][0]["enum"]
    messages = {replace(FAILED, reason=reason).message for reason in reasons}
    assert len(messages) == len(reasons) == 4
    for message in messages:
        assert message.startswith("The payment of $50.00 for Acme failed: the ")
        assert "the portal says" not in message
        assert "uy again" in message


def test_the_link_is_that_of_the_portal_that_it_is_bound_to():
    assert ACCEPTED.portal_url == f"{PREVIEW}/billing?topup=open"
    assert replace(SENDING, portal_base_url="").portal_url is None
    assert replace(SENDING, portal_base_url="javascript:alert(1)").portal_url is None


def short(purchase: Purchase) -> str:
    """A program whose type checker knows all states."""
    match purchase.status:
        case "sending" | "pending":
            return "open"
        case "settled" | "failed" | "not_made":
            return "ended"
        case _:
            assert_never(purchase.status)


@pytest.mark.parametrize("status", get_args(PurchaseStatus))
def test_a_type_checker_knows_each_state(status):
    assert short(replace(ACCEPTED, status=status)) == (
        "ended" if replace(ACCEPTED, status=status).has_ended else "open"
    )
