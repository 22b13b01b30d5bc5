"""The token is in no log, no repr, no exception and no traceback's variables of ours, whatever goes wrong."""

import logging
import pickle
import socket
import ssl
import sys
import traceback
import types
import warnings
from pathlib import Path

import pytest
import trustme

import nous_billing
from nous_billing import BillingError, Credentials, StaticToken
from nous_billing.mock import Fault
from tests.tracers import TESTS, rich_traceback, views

from .harness import Source, charge, failure, poll, read
from .raw_server import Answer, answer

pytestmark = pytest.mark.usefixtures("looks_again_at_once")

CANARY = "canary-2f1c8e7a-token"
PACKAGE = str(Path(nous_billing.__file__).parent)


@pytest.fixture
def records(caplog):
    """Every record of every logger, from DEBUG on."""
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, name)
    # It tells nobody what it logs.
    silent = logging.getLogger("nous_billing.mock.uvicorn")
    silent.addHandler(caplog.handler)
    yield caplog
    silent.removeHandler(caplog.handler)


def assert_not_logged(logged, secret=CANARY):
    for record in logged.records:
        assert secret not in record.getMessage()
        assert secret not in repr(record.args)
        assert secret not in repr(vars(record))


def chain(error):
    """The exception and all that it is chained to."""
    seen, waiting = [], [error]
    while waiting:
        error = waiting.pop()
        if error is not None and error not in seen:
            seen.append(error)
            waiting += [error.__cause__, error.__context__]
    return seen


def is_ours(filename, *, chained):
    """Whether a frame's variables are the facade's to keep clean: in a chained exception the HTTP library's are too."""
    return filename.startswith(PACKAGE) or filename == "<string>" or (chained and not filename.startswith(TESTS))


def assert_not_told(error, secret=CANARY):
    """The secret is not in what an error reporter collects."""
    assert isinstance(error, BillingError)
    assert secret not in str(error)
    assert secret not in repr(error)
    assert secret.encode() not in pickle.dumps(error)
    assert secret not in repr(vars(pickle.loads(pickle.dumps(error))))
    found = []
    for link in chain(error):
        if not isinstance(link, BillingError):
            assert secret not in f"{link} {link!r} {vars(link)!r} {getattr(link, '__notes__', '')!r}"
        found += [
            f"{Path(frame.f_code.co_filename).name}:{line} {frame.f_code.co_name}: {name}"
            for frame, line in traceback.walk_tb(link.__traceback__)
            if is_ours(frame.f_code.co_filename, chained=link is not error)
            for name, value in frame.f_locals.items()
            if any(secret in view for view in views(value))
        ]
    assert not found
    assert secret not in "".join(traceback.format_exception(error))
    assert secret not in rich_traceback(error)


class FailsLater(Source):
    """A token, and after it was refused an error."""

    def __init__(self, error):
        super().__init__([CANARY])
        self._error = error

    def resolve(self, *, rejected=None):
        if rejected is None:
            return super().resolve()
        raise self._error


SCRIPTS = {
    "401": answer(401, {"error": "invalid_token"}),
    "logged out": answer(401, {"error": "session_revoked"}),
    "scope": answer(403, {"error": "insufficient_scope", "portalUrl": "/billing"}),
    "key": answer(409, {"error": "idempotency_conflict"}),
    "limit": answer(429, {"error": "rate_limited"}, {"Retry-After": "9"}),
    "failing": answer(502, "<h1>Bad gateway</h1>"),
    "drop": Answer(b"", "close"),
    "reset": Answer(b"", "reset"),
    "half a reply": Answer(answer(202, {"chargeId": "ch_1"}).data[:-3], "close"),
    "garbage": Answer(b"garbage\r\n\r\n", "close"),
    "a page": answer(200, "<h1>Nous</h1>", content_type="text/html"),
    "broken JSON": answer(202, '{"chargeId": '),
    "another shape": answer(202, {"chargeId": 7}),
    "null": answer(202, "null"),
    "compressed": answer(202, b"", {"Content-Encoding": "gzip"}),
    "redirect": answer(302, b"", {"Location": "http://localhost:1/"}),
    "timeout": Answer(b"", "hold"),
    "a stalled body": Answer(answer(202, {"chargeId": "ch_1"}).data[:-3], "hold"),
}


@pytest.mark.parametrize("script", list(SCRIPTS))
def test_a_reply_that_goes_wrong_tells_no_token(script, client_kind, server, records):
    client = client_kind.client(StaticToken(CANARY), base_url=server.url, timeout=0.2)
    server.otherwise = SCRIPTS[script]
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        errors = [failure(charge, client), failure(client.wait_for_charge, "ch_1", interval=0.01, cap=0.02)]
    for error in errors:
        assert_not_told(error)
    assert all(request.headers["authorization"] == f"Bearer {CANARY}" for request in server.requests)
    assert_not_logged(records)
    assert not [warning for warning in warned if CANARY in str(warning.message)]
    assert CANARY not in repr(client)


def test_who_cannot_be_reached_leaves_no_token_behind(client_kind, records):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}", f"https://localhost:{port}", "https://nowhere.invalid"):
        assert_not_told(failure(charge, client_kind.client(StaticToken(CANARY), base_url=url)))
    assert_not_logged(records)


def test_a_certificate_that_is_not_trusted_leaves_no_token_behind(client_kind, mock_portal, tmp_path, records):
    issued = trustme.CA().issue_cert("localhost")
    issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    both = str(tmp_path / "both.pem")
    mock_portal.stop()
    with mock_portal.serve(ssl_certfile=both, ssl_keyfile=both) as url:
        error = failure(charge, client_kind.client(StaticToken(CANARY), base_url=url))
    assert isinstance(error.__cause__.__cause__ or ssl.SSLError(), Exception)
    assert_not_told(error)
    assert_not_logged(records)


@pytest.mark.parametrize(
    "error",
    [
        nous_billing.BillingNetworkError("down", error="network_error"),
        nous_billing.BillingAuthError("logged out", error="invalid_token"),
        OSError("disk full"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_refresh_that_fails_after_a_401_tells_no_token(error, client_kind, server, records):
    server.otherwise = answer(401, {"error": "invalid_token"})
    client = client_kind.client(FailsLater(error), base_url=server.url)
    told = failure(charge, client)
    assert type(told) is (type(error) if isinstance(error, BillingError) else nous_billing.BillingAuthError)
    assert_not_told(told)
    assert_not_logged(records)


def test_a_refresh_that_takes_too_long_tells_no_token(client_kind, server, records):
    server.otherwise = answer(401, {"error": "invalid_token"})
    clock = client_kind.clock()

    class TakesTheTime(Source):
        def resolve(self, *, rejected=None):
            if rejected is not None:
                clock.advance(60)
            return super().resolve(rejected=rejected)

    source = TakesTheTime([CANARY, CANARY + "-2"])
    assert_not_told(failure(charge, client_kind.client(source, base_url=server.url, clock=clock)))
    assert_not_logged(records)


@pytest.mark.parametrize("token", [f"{CANARY}\r\nX: 1", f"{CANARY} x", f"{CANARY}é", f"{CANARY}\0"])
@pytest.mark.parametrize("make", [StaticToken, Credentials])
def test_a_token_that_cannot_be_one_is_not_shown(make, token):
    assert_not_told(failure(make, token))


def test_a_source_that_returns_a_broken_token_tells_none(client_kind, server, records):
    class Broken(Source):
        def resolve(self, *, rejected=None):
            return Credentials(f"{CANARY}\r\nX-Injected: 1")

    assert_not_told(failure(charge, client_kind.client(Broken([]), base_url=server.url)))
    assert server.connections == 0
    assert_not_logged(records)


@pytest.mark.parametrize(
    ("state", "renew"),
    [
        ({"portal_base_url": "https://elsewhere.test"}, lambda: CANARY),
        ({"portal_base_url": "http://portal.nousresearch.com"}, lambda: CANARY),
        ({"expires_at": "2020-01-01T00:00:00+00:00"}, lambda: (_ for _ in ()).throw(OSError("down"))),
        ({"expires_at": "2020-01-01T00:00:00+00:00"}, lambda: (_ for _ in ()).throw(LookupError("not logged in"))),
        ({}, lambda: f"{CANARY}\n{CANARY}"),
    ],
    ids=["another host", "clear text", "passing", "final", "broken token"],
)
def test_hermes_login_that_cannot_be_used_tells_no_token(state, renew, client_kind, monkeypatch, records):
    auth = types.ModuleType("hermes_cli.auth")
    auth.AuthError = LookupError
    auth.get_provider_auth_state = lambda provider: {"access_token": CANARY, "refresh_token": CANARY, **state}
    auth.resolve_nous_access_token = renew
    monkeypatch.setitem(sys.modules, "hermes_cli", types.ModuleType("hermes_cli"))
    monkeypatch.setitem(sys.modules, "hermes_cli.auth", auth)
    assert_not_told(failure(read, client_kind.client()))
    assert_not_logged(records)


def test_what_holds_a_token_does_not_show_it():
    for holder in (StaticToken(CANARY), Credentials(CANARY, "https://portal.test")):
        assert CANARY not in f"{holder} {holder!r}"
        assert "***" in repr(holder)


def test_success_is_logged_without_the_token_by_client_and_mock(client_kind, mock_portal, records):
    token = mock_portal.issue_token()
    client = client_kind.client(Source(["stale", token]), base_url=mock_portal.url)
    read(client)
    charge(client)
    mock_portal.inject(Fault.drop(), "get_charge_status", times=2)
    failure(poll, client)
    logged = {record.name.partition(".")[0] for record in records.records}
    assert "nous_billing" in logged
    assert_not_logged(records, token)
    assert_not_logged(records, "stale")
    assert token not in repr(mock_portal.requests)


def test_the_password_of_a_proxy_is_not_shown(client_kind, monkeypatch, records):
    for proxy in ("ftp://user:canary-password@proxy.test:1", "http://user:canary-password@proxy.test:port"):
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        client = client_kind.client(StaticToken(CANARY), base_url="https://portal.test")
        assert_not_told(failure(charge, client), "canary-password")
    assert_not_logged(records, "canary-password")
