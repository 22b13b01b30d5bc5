"""The key that makes a purchase happen once."""

import uuid

import pytest

from nous_billing.errors import BillingInvalidRequest
from nous_billing.protocol.idempotency import check_idempotency_key, new_idempotency_key


def test_a_new_key_is_a_uuid_and_no_two_are_alike():
    keys = {new_idempotency_key() for _ in range(1000)}
    assert len(keys) == 1000
    assert all(str(uuid.UUID(key)) == key for key in keys)
    assert all(check_idempotency_key(key) == key for key in keys)


@pytest.mark.parametrize(
    ("key", "sent"),
    [
        ("a", "a"),
        (" key-1\n", "key-1"),
        ("!~", "!~"),
        ("k" * 255, "k" * 255),
        (uuid.UUID(int=1), f"{uuid.UUID(int=1)}"),
    ],
)
def test_a_key_goes_out_stripped_and_otherwise_unchanged(key, sent):
    assert check_idempotency_key(key) == sent


@pytest.mark.parametrize("key", [None, "", " ", "\t\r\n", "\u00a0"])
def test_a_missing_or_blank_key_is_said_to_be_required(key):
    with pytest.raises(BillingInvalidRequest, match=r"^A payment needs an idempotency key: .*\.$") as caught:
        check_idempotency_key(key)
    assert caught.value.error == "idempotency_key_required"


@pytest.mark.parametrize(
    "key",
    [
        "k" * 256,
        "two words",
        "a\r\nX-Injected: 1",
        "a\x00",
        "a\x7f",
        "kl\u00fcssel",
        "\u0661",
    ],
)
def test_a_key_that_is_not_255_visible_ascii_characters_is_refused(key):
    with pytest.raises(
        BillingInvalidRequest, match=r"^idempotency_key must be 1 to 255 visible ASCII characters\.$"
    ) as caught:
        check_idempotency_key(key)
    assert caught.value.error == "invalid_idempotency_key"


@pytest.mark.parametrize("key", [5, b"key", ["key"]])
def test_a_key_of_another_type_is_refused(key):
    with pytest.raises(
        BillingInvalidRequest, match=r"^idempotency_key must be a string or a uuid\.UUID, not "
    ) as caught:
        check_idempotency_key(key)
    assert caught.value.error == "invalid_idempotency_key"
