"""Dollars: the exact value, or a refusal."""

import json
import re
from contextlib import contextmanager
from decimal import Context, Decimal, getcontext, localcontext
from enum import IntEnum
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nous_billing.errors import BillingInvalidRequest
from nous_billing.money import MAX_AMOUNT_USD, check_amount, encode_json, format_usd, parse_usd, without_trailing_zeros
from tests.unit.drive import short


class ForeignFloat(float):
    """As numpy's, whose repr is no number."""

    def __repr__(self):
        return f"np.float64({float.__repr__(self)})"


class LyingDecimal(Decimal):
    def __format__(self, spec, /, context=None):
        return "1e9"

    def __str__(self, /):
        return "1e9"


class Dollars(IntEnum):
    FIFTY = 50


HUGE = [Decimal("1e999999999"), Decimal("-1e999999999"), Decimal("1e-999999999"), 10**5000, -(10**5000)]
NOT_FINITE = [Decimal("NaN"), Decimal("sNaN"), Decimal("-sNaN123"), Decimal("Infinity"), Decimal("-Infinity")]
NOT_FINITE_FLOATS = [float("nan"), float("inf"), float("-inf")]
BEYOND = [*HUGE, *NOT_FINITE, *NOT_FINITE_FLOATS]

# Text that somebody's parser takes for a number.
NO_DECIMAL = ["", " ", "+1", ".5", "1.", "1e5", "1E5", "1e999999999", "NaN", "sNaN", "Infinity", "1_000", "1,000", "$5"]
NO_DIGITS = ["--1", "0x10", "5 0", "5\x00", "null", "\u0663", "\uff11", "1.\u0665", "\ud800", "9" * 5000]
NO_MONEY = [True, False, None, b"5", [5], ["5"], {}, object(), 5j, Fraction(1, 2)]

OUT_OF_BOUNDS = [0, -1, 1_000_001, "0", "0.00", "1000000.01", 0.0, -0.0, 1e16, -5.0, Decimal("-0"), Decimal("1e7")]
NO_WHOLE_CENTS = ["0.001", "50.005", Decimal("0.001"), Decimal("1e-30"), 0.1 + 0.2, 1e-07, ForeignFloat(0.005)]


@contextmanager
def hostile_context():
    with localcontext(Context(prec=3, traps=list(getcontext().flags))):
        yield


class Refused(str):
    """The code of a refusal."""


def outcome(function, *arguments):
    try:
        return function(*arguments)
    except BillingInvalidRequest as error:
        return Refused(error.error)


def digits(function, *arguments):
    value = outcome(function, *arguments)
    return value.as_tuple() if isinstance(value, Decimal) else value


@pytest.mark.parametrize(
    "text", ["142.5", "100", "0.01", "-3.25", "0", "-0", "007", "142.50", "1.0000", "9" * 32, "-0.000000000000000001"]
)
def test_money_of_the_portal_keeps_the_digits_that_were_sent(text):
    assert parse_usd(text).as_tuple() == Decimal(text).as_tuple()


@pytest.mark.parametrize(
    "text",
    [*NO_DECIMAL, *NO_DIGITS, *NO_MONEY, *BEYOND, "1 ", " 1", "1\n", "9" * 33, "-" + "9" * 32, 5, 1.5, Decimal(1)],
    ids=short,
)
def test_what_is_no_decimal_string_is_refused(text):
    refusal = (
        "Not a decimal number of dollars" if isinstance(text, str) else "text must be a string such as '142.5', not"
    )
    with pytest.raises(BillingInvalidRequest, match=refusal) as caught:
        parse_usd(text)
    assert caught.value.error == "invalid_amount"
    assert "a NoneType" not in str(caught.value) or text is None
    assert len(str(caught.value)) < 120


@given(st.text() | st.from_regex(r"-?[0-9]{0,40}(\.[0-9]{0,20})?", fullmatch=True) | st.floats().map(str))
@settings(deadline=None)
def test_any_text_is_read_exactly_or_refused(text):
    value = outcome(parse_usd, text)
    if isinstance(value, Refused):
        assert value == "invalid_amount"
        assert not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", text), "money of the contract must be read"
    else:
        assert value == Fraction(text)
        assert type(value) is Decimal


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "$0.00"),
        ("-0", "$0.00"),
        ("5", "$5.00"),
        ("1142.5", "$1,142.50"),
        ("1142.500", "$1,142.50"),
        ("-0.005", "-$0.005"),
        ("-1234567.891", "-$1,234,567.891"),
        ("1E+3", "$1,000.00"),
        ("0.00", "$0.00"),
        ("1E+32", "$100" + ",000" * 10 + ".00"),
        ("1E-32", f"$0.{'0' * 31}1"),
    ],
)
def test_dollars_are_shown_with_two_places_or_as_many_more_as_they_have(amount, text):
    assert format_usd(Decimal(amount)) == text


@pytest.mark.parametrize("amount", [*NOT_FINITE, *map(Decimal, ["1e33", "1e-33", "1e999999999", "1e-999999999"])])
def test_what_is_no_sum_of_money_is_not_shown(amount):
    with pytest.raises(BillingInvalidRequest) as caught:
        format_usd(amount)
    assert caught.value.error == "invalid_amount"
    assert str(caught.value) == f"Not a sum of money: {amount!r}."


@given(st.decimals())
@example(Decimal("1234567890." + "123456789" * 8))
@settings(deadline=None)
def test_what_is_shown_is_exactly_the_amount(amount):
    text = outcome(format_usd, amount)
    if isinstance(text, Refused):
        assert text == "invalid_amount"
    else:
        assert re.fullmatch(r"-?\$[0-9]{1,3}(,[0-9]{3})*\.[0-9]{2,}", text)
        assert Fraction(text.replace("$", "").replace(",", "")) == Fraction(amount)


@pytest.mark.parametrize(
    ("amount", "exact"),
    [
        (Decimal("50.25"), "50.25"),
        (Decimal("50.00"), "50.00"),
        (Decimal("1E+5"), "1E+5"),
        (LyingDecimal("0.01"), "0.01"),
        (1, "1"),
        (1_000_000, "1000000"),
        (Dollars.FIFTY, "50"),
        ("0.01", "0.01"),
        ("1000000.00", "1000000.00"),
        ("  50.5\n", "50.5"),
        (0.1, "0.1"),
        (50.0, "50.0"),
        (19.99, "19.99"),
        (ForeignFloat(0.07), "0.07"),
    ],
)
def test_an_amount_is_taken_exactly_as_given(amount, exact):
    value = check_amount(amount, "amount_usd")
    assert type(value) is Decimal
    assert value.as_tuple() == Decimal(exact).as_tuple()


@pytest.mark.parametrize(
    "amount",
    [
        *OUT_OF_BOUNDS,
        *NO_WHOLE_CENTS,
        *NO_DECIMAL,
        *NO_DIGITS,
        *NO_MONEY,
        *BEYOND,
        "-5",
        "9" * 17,
        "0." + "0" * 17,
    ],
    ids=short,
)
def test_what_is_not_a_whole_number_of_cents_in_bounds_is_refused(amount):
    with pytest.raises(BillingInvalidRequest, match=r"^top_up_amount must be ") as caught:
        check_amount(amount, "top_up_amount")
    assert caught.value.error == "invalid_amount"
    assert caught.value.status is None
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("amount", "may_be_zero", "words"),
    [
        (0, False, "more than 0 and at most 1,000,000 dollars, not 0."),
        (-1, True, "at least 0 and at most 1,000,000 dollars, not -1."),
        ("50.005", False, "a whole number of cents, not '50.005'."),
        (b"5", False, "not bytes."),
        (2**128 - 1, False, f"not {2**128 - 1}."),
        (2**128, False, "not an int far too great."),
        ("x" * 58, False, f"not '{'x' * 58}'."),
        ("x" * 59, False, f"not '{'x' * 59}…."),
    ],
    ids=short,
)
def test_a_refusal_says_the_bounds_and_what_was_given(amount, may_be_zero, words):
    with pytest.raises(BillingInvalidRequest) as caught:
        check_amount(amount, "amount_usd", may_be_zero=may_be_zero)
    assert str(caught.value).endswith(words)


@pytest.mark.parametrize(
    ("function", "given", "message"),
    [
        (parse_usd, b"5", "text must be a string such as '142.5', not bytes."),
        (parse_usd, "x", "Not a decimal number of dollars: 'x'."),
        (format_usd, 5, "amount must be a Decimal, not int."),
        (check_amount, "x", "The amount must be dollars such as 50.25, not 'x'."),
        (
            check_amount,
            None,
            "The amount must be dollars as a Decimal, an int or a string such as '50.25', not None.",
        ),
    ],
)
def test_a_refusal_names_what_was_wanted_and_what_came(function, given, message):
    with pytest.raises(BillingInvalidRequest, match=f"^{re.escape(message)}$") as caught:
        function(given)
    assert caught.value.error == "invalid_amount"


ANYTHING = (
    st.decimals()
    | st.floats()
    | st.text()
    | st.integers()
    | st.booleans()
    | st.none()
    | st.fractions()
    | st.decimals(min_value=0, max_value=2_000_000, places=2)
    | st.decimals(min_value=0, max_value=2_000_000, places=3)
    | st.decimals(min_value=0, max_value=2_000_000, places=2).map(str)
    | st.floats(min_value=0, max_value=1000).map(lambda number: round(number, 2))
)


@given(ANYTHING)
@settings(deadline=None)
def test_any_value_goes_out_exactly_or_not_at_all(amount):
    value = outcome(check_amount, amount, "amount_usd")
    if isinstance(value, Refused):
        assert value == "invalid_amount"
        return
    assert type(value) is Decimal
    assert value == Decimal(str(amount).strip())
    assert 0 < value <= MAX_AMOUNT_USD
    assert (Fraction(value) * 100).denominator == 1
    written = encode_json({"amountUsd": value}).decode()
    assert re.fullmatch(r'\{"amountUsd":[0-9]+(\.[0-9]+)?\}', written)
    assert json.loads(written, parse_int=Decimal, parse_float=Decimal) == {"amountUsd": value}


@given(st.integers(min_value=1, max_value=100_000_000))
@settings(deadline=None)
def test_every_whole_number_of_cents_is_taken_in_every_type(cents):
    text = f"{cents // 100}.{cents % 100:02}"
    for amount in (text, Decimal(text), float(text)):
        assert Fraction(check_amount(amount, "amount_usd")) == Fraction(cents, 100)


@given(ANYTHING)
@settings(deadline=None)
def test_the_decimal_context_of_the_caller_changes_nothing(amount):
    usual = [digits(check_amount, amount, "a"), digits(parse_usd, amount)]
    usual.append(digits(format_usd, amount) if isinstance(amount, Decimal) else None)
    with hostile_context():
        hostile = [digits(check_amount, amount, "a"), digits(parse_usd, amount)]
        hostile.append(digits(format_usd, amount) if isinstance(amount, Decimal) else None)
    assert hostile == usual


@pytest.mark.parametrize("amount", [*BEYOND, "1234.56", 123456, 1234.56, Decimal("0.01")], ids=short)
def test_a_context_that_traps_everything_changes_nothing_at_the_edges(amount):
    usual = digits(check_amount, amount, "a")
    with hostile_context():
        assert digits(check_amount, amount, "a") == usual
        assert encode_json({"amountUsd": Decimal("123456.78")}) == b'{"amountUsd":123456.78}'


@pytest.mark.parametrize(
    ("body", "written"),
    [
        ({}, b"{}"),
        ({"amountUsd": Decimal("50")}, b'{"amountUsd":50}'),
        ({"amountUsd": Decimal("1E+5")}, b'{"amountUsd":100000}'),
        ({"amountUsd": Decimal("0.10")}, b'{"amountUsd":0.10}'),
        ({"amountUsd": Decimal("1E-2")}, b'{"amountUsd":0.01}'),
        ({"enabled": False, "threshold": Decimal(20)}, b'{"enabled":false,"threshold":20}'),
        ({'a"b': "c\n"}, b'{"a\\"b":"c\\n"}'),
        ({"sums": [Decimal("0.10"), "b", [None, 2]]}, b'{"sums":[0.10,"b",[null,2]]}'),
    ],
)
def test_a_decimal_is_written_as_that_number_digit_for_digit(body, written):
    assert encode_json(body) == written


def test_what_contains_itself_is_refused_and_not_sent():
    itself, deep = {}, []
    itself["a"] = [itself]
    for _ in range(100_000):
        deep = [deep]
    for body in (itself, deep):
        with pytest.raises(BillingInvalidRequest, match=r"contains itself.* Nothing was sent\.$"):
            encode_json(body)


@pytest.mark.parametrize(
    ("given", "written"),
    [(Decimal("0E-9999999999999"), "0"), (Decimal("50." + "0" * 5000), "50"), ("50." + "0" * 16, None)],
    ids=["0", "50", "exact"],
)
def test_an_amount_of_more_zeros_than_a_request_can_have_is_sent_without_them(given, written):
    assert encode_json([check_amount(given, may_be_zero=True)]).decode() == f"[{written or given}]"


@pytest.mark.parametrize(
    ("given", "shortest"),
    [("50.00", "50"), ("50", "50"), ("5E+1", "50"), ("50.10", "50.1"), ("1000000", "1000000"), ("0.01", "0.01")],
)
def test_the_shortest_form_of_a_sum_is_the_same_sum_without_an_exponent(given, shortest):
    assert str(without_trailing_zeros(Decimal(given))) == shortest


def test_the_shortest_form_of_a_sum_is_exact_whatever_the_callers_context():
    with hostile_context():
        assert str(without_trailing_zeros(Decimal("999999.90"))) == "999999.9"
