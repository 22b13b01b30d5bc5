"""What a token and a stored login say of their own expiry."""

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from decimal import Decimal
from math import inf, nan

import pytest

from nous_billing.auth.tokens import (
    granted_scopes,
    iso_from_seconds,
    login_scopes,
    minimum_lifetime,
    positive_seconds,
    seconds_from_iso,
    token_claims,
    token_dates,
    token_end,
    usable_token,
)
from tests.unit.drive import NOW


def jwt(claims):
    text = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return f"e30.{urlsafe_b64encode(text).decode().rstrip('=')}.signature"


def at(seconds):
    return datetime.fromtimestamp(NOW + seconds, UTC).isoformat()


@pytest.mark.parametrize("sub", ["", "x", "xx", "xxx", "\u00ff\u00fe?>"])
def test_the_claims_of_a_token_are_read_whatever_their_length(sub):
    assert token_claims(jwt({"sub": sub, "exp": 5})) == {"sub": sub, "exp": 5}


@pytest.mark.parametrize(
    "token",
    ["", "opaque", "a.b", "a.%%%.c", jwt(b"{"), jwt(b"\xff"), jwt([1]), jwt(b"[" * 100_000), "a.\u00fc.c"],
    ids=range(9),
)
def test_a_token_that_is_no_jwt_has_no_claims(token):
    assert token_claims(token) == {}
    assert token_dates(token) == (None, None)


@pytest.mark.parametrize(
    ("exp", "seconds"),
    [
        (5, 5.0),
        (5.5, 5.5),
        (0, 0.0),
        (-5, -5.0),
        (True, None),
        ("5", None),
        (None, None),
        (10**11, None),
        (-(10**11), None),
    ],
)
def test_the_dates_of_a_token_are_numbers_that_a_date_can_hold(exp, seconds):
    assert token_dates(jwt({"exp": exp})) == (None, seconds)
    read, _ = token_dates(jwt({"iat": exp}))
    assert (read, type(read)) == (seconds, type(seconds))


@pytest.mark.parametrize(
    ("scope", "claim", "granted"),
    [
        ("a b", "c", {"a", "b"}),
        ("", "c", set()),
        (None, "c  d", {"c", "d"}),
        (5, ["c", 6], {"c", "6"}),
        (None, 5, set()),
        # What a terminal obeys, what no form can carry, and what would end a quoted value.
        ('a \x1b]0;x\x07 b\u202e \u00e4 \x9b1m c"d e\\f', None, {"a"}),
        (None, ["a", "\x1b[31m", "\ud800", "b c", "", "d\n"], {"a"}),
        (None, "a \ud800 \x7f", {"a"}),
        ("!#[]~", None, {"!#[]~"}),
    ],
)
def test_the_scopes_are_those_that_are_named_or_else_the_tokens_own(scope, claim, granted):
    assert granted_scopes(scope, jwt({"scope": claim})) == granted


@pytest.mark.parametrize(
    ("seconds", "positive"),
    [
        (5, 5.0),
        (0.001, 0.001),
        (Decimal("2.5"), 2.5),
        (0, None),
        (-1, None),
        (True, None),
        ("5", None),
        (None, None),
        (nan, None),
        (inf, None),
        (10**11 - 1, 99_999_999_999.0),
        (10**11, None),
        (Decimal("1e400"), None),
    ],
)
def test_a_number_of_seconds_is_positive_and_no_longer_than_a_date(seconds, positive):
    read = positive_seconds(seconds)
    assert (read, type(read)) == (positive, type(positive))


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [
        ("2025-06-15T15:06:40+00:00", NOW),
        ("2025-06-15T15:06:40Z", NOW),
        ("2025-06-15T17:06:40.5+02:00", NOW + 0.5),
        ("2025-06-15T15:06:40", None),
        ("soon", None),
        ("", None),
        (5, None),
        (None, None),
        ("0001-01-01T00:00:00+14:00", -62135647200.0),
    ],
)
def test_a_date_is_read_where_it_has_an_offset(moment, seconds):
    assert seconds_from_iso(moment) == seconds


def test_a_date_is_written_with_its_offset():
    assert iso_from_seconds(NOW + 0.5) == "2025-06-15T15:06:40.500000+00:00"


@pytest.mark.parametrize(
    ("expires_at", "claims", "left", "usable"),
    [
        (at(100), {}, 0, True),
        (at(100), {}, 99.9, True),
        (at(100), {}, 100, False),
        (at(0), {}, 0, False),
        (None, {"exp": NOW + 100}, 99, True),
        (None, {"exp": NOW + 100}, 100, False),
        ("soon", {"exp": NOW + 100}, 99, True),
        (at(100), {"exp": NOW + 500}, 200, False),
        (at(500), {"exp": NOW + 100}, 200, True),
        (None, {}, 10**9, True),
        (at(-1), {"exp": NOW + 500}, 0, False),
    ],
)
def test_a_token_is_usable_while_it_has_the_seconds_left_that_are_asked_for(expires_at, claims, left, usable):
    token = jwt(claims)
    login = {"access_token": f" {token} ", "expires_at": expires_at}
    assert usable_token(login, None, NOW, left) == (token if usable else None)
    assert usable_token(login, "another", NOW, left) == (token if usable else None)
    assert usable_token(login, token, NOW, left) is None


def test_a_token_is_usable_to_its_very_end_where_nothing_else_is_asked_for():
    login = {"access_token": "opaque", "expires_at": at(0.5)}
    assert usable_token(login, None, NOW) == "opaque"
    assert usable_token(login, None, NOW + 0.5) is None
    assert "opaque" not in repr(usable_token(login, None, NOW))


@pytest.mark.parametrize("token", [None, "", " ", 5])
def test_a_login_without_a_token_has_none_that_is_usable(token):
    assert usable_token({"access_token": token}, None, NOW) is None
    assert usable_token({}, None, NOW) is None


@pytest.mark.parametrize(
    ("expires_at", "exp", "end"),
    [
        (at(100), NOW + 5, NOW + 100),
        ("soon", NOW + 5, NOW + 5),
        (None, 0, 0),
        (None, -1, None),
        (None, None, None),
        # In the year 10000 by UTC.
        ("9999-12-31T23:59:59-12:00", NOW + 5, None),
        ("9999-12-31T23:59:59+00:00", NOW + 5, 253402300799),
    ],
)
def test_the_end_of_a_token_is_told_as_a_date(expires_at, exp, end):
    read = token_end({"access_token": jwt({"exp": exp}), "expires_at": expires_at})
    assert read == (None if end is None else datetime.fromtimestamp(end, UTC))


@pytest.mark.parametrize(
    ("login", "scopes"),
    [
        ({"access_token": "opaque", "scope": "a b"}, {"a", "b"}),
        ({"access_token": jwt({"scope": "c"})}, {"c"}),
        ({"access_token": " ", "scope": "a b", "expires_at": at(5)}, set()),
        ({"scope": "a b", "expires_at": at(5)}, set()),
    ],
)
def test_a_login_without_a_token_has_no_scopes(login, scopes):
    assert login_scopes(login) == scopes
    assert scopes or token_end(login) is None


@pytest.mark.parametrize(
    ("login", "claims", "left"),
    [
        # Written by this machine, or by one whose clock differs by a minute at most.
        ({"obtained_at": at(60), "expires_at": at(960), "expires_in": 900}, {}, 960),
        # The portal's dates agree with this machine's clock.
        ({"obtained_at": at(61), "expires_at": at(961), "expires_in": 900}, {"iat": NOW, "exp": NOW + 900}, 900),
        ({"obtained_at": at(61), "expires_at": at(961), "expires_in": 900}, {"iat": NOW + 60, "exp": NOW + 5}, 5),
        ({"obtained_at": at(61), "expires_at": at(961)}, {"iat": NOW - 900, "exp": NOW}, 0),
        ({"obtained_at": at(61), "expires_at": at(961)}, {"iat": NOW}, inf),
        # This machine's clock is the wrong one: the age of the token is not known.
        ({"obtained_at": at(61), "expires_at": at(961), "expires_in": 900}, {"iat": NOW + 61, "exp": NOW + 961}, 900),
        ({"obtained_at": at(61), "expires_at": at(961), "expires_in": 900}, {}, 900),
        ({"obtained_at": at(61), "expires_at": at(961)}, {}, inf),
        # The portal did not say how long: the token's own dates do, whatever this machine's clock is.
        ({"obtained_at": at(-5)}, {"iat": NOW - 1200, "exp": NOW - 300}, 895),
        ({"obtained_at": at(-5)}, {"iat": NOW + 1200, "exp": NOW + 2100}, 895),
        ({"obtained_at": at(-5)}, {"iat": NOW, "exp": NOW - 1}, -1),
        ({"obtained_at": at(-5)}, {"exp": NOW + 10}, 10),
        ({}, {"iat": NOW - 5, "exp": NOW + 10}, 10),
        # Without a date of its own the beginning follows from the end.
        ({"expires_at": at(960), "expires_in": 900}, {}, 960),
        ({"expires_at": at(961), "expires_in": 900}, {}, 900),
        ({"expires_at": at(961)}, {}, 961),
        ({"expires_in": 900}, {}, inf),
    ],
)
def test_dates_of_another_clock_do_not_say_how_long_a_token_lives(login, claims, left):
    login = {**login, "access_token": jwt(claims)}
    assert usable_token(login, None, NOW, min(left - 0.5, 10**9)) is not None
    assert usable_token(login, None, NOW, left) is None


@pytest.mark.parametrize(
    ("login", "seconds"),
    [
        ({}, 120.0),
        ({"access_token": jwt({"iat": NOW, "exp": NOW + 100})}, 50.0),
        ({"access_token": jwt({"iat": NOW, "exp": NOW + 100}), "expires_in": 60}, 30.0),
        ({"access_token": jwt({"exp": NOW + 100})}, 120.0),
        ({"access_token": "opaque", "expires_in": 900}, 120.0),
        ({"access_token": "opaque", "expires_in": 240}, 120.0),
        ({"access_token": "opaque", "expires_in": 100}, 50.0),
        ({"access_token": "opaque", "expires_in": -1}, 120.0),
    ],
)
def test_a_token_must_last_two_minutes_or_half_its_life(login, seconds):
    assert minimum_lifetime(login) == seconds
