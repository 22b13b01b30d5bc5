"""Values are read as annotations name them, and refused where they are of another type."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from nous_billing.errors import BillingError, BillingInvalidRequest, BillingMonthlyCapExceeded
from nous_billing.models import Card
from nous_billing.protocol.decoding import ContractBreach, field_types, read_scalar
from nous_billing.protocol.error_codes import CLASSES, REFUSALS


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        (str, "x", "x"),
        (bool, False, False),
        (int, 3, 3),
        (Decimal, "142.50", Decimal("142.50")),
        (datetime, "2026-06-13T10:00:00Z", datetime(2026, 6, 13, 10, tzinfo=UTC)),
        (datetime, datetime(2026, 6, 13, tzinfo=UTC), datetime(2026, 6, 13, tzinfo=UTC)),
    ],
)
def test_a_value_is_read_as_its_annotation_says(kind, value, read):
    got = read_scalar(kind, value)
    assert (type(got), got, str(got)) == (type(read), read, str(read))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (str, 5),
        (str, None),
        (bool, 1),
        (bool, "true"),
        (int, True),
        (int, 1.0),
        (int, "1"),
        (datetime, "2026-06-13T10:00:00"),
        (datetime, datetime(2026, 6, 13)),
        (datetime, 5),
    ],
)
def test_a_value_of_another_type_breaks_the_contract(kind, value):
    with pytest.raises(ContractBreach):
        read_scalar(kind, value)


@pytest.mark.parametrize("value", [5, "1e5", None, Decimal(5)])
def test_money_is_a_decimal_string_and_nothing_else(value):
    with pytest.raises(BillingInvalidRequest):
        read_scalar(Decimal, value)


def test_annotations_say_the_type_and_whether_there_may_be_none():
    assert field_types(Card) == {"brand": (str, False), "last4": (str, False), "resolved_via": (str, True)}


def test_an_error_has_only_the_fields_of_its_own():
    own = field_types(BillingMonthlyCapExceeded, excluding=BillingError)
    assert own == {"remaining_usd": (Decimal, True), "is_default_ceiling": (bool, True)}


@pytest.mark.parametrize("cls", [*CLASSES.values(), *(cls for _, cls, _ in REFUSALS.values())])
def test_every_field_of_an_error_can_be_read_and_may_be_absent(cls):
    for kind, may_be_none in field_types(cls, excluding=BillingError).values():
        assert kind in (str, bool, int, Decimal, datetime)
        assert may_be_none
