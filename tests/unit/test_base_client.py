"""What both clients check and reckon before anything is sent."""

import pytest

from nous_billing import operations
from nous_billing.base_client import BaseClient
from nous_billing.credentials import StaticToken
from nous_billing.errors import BillingInvalidRequest


@pytest.mark.parametrize("bare", ["token-1", b"token-1", {"access_token": "token-1"}])
def test_a_bare_value_is_no_source_of_credentials_and_is_not_shown(clock, bare):
    with pytest.raises(BillingInvalidRequest) as caught:
        BaseClient(bare, None, 15.0, clock)
    assert caught.value.error == "invalid_credentials"
    assert "token-1" not in str(caught.value)


@pytest.mark.parametrize(("timeout", "deadline"), [(None, 1015.0), (3, 1003.0)])
def test_a_call_has_the_time_that_the_client_has_unless_it_says_otherwise(clock, timeout, deadline):
    client = BaseClient(StaticToken("token-1"), None, 15.0, clock)
    assert next(client._exchange(operations.get_billing_state(), timeout)).deadline == deadline


def test_what_is_no_length_of_time_is_refused_for_a_call_too(clock):
    client = BaseClient(StaticToken("token-1"), None, 15.0, clock)
    with pytest.raises(BillingInvalidRequest, match="timeout"):
        client._exchange(operations.get_billing_state(), 0)
