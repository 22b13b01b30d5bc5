"""What cannot be right is refused before anything is sent: a typed error, and the portal hears nothing."""

from decimal import Decimal

import pytest

import nous_billing as nb
from nous_billing import StaticToken
from tests.registry import KEY

from .harness import Source, charge, failure, poll, read

AMOUNTS = [
    0,
    -1,
    "-5",
    "0",
    "0.00",
    "0.001",
    Decimal("10.001"),
    Decimal("NaN"),
    Decimal("sNaN"),
    Decimal("Infinity"),
    Decimal("1e999999"),
    Decimal("1e-999999"),
    float("nan"),
    float("inf"),
    0.1 + 0.2,
    1e300,
    True,
    None,
    "",
    " ",
    "fifty",
    "5e1",
    "1_000",
    "1,000",
    "0x10",
    "\u0665\u0660",
    "$50",
    "50.",
    ".5",
    "NaN",
    "1" * 5000,
    10**5000,
    1000000.01,
    "1000000.01",
    b"50",
    [50],
    {"amount": 50},
    50j,
]
KEYS = [
    (None, "idempotency_key_required"),
    ("", "idempotency_key_required"),
    (" \t", "idempotency_key_required"),
    ("a b", "invalid_idempotency_key"),
    ("a\r\nX-Injected: 1", "invalid_idempotency_key"),
    ("k\u00e9y", "invalid_idempotency_key"),
    ("k" * 256, "invalid_idempotency_key"),
    ("k\0", "invalid_idempotency_key"),
    (7, "invalid_idempotency_key"),
    (b"key", "invalid_idempotency_key"),
]
IDS = [
    None, "", " ", ".", "..", " .. ", "a b", "a\r\nb", "\u00fc", "\0", "x" * 256, 7, b"ch_1", ["ch_1"],
]  # fmt: skip
BASE_URLS = [
    "",
    "portal.nousresearch.com",
    "http://portal.nousresearch.com",
    "http://127.0.0.2:1",
    "http://localhost.elsewhere.test",
    "ftp://localhost",
    "javascript:alert(1)",
    "//portal.test",
    "https://",
    "https:///api",
    "https://user@portal.test",
    "https://user:password@portal.test",
    "https://@portal.test",
    "https://portal.test?x=1",
    "https://portal.test?",
    "https://portal.test#x",
    "https://portal.test:port",
    "https://portal.test:99999",
    "https://por tal.test",
    "https://portal.test\r\nX: 1",
    "https://portal.test\\@elsewhere.test",
    "https://p\u00f6rtal.test",
    "https://[::1",
    7,
    b"https://portal.test",
]
TIMEOUTS = [0, -1, float("nan"), float("inf"), None, "15", True]


def shown(value):
    return repr(value)[:30] if not isinstance(value, int) or abs(value) < 10**9 else "a huge int"


@pytest.fixture
def heard(server):
    """Nobody hears of the test: not even a connection is made."""
    yield server
    assert server.connections == 0


@pytest.mark.parametrize("amount", AMOUNTS, ids=shown)
def test_an_amount_that_is_none_is_not_sent(amount, raw_client, heard):
    error = failure(charge, raw_client, amount)
    assert (type(error), error.error, error.status) == (nb.BillingInvalidRequest, "invalid_amount", None)
    assert error.outcome_unknown is False
    assert "amount_usd" in str(error)
    assert len(str(error)) < 200
    for threshold, top_up, name in ((amount, 100, "threshold"), (20, amount, "top_up_amount")):
        error = failure(raw_client.patch_auto_top_up, enabled=True, threshold=threshold, top_up_amount=top_up)
        assert (type(error), error.error) == (nb.BillingInvalidRequest, "invalid_amount")
        assert name in str(error)


@pytest.mark.parametrize(("key", "code"), KEYS, ids=shown)
def test_a_key_that_is_none_is_not_sent(key, code, raw_client, heard):
    error = failure(raw_client.post_charge, amount_usd=50, idempotency_key=key)
    assert (type(error), error.error, error.outcome_unknown) == (nb.BillingInvalidRequest, code, False)


@pytest.mark.parametrize("charge_id", IDS, ids=shown)
def test_an_id_that_is_none_is_not_sent(charge_id, raw_client, heard):
    for call in (raw_client.get_charge_status, raw_client.wait_for_charge):
        error = failure(call, charge_id)
        assert (type(error), error.error) == (nb.BillingInvalidRequest, "invalid_charge_id")


@pytest.mark.parametrize("enabled", [None, 1, 0, "true", "", []], ids=shown)
def test_enabled_is_a_bool(enabled, raw_client, heard):
    error = failure(raw_client.patch_auto_top_up, enabled=enabled, threshold=20, top_up_amount=100)
    assert (type(error), error.error) == (nb.BillingInvalidRequest, "invalid_request")


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
        (50, b"50"),
        ("50", b"50"),
        (" 50.10 ", b"50.10"),
        (Decimal("50.10"), b"50.10"),
        (Decimal("5E+1"), b"50"),
        (50.25, b"50.25"),
        (50.0, b"50.0"),
        (Decimal("19.99"), b"19.99"),
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
