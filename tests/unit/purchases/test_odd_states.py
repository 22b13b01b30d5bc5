"""A purchase needs little of the billing state. Nothing else in it prevents one, whatever portals add later."""

from decimal import Decimal

import pytest

from tests.unit.drive import OWNER_STATE, reply

ORG = OWNER_STATE["org"]
ODD = [7.5, [], {"x": 1}, "odd", None, True]


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("field", sorted(OWNER_STATE.keys() | {"paymentMethod", "later"}))
def test_a_state_with_an_odd_field_still_lets_a_person_buy(shop, field, odd):
    if field == "org":
        pytest.skip("the organisation is what it is read for")
    shop.portal.states = [reply(200, {**OWNER_STATE, field: odd})]
    purchase = shop.buy().result
    assert (purchase.status, purchase.organisation_id, purchase.organisation_name) == ("settled", "org_1", "Acme")
    assert len(shop.portal.charges) == 1


def test_an_organisation_needs_no_more_than_its_id(shop):
    shop.portal.states = [reply(200, {"org": {"id": "org_1"}})]
    purchase = shop.buy().result
    assert (purchase.status, purchase.organisation_id, purchase.organisation_name) == ("settled", "org_1", "")


@pytest.mark.parametrize("org", [*ODD, {"id": 7}, {"id": None}, {"name": "Acme"}], ids=repr)
def test_without_its_id_nothing_is_bought(shop, org):
    shop.portal.states = [reply(200, {**OWNER_STATE, "org": org})]
    assert shop.buy().error.error == "invalid_response"
    assert shop.portal.posts == []


@pytest.mark.parametrize("bounds", [{"minUsd": "60", "maxUsd": "70"}, {"minUsd": "60", "maxUsd": "70", "later": 1}])
def test_bounds_that_can_be_read_hold(shop, bounds):
    shop.portal.states = [reply(200, {**OWNER_STATE, "bounds": bounds})]
    assert shop.buy(Decimal(50)).error.error == "amount_out_of_bounds"
