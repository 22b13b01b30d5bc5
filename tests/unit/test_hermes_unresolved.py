"""What the drop-in remembers of payments whose outcome is unknown."""

import json
from dataclasses import asdict

import pytest

from nous_billing.hermes.unresolved import Payment, UnresolvedPayments


def payment(key, organisation="one", at=0.0, **more):
    return Payment(key=key, what="charge 100", portal="portal", organisation=organisation, sent_at=at, **more)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "nous-billing/unresolved.json"
    path.parent.mkdir()
    return path


@pytest.fixture
def save(file):
    return lambda *payments: file.write_text(json.dumps({"version": 1, "payments": [*map(asdict, payments)]}))


@pytest.fixture
def claim(tmp_path):
    payments = UnresolvedPayments()
    return lambda confirmed: payments.claim(str(tmp_path), confirmed)[0].key


@pytest.mark.parametrize(
    ("earlier", "now", "sent"),
    [
        ([""], "one", "0"),
        (["one"], "", "0"),
        ([""], "", "0"),
        (["one"], "two", "new"),
        (["", "one"], "one", "1"),
        (["one", "two"], "", "1"),
        (["two", ""], "one", "1"),
    ],
)
def test_only_two_known_organisations_are_different_ones(earlier, now, sent, save, claim):
    save(*(payment(str(number), organisation, float(number)) for number, organisation in enumerate(earlier)))
    assert claim(payment("new", now, 9.0)) == sent


def test_a_payment_belongs_to_the_organisation_that_is_known_once_it_is_sent_for_it(save, claim):
    save(payment("first", ""))
    # The state cannot be read the third time.
    assert [claim(payment("first", now)) for now in ("", "one", "")] == ["first"] * 3
    assert claim(payment("second", "two")) == "second"
    assert claim(payment("third", "one")) == "first"
