"""What cannot be right is refused before anything is sent: a typed error, and the portal hears nothing."""

from decimal import Decimal

import pytest

import nous_billing as nb
from nous_billing import StaticToken
from tests.registry import KEY

from .harness import Source, charge, failure, poll, read, save

# What is refused is a matter of the unit tests; here, that both clients refuse it, and before anything is sent.
REFUSED = {
    "an amount": (lambda client: charge(client, "0.001"), "invalid_amount", "amount_usd must be"),
    "an amount that is no number": (
        lambda client: charge(client, float("nan")),
        "invalid_amount",
        "amount_usd must be",
    ),
    "a huge amount": (lambda client: charge(client, 10**5000), "invalid_amount", "amount_usd must be"),
    "a threshold": (lambda client: save(client, threshold=True), "invalid_amount", "threshold must be"),
    "a top-up amount": (lambda client: save(client, top_up_amount=-1), "invalid_amount", "top_up_amount must be"),
    "whether it is enabled": (lambda client: save(client, enabled=1), "invalid_request", "enabled must be"),
    "no key": (lambda client: charge(client, key=None), "idempotency_key_required", "A payment needs"),
    "a key": (lambda client: charge(client, key="a\r\nX: 1"), "invalid_idempotency_key", "idempotency_key must be"),
    "an id": (lambda client: poll(client, charge_id=".."), "invalid_charge_id", "charge_id must be"),
    "an id to wait for": (lambda client: client.wait_for_charge("a b"), "invalid_charge_id", "charge_id must be"),
}
BASE_URLS = [
    "",
    "portal.nousresearch.com",
    "http://127.0.0.2:1",
    "https://user:password@portal.test",
    "https://portal.test\\@elsewhere.test",
    7,
]
TIMEOUTS = [0, -1, float("nan"), float("inf"), None, "15", True]


def shown(value):
    return repr(value)[:30] if not isinstance(value, int) or abs(value) < 10**9 else "a huge int"


@pytest.fixture
def heard(server):
    """Nobody hears of the test: not even a connection is made."""
    yield server
    assert server.connections == 0


@pytest.mark.parametrize(("call", "code", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_right_is_not_sent(call, code, said, raw_client, heard):
    error = failure(call, raw_client)
    assert (type(error), error.error, error.status) == (nb.BillingInvalidRequest, code, None)
    assert error.outcome_unknown is False
    assert str(error).startswith(said)
    assert len(str(error)) < 200


@pytest.mark.parametrize("base_url", BASE_URLS, ids=shown)
def test_an_address_that_may_not_have_the_token_is_refused(base_url, client_kind, monkeypatch, server):
    error = failure(client_kind.client, StaticToken("t"), base_url=base_url)
    assert (type(error), error.error) == (nb.BillingInvalidRequest, "invalid_base_url")
    assert "password" not in str(error).replace("user name or password", "")
    if base_url == "":
        return
    # An address of the credentials is held to the same rules, and one of the environment too.
    error = failure(read, client_kind.client(Source(["t"], base_url)))
    assert (type(error), error.error) == (nb.BillingInvalidRequest, "invalid_base_url")
    if isinstance(base_url, str):
        monkeypatch.setenv("NOUS_PORTAL_BASE_URL", base_url)
        error = failure(charge, client_kind.client(StaticToken("t", portal_base_url=server.url)))
        assert (type(error), error.error) == (nb.BillingInvalidRequest, "invalid_base_url")
    assert server.connections == 0


@pytest.mark.parametrize("timeout", TIMEOUTS, ids=shown)
def test_a_timeout_that_is_none_is_refused(timeout, client_kind, heard):
    token = StaticToken("t")
    error = failure(client_kind.client, token, base_url=heard.url, timeout=timeout)
    assert (type(error), error.error) == (nb.BillingInvalidRequest, "invalid_timeout")
    client = client_kind.client(token, base_url=heard.url)
    # For a single call None means the client's own.
    if timeout is not None:
        for call in (read, charge, poll):
            assert failure(call, client, timeout=timeout).error == "invalid_timeout"
    for name in ("interval", "cap"):
        assert failure(client.wait_for_charge, "ch_1", **{name: timeout}).error == "invalid_timeout"


@pytest.mark.parametrize("credentials", ["a-token", b"a-token", 7, {"access_token": "x"}, object], ids=shown)
def test_credentials_that_are_no_source_are_refused(credentials, client_kind):
    error = failure(client_kind.client, credentials)
    assert (type(error), error.error) == (nb.BillingInvalidRequest, "invalid_credentials")
    assert "a-token" not in str(error)


@pytest.mark.parametrize(
    "token", ["", " ", "two words", "line\nbreak", "t\u00f6ken", "nul\0", None, 7, b"token"], ids=shown
)
def test_a_token_that_is_none_is_refused(token, client_kind, heard):
    error = failure(StaticToken, token)
    assert (type(error), error.error) == (nb.BillingAuthError, "invalid_token")
    error = failure(charge, client_kind.client(Source([token], heard.url)))
    assert (type(error), error.error, error.outcome_unknown) == (nb.BillingAuthError, "invalid_token", False)


@pytest.mark.parametrize("answered", [None, "a-token", ("token", None), object], ids=shown)
def test_a_source_that_returns_no_credentials_is_a_typed_error(answered, client_kind, heard):
    class Odd:
        def resolve(self, *, rejected=None):
            return answered

    error = failure(charge, client_kind.client(Odd(), base_url=heard.url))
    assert isinstance(error, nb.BillingError)
    assert error.outcome_unknown is False
    assert "a-token" not in str(error)


@pytest.mark.parametrize(
    "raised", [ValueError("x"), OSError(13, "denied"), KeyError("nous"), TimeoutError(), StopIteration()]
)
def test_whatever_a_source_raises_is_a_typed_error(raised, client_kind, heard):
    class Fails:
        def resolve(self, *, rejected=None):
            raise raised

    error = failure(charge, client_kind.client(Fails(), base_url=heard.url))
    assert (type(error), error.error, error.outcome_unknown) == (nb.BillingAuthError, "invalid_token", False)
    assert error.__cause__ is raised


@pytest.mark.parametrize(
    ("amount", "wire"),
    [
        (" 50.10 ", b"50.10"),
        (Decimal("5E+1"), b"50"),
        (19.99, b"19.99"),
    ],
    ids=shown,
)
def test_an_amount_goes_out_digit_for_digit(amount, wire, client, mock_portal):
    charge(client, amount)
    assert mock_portal.requests[0].body == b'{"amountUsd":' + wire + b"}"
    assert mock_portal.organisation.charges[0].amount == Decimal(wire.decode())


def test_a_key_goes_out_without_the_space_around_it(client, mock_portal):
    charge(client, key=f"  {KEY}\n")
    assert mock_portal.requests[0].headers["idempotency-key"] == KEY
    charge(client, key="!" + "~" * 254)
    assert mock_portal.requests[1].headers["idempotency-key"] == "!" + "~" * 254
