"""What a caller adds to a request: sent as given but for its case, or refused with what is wrong."""

import pytest

from nous_billing._version import __version__
from nous_billing.errors import BillingInvalidRequest
from nous_billing.protocol.request_headers import check_headers, user_agent


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ([("X-A", "1")], "headers must be a mapping of names to values, not list."),
        (
            {"A: canary": "x"},
            "A name in headers must be a string such as X-Tenant, without blanks and colons. Nothing was sent.",
        ),
        ({"Host": "x"}, "The header Host is set by the SDK. Nothing was sent."),
        ({"X-NOUS-Any": "x"}, "The header X-NOUS-Any is set by the SDK. Nothing was sent."),
        ({"Idempotency_Key": "x"}, "The header Idempotency_Key is set by the SDK. Nothing was sent."),
        ({"x_nous-any": "x"}, "The header x_nous-any is set by the SDK. Nothing was sent."),
        ({"Content-Any": "x"}, "The header Content-Any is set by the SDK. Nothing was sent."),
        ({"TraceParent": "x"}, "The header TraceParent is set by the observer. Nothing was sent."),
        ({"X-A": "1", "x-a": "2"}, "The header x-a is there twice. Nothing was sent."),
        ({"X-A": "\x01"}, "The value of X-A must be a string of visible ASCII characters. Nothing was sent."),
    ],
)
def test_a_refusal_says_which_header_and_why(headers, message):
    with pytest.raises(BillingInvalidRequest) as caught:
        check_headers(headers, are_traced=True)
    assert (str(caught.value), caught.value.error) == (message, "invalid_headers")


def test_a_header_is_sent_with_its_value_unchanged():
    assert check_headers({"X-Tenant": "a\tB"}) == {"x-tenant": "a\tB"}
    assert check_headers({"traceparent": "x"}) == {"traceparent": "x"}
    assert check_headers(None) == {}


@pytest.mark.parametrize("name", ["myapp/1.2", "a (b; c)", "a" * 256])
def test_an_application_is_named_before_the_sdk(name):
    assert user_agent(name) == {"User-Agent": f"{name} nous-billing/{__version__}"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (5, 'user_agent must be a string like "myapp/1.2", not int.'),
        *(
            (
                name,
                'user_agent must be like "myapp/1.2" or "myapp/1.2 (a comment)", of at most 256 ASCII characters.',
            )
            for name in ("", "a" * 257, "a b\n")
        ),
    ],
)
def test_a_name_that_cannot_be_sent_is_refused_with_one_that_can(name, message):
    with pytest.raises(BillingInvalidRequest) as caught:
        user_agent(name)
    assert (str(caught.value), caught.value.error) == (message, "invalid_user_agent")
