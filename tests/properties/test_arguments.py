"""What a caller may give: it is sent as that, or refused for a reason of the contract and nothing is sent."""

import re
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import strategies as st

from tests.registry import ENTRIES

from .sending import CHARGE_ID, KEY, assert_within_the_contract, decoded, refused

GIVEN: st.SearchStrategy[Any] = (
    st.decimals()
    | st.decimals(min_value=0, max_value=1_100_000, places=2)
    | st.integers(-10, 10_000_000)
    | st.floats()
    | st.integers(1, 100_000_000).map(lambda cents: cents / 100)
    | st.sampled_from([0.1 + 0.2, "1e3", "0.001", " 50 ", "١٢", "NaN", "-0", "0.00", True, None, [], b"50"])
    | st.decimals(min_value=0, max_value=1_100_000, places=2).map(str)
)


def test_an_amount_is_sent_as_that_number_or_refused_for_a_reason_of_the_contract(rig, facade, for_all):
    outcomes = set()

    def sent_or_refused(amount):
        rig.renew()
        outcome = facade.call("post_charge", {"amount_usd": amount, "idempotency_key": "k"})
        outcomes.add(refused(outcome))
        if refused(outcome):
            assert outcome.error == "invalid_amount"
            assert rig.portal.requests == []
            assert not _is_money(amount)
        else:
            (request,) = rig.portal.requests
            assert_within_the_contract(request, "post_charge")
            (value,) = decoded(request.body).values()
            assert value == Decimal(repr(amount) if isinstance(amount, float) else amount)
            assert rig.organisation.charges[0].amount == value

    for_all(sent_or_refused, GIVEN, share=6)
    assert outcomes == {True, False}


def _is_money(amount):
    """Whether it says a number of dollars that the contract allows: a string as a plain number, a float as its repr."""
    if isinstance(amount, bool) or not isinstance(amount, (Decimal, int, float, str)):
        return False
    # Refused though a Decimal would read it: an exponent, digits of other scripts, "_" or "+" in a string. Such a text
    # is more likely a slip than a sum.
    if isinstance(amount, str) and not re.fullmatch(r"[0-9]{1,16}(\.[0-9]{1,16})?", amount.strip()):
        return False
    number = Decimal(repr(amount) if isinstance(amount, float) else amount)
    return number.is_finite() and 0 < number <= 1_000_000 and number * 100 == int(number * 100)


@pytest.mark.parametrize(
    ("operation", "name", "schema", "errors"),
    [
        ("post_charge", "idempotency_key", KEY, {"idempotency_key_required", "invalid_idempotency_key"}),
        ("get_charge_status", "charge_id", CHARGE_ID, {"invalid_charge_id"}),
    ],
)
def test_a_key_and_an_id_are_sent_as_given_or_refused_for_a_reason_of_the_contract(
    operation, name, schema, errors, rig, facade, for_all
):
    outcomes = set()

    def sent_or_refused(text):
        rig.renew()
        outcome = facade.call(operation, {**ENTRIES[operation].arguments, name: text})
        outcomes.add(refused(outcome))
        # White space around it is not a part of it.
        text = text.strip() if isinstance(text, str) else text
        assert refused(outcome) is not schema.is_valid(text)
        if refused(outcome):
            assert outcome.error in errors
            assert rig.portal.requests == []
        else:
            (request,) = rig.portal.requests
            assert_within_the_contract(request, operation)
            arrived = request.headers.get("idempotency-key", unquote(request.path.rpartition("/")[2]))
            assert arrived == text

    visible = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=260)
    for_all(
        sent_or_refused,
        st.text() | visible | st.sampled_from([".", "..", "a\n", " a ", "a b", "%2e", "~" * 255, "~" * 256, None, 1]),
        share=4,
    )
    assert outcomes == {True, False}
