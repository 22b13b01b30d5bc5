"""The drop-in's own client; what the functions do is shown over sockets."""

import pytest

from nous_billing import hermes
from nous_billing.errors import BillingInvalidRequest


def test_there_is_one_client_made_when_it_is_first_needed():
    hermes._client.cache_clear()
    hermes.invalidate_cached_token()
    assert hermes._client() is hermes._client()
    hermes._client().close()
    hermes._client.cache_clear()


def test_there_is_no_name_that_is_not_there():
    assert not hasattr(hermes, "no_such_name")


@pytest.mark.parametrize(
    "call",
    [
        hermes.get_billing_state,
        lambda **more: hermes.patch_auto_top_up(enabled=True, threshold=20, top_up_amount=100, **more),
        lambda **more: hermes.post_charge(amount_usd=50, idempotency_key="key-1", **more),
        lambda **more: hermes.get_charge_status("ch_1", **more),
    ],
    ids=["state", "top-up", "charge", "status"],
)
def test_a_call_has_the_seconds_that_it_was_given(call):
    with pytest.raises(BillingInvalidRequest, match=r"^timeout must be .*, not -1\.5\.$"):
        call(timeout=-1.5)
